"""What a resource type of these providers is: the operations that the engine asks for, without gRPC."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inferstack.plugin.diff import Difference

if TYPE_CHECKING:
    from inferstack.cloudflare.client import Client

Properties = dict[str, Any]
DEFAULT_TIMEOUT = 600.0  # seconds, when the program sets no customTimeouts


class ProviderError(Exception):
    """An operation failed and nothing of it remains; the text is for the user."""


class PartialFailure(ProviderError):
    """The resource exists but is not finished: the engine keeps it and updates it next time."""

    def __init__(self, reason: str, identifier: str, outputs: Properties, inputs: Properties | None = None) -> None:
        super().__init__(reason)
        self.identifier, self.outputs, self.inputs = identifier, outputs, inputs


class Gone(Exception):
    """A read found nothing."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """A wrong input: its property path (`config.dimensions`) and why."""

    path: str
    reason: str


def wrong_fields(inputs: Properties, required: Sequence[str], optional: Sequence[str] = ()) -> list[CheckFailure]:
    """Inputs that are missing or not known."""
    missing = [CheckFailure(field, f"`{field}` is required") for field in required if not inputs.get(field)]
    unknown = [field for field in inputs if field not in (*required, *optional)]
    return missing + [CheckFailure(field, f"unknown input `{field}`") for field in unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request of the engine: who asks, with which client, until when (monotonic seconds).

    `say` shows a line of progress beside the resource.
    """

    urn: str
    client: Client
    account_id: str
    say: Callable[[str], None] = lambda _: None
    deadline: float = field(default_factory=lambda: time.monotonic() + DEFAULT_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What exists: its id, outputs, and the inputs that made it."""

    identifier: str
    outputs: Properties
    inputs: Properties


class ResourceType(ABC):
    """One type. Values are plain: the servicer takes secret marks off and puts them back where the inputs had them."""

    token: str

    @abstractmethod
    def check(self, inputs: Properties) -> list[CheckFailure]:
        """Every wrong input; an unknown value (`UNKNOWN`) passes."""

    def mark_inputs(self, inputs: Properties) -> Properties:
        """The inputs as they go into the state, with secret marks that the schema asks for."""
        return inputs

    def mark_outputs(self, outputs: Properties) -> Properties:
        """The same for outputs."""
        return outputs

    @abstractmethod
    def diff(self, state: State, inputs: Properties) -> Difference: ...

    @abstractmethod
    def preview(self, inputs: Properties, state: State | None) -> Properties:
        """The outputs as far as they are known before the update."""

    @abstractmethod
    def create(self, operation: Operation, inputs: Properties) -> State: ...

    @abstractmethod
    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        """What is there now; without `state` it is an import. Raises `Gone`."""

    @abstractmethod
    def update(self, operation: Operation, state: State, inputs: Properties) -> State: ...

    @abstractmethod
    def delete(self, operation: Operation, state: State) -> None:
        """Also right when it is gone already."""
