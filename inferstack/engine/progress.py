"""The line at the foot of a terminal while a run goes on: what is worked on, how much is done, since when."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inferstack.engine import events, output
from inferstack.text import terminal

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent

NAMED = 2  # resources at work that fit a line beside the rest
STEPS = {"create": "creating", "update": "updating", "delete": "deleting", "replace": "replacing"}


class Tally:
    """What of a run has begun and ended, by the engine's own events."""

    def __init__(self, doing: str) -> None:
        self._doing, self._done = doing, 0
        self._open: dict[str, str] = {}

    def take(self, event: EngineEvent) -> None:
        if (begun := event.resource_pre_event) is not None:
            step = begun.metadata
            # Components and stacks begin first and end last: they say nothing about what takes its time.
            if step.op.value != "same" and step.provider:
                verb = STEPS.get(step.op.value, step.op.value)
                self._open[step.urn] = f"{verb} {step.type.rpartition(':')[2]} {step.urn.rpartition('::')[2]}"
        for ended in (event.res_outputs_event, event.res_op_failed_event):
            if ended is not None:
                self._open.pop(ended.metadata.urn, None)
                self._done += 1

    def line(self) -> str:
        at_work = list(self._open.values())
        more = [f"{len(at_work) - NAMED} more"] if len(at_work) > NAMED else []
        return " · ".join([self._doing, f"{self._done} done", ", ".join([*at_work[:NAMED], *more])]).removesuffix(" · ")


@contextmanager
def shown(doing: str) -> Iterator[Callable[[EngineEvent], None]]:
    """To be given to a run as `on_event`. On a terminal the line is there meanwhile, and gone afterwards."""
    tally = Tally(doing)
    with _foot(doing) as draw:

        def follow(event: EngineEvent) -> None:
            events.follow(event)
            tally.take(event)
            draw(tally.line())

        yield follow


@contextmanager
def counted(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """Of work without the engine: takes how much of `total` is done. Shown at the foot; with `--events`, an event each."""
    with _foot(doing) as draw:

        def tell(done: int) -> None:
            events.emit("progress", doing=doing, done=done, total=total)
            draw(f"{doing} · {done} of {total}")

        yield tell


@contextmanager
def _foot(doing: str) -> Iterator[Callable[[str], None]]:
    """Draws a line at the foot of a terminal, and nothing elsewhere."""
    if not terminal.width or output.settings.to_stderr or output.settings.verbose:
        yield lambda _: None
        return
    from rich.console import Console  # 70 ms, and only where a person looks
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = Console(no_color=not terminal.colour)
    # Lines are handed over by `output.write`, whole: rich's own redirection would break long ones between words.
    drawn = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=sys.stderr.isatty()
    )
    task = drawn.add_task(doing, total=None)
    with drawn, output.above(lambda line: console.print(Text.from_ansi(line), soft_wrap=True)):
        yield lambda line: drawn.update(task, description=line)
