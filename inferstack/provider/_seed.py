"""What a file puts into a store: compared by what it holds, and kept in the state as it was given."""

from __future__ import annotations

from typing import ClassVar

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.resource import Properties, ResourceType, State


class Seed(ResourceType):
    """Inputs: accountId, the field `store` with the store's id, which is the seed's own, and `file`, for messages."""

    store: ClassVar[str]

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(_held(state.inputs), _held(inputs), lambda path: path in ("accountId", self.store))

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def written(self, inputs: Properties) -> State:
        """The state after a file went up."""
        return State(identifier=inputs[self.store], outputs=dict(inputs), inputs=inputs)


def _held(inputs: Properties) -> Properties:
    """A file that has another name holds nothing else."""
    return {name: value for name, value in inputs.items() if name != "file"}
