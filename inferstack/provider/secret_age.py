"""`inferstack:index:SecretAge`: since when a secret has its value, for `policies: { secret_age }`.

Cloudflare tells no age of a Worker's secret, and each version has all of them anew. So the state keeps a fingerprint of the
value, encrypted by Pulumi as a secret, and the day it changed last. Nothing is asked of Cloudflare.
"""

from __future__ import annotations

from datetime import UTC, datetime

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import (
    CheckFailure,
    Operation,
    Properties,
    ProviderError,
    ResourceType,
    State,
    wrong_fields,
)


class SecretAge(ResourceType):
    """Inputs: secret (its place in the stack file), fingerprint. Outputs: these, since (ISO 8601, UTC)."""

    token = "inferstack:index:SecretAge"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, ("secret", "fingerprint"))

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path == "secret")

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {**inputs, "since": UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        return State(identifier=inputs["secret"], outputs={**inputs, "since": since}, inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(
                "the age of a secret cannot be imported: it begins with the first deployment that keeps it"
            )
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        return self.create(operation, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return
