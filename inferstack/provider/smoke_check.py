"""`inferstack:index:SmokeCheck`: requests that a Worker must answer right after each of its versions went live.

An update that fails them is a failed update. Inputs: accountId, scriptName, versionId, checks, and where the Worker is:
`hostname`, or `localAddress` (host:port of a local Cloudflare), else its address under workers.dev.
"""

from __future__ import annotations

from inferstack.provider._diff import Difference, compare
from inferstack.provider._probe import persist, place_of, same_but_for_the_port, wrong_checks
from inferstack.provider._resource import CheckFailure, Operation, Properties, ProviderError, ResourceType, State

KIND = "smoke check"
REQUIRED = ("accountId", "scriptName", "versionId", "checks")


class SmokeCheck(ResourceType):
    """Each check: method, path, status, and optionally body (JSON text), contains, token (sent as a bearer token)."""

    token = "inferstack:index:SmokeCheck"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(name, f"`{name}` is required") for name in REQUIRED if not inputs.get(name)]
        return failures + wrong_checks(inputs.get("checks"))

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "scriptName"}, same_but_for_the_port)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        self._run(operation, inputs)
        return State(identifier=inputs["scriptName"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"a {KIND} cannot be imported: it is made by running it")
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        self._run(operation, inputs)
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return

    def _run(self, operation: Operation, inputs: Properties) -> None:
        problems = persist(place_of(operation, inputs, KIND), inputs["checks"], operation.client.clock)
        if problems:
            name = inputs["scriptName"]
            fix = "the version is live; correct it and run `up` again"
            raise ProviderError(f"{KIND} of Worker `{name}` failed: {'; '.join(problems)}\n  fix: {fix}")
