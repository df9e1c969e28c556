"""A stack whose data each test finds as it was when the stack came up: a local Cloudflare of this process, and a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferstack.engine import snapshots
from inferstack.testing.running import RunningStack, brought_up, state_at

BEGUN = "begun"  # the snapshot's name


class FreshStack:
    """The stack, and where its Cloudflare keeps its state."""

    def __init__(self, stack: RunningStack, state: Path) -> None:
        self._stack, self._state = stack, state
        self._folder = state / "local"
        self._used = False
        snapshots.save(self._folder, BEGUN)

    @contextmanager
    def lent(self) -> Iterator[RunningStack]:
        """To one test. What the one before left is taken back, on the same ports; about a second."""
        with state_at(self._state):
            if self._used:
                snapshots.load(self._folder, BEGUN)
            self._used = True
            yield self._stack


@contextmanager
def brought_up_fresh(name: str, root: Path, state: Path) -> Iterator[FreshStack]:
    """Raises `UserError` where the stack does not come up."""
    with brought_up(name, root, state, lasting=False) as stack:
        with state_at(state):
            fresh = FreshStack(stack, state)
        yield fresh
