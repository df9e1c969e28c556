"""`inferstack:index:SmokeCheck`: requests that a Worker must answer right after each of its versions went live.

An update that fails them is a failed update, and the version before takes all of the traffic again.

Inputs: accountId, scriptName, versionId, checks, and where the Worker is: `hostname`, or `localAddress` (host:port of a local
Cloudflare), else its address under workers.dev.
"""

from __future__ import annotations

from inferstack.cloudflare import RETURN, Traffic
from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ProviderError, ResourceType, State
from inferstack.provider._probe import persist, place_of, same_but_for_the_port, wrong_checks
from inferstack.provider._traffic import deploy, traffic_of

KIND = "smoke check"
LONGEST_WAY = 600.0  # seconds from a deployment to its check, with the API's longest block between them
REQUIRED = ("accountId", "scriptName", "versionId", "checks")


class SmokeCheck(ResourceType):
    """Each check: method, path, status, and optionally body (JSON text), contains, token (sent as a bearer token), stream
    (whether server-sent events must come), within (seconds).
    """

    token = "inferstack:index:SmokeCheck"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(name, f"`{name}` is required") for name in REQUIRED if not inputs.get(name)]
        return failures + wrong_checks(inputs.get("checks"))

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "scriptName"}, same_but_for_the_port)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        _Check(operation, inputs, None).run()
        return State(identifier=inputs["scriptName"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"a {KIND} cannot be imported: it is made by running it")
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        _Check(operation, inputs, state.inputs.get("versionId")).run()
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return


class _Check:
    """One run of the checks; `passed` is the version that passed them last, as the state says."""

    def __init__(self, operation: Operation, inputs: Properties, passed: str | None) -> None:
        self._operation, self._inputs, self._passed = operation, inputs, passed
        self._account, self._script = str(inputs["accountId"]), str(inputs["scriptName"])
        self._version = str(inputs["versionId"])

    def run(self) -> None:
        """Raises `ProviderError` when the version does not answer as it should."""
        try:
            live = traffic_of(self._operation, KIND, self._account, self._script)
        except Gone:
            live = None
        if live is not None and self._version not in live.shares:
            self._put_live_again(live)
        problems = persist(
            place_of(self._operation, self._inputs, KIND), self._inputs["checks"], self._operation.client.clock
        )
        if not problems:
            return
        failed = f"{KIND} of Worker `{self._script}` failed: {'; '.join(problems)}"
        base = live.before(self._version) if live is not None and self._is_ours(live) else None
        if base is None:
            raise ProviderError(f"{failed}\n  fix: the version is live; correct it and run `up` again")
        raise ProviderError(f"{failed}\n{self._go_back(base)}")

    def _is_ours(self, live: Traffic) -> bool:
        """Whether this update put the version live: one that was so before is not left for a check that is new."""
        if self._version not in {*live.shares, *live.returned}:
            return False
        return live.age() < LONGEST_WAY if self._passed is None else self._passed != self._version

    def _put_live_again(self, live: Traffic) -> None:
        """To the engine the version is deployed, so that nobody else would do it."""
        if self._version in live.rolled_back:
            raise ProviderError(
                f"version {self._version} of Worker `{self._script}` was rolled back on purpose and stays so\n"
                "  fix: correct the Worker and run `up` again, or put it live with `inferstack rollback --to`"
            )
        if self._version in live.returned:
            self._deploy(self._version, f"tried again: {self._version}")

    def _go_back(self, base: str) -> str:
        try:
            self._deploy(base, RETURN + self._version)
        except (ProviderError, Gone) as error:
            why = str(error).splitlines()[:1] or ["the Worker is gone"]
            return (
                f"  version {self._version} is live: version {base} could not be put back ({why[0]})\n"
                "  fix: put it back with `inferstack rollback`"
            )
        return (
            f"  all traffic is back on version {base}, was on {self._version}\n"
            "  fix: correct the Worker and run `up` again"
        )

    def _deploy(self, version: str, message: str) -> None:
        deploy(self._operation, KIND, self._account, self._script, {version: 100.0}, message)
        self._operation.say(message)
