"""`inferstack:index:WorkerRollout`: a version goes live in steps, and the last good one comes back when it fails.

Before the first step the new version is deployed with no share of the traffic, and asked by Cloudflare's
version-override header; a version that fails there was never seen by anybody. Each step is held while the checks go on.
What is live is read from the API, so that a rollout that was cut short goes on where it stood.

Suites of cases are asked before the first step and after each hold: too few right answers, and it goes back as well.

Inputs: accountId, scriptName, versionId, steps (percent), holdSeconds, checks, suites? (of _evaluation.py),
abortOn {smoke, errorRate, p95Seconds?}, hostname?, localAddress?. Outputs: these, deploymentId.
"""

from __future__ import annotations

import math
from typing import Any

from inferstack.cloudflare import RETURN
from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ProviderError, ResourceType, State
from inferstack.provider._api import Refused
from inferstack.provider._evaluation import evaluate, wrong_suites
from inferstack.provider._probe import ask, persist, place_of, same_but_for_the_port, wrong_checks
from inferstack.provider._traffic import deploy, traffic_of

KIND = "Worker rollout"
REQUIRED = ("accountId", "scriptName", "versionId", "steps", "checks", "abortOn")
LEAST_SAMPLES = 10  # checks before a share of failures says anything
ROUNDS = 20  # of checks in a hold
SHORTEST_ROUND, LONGEST_ROUND = 0.2, 10.0  # seconds
MIGRATES = 10211  # Cloudflare's code for a version with a migration that is not deployed at 100 percent
UNSEEN, ALMOST_UNSEEN = 0, 0.01  # percent; the API's own description says 0.01 is the least, its documentation 0


class WorkerRollout(ResourceType):
    """Deleting it leaves the traffic as it is: it goes with the Worker."""

    token = "inferstack:index:WorkerRollout"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(name, f"`{name}` is required") for name in REQUIRED if inputs.get(name) is None]
        steps = inputs.get("steps")
        if isinstance(steps, list) and (not steps or steps != sorted(set(steps)) or steps[-1] != 100):
            failures.append(CheckFailure("steps", f"must rise and end with 100, got {steps!r}"))
        return failures + wrong_checks(inputs.get("checks")) + wrong_suites(inputs.get("suites"))

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "scriptName"}, same_but_for_the_port)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        same = state is not None and state.inputs.get("versionId") == inputs.get("versionId")
        return {**inputs, "deploymentId": state.outputs.get("deploymentId") if same and state else UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        deployment = _Rollout(operation, inputs).run()
        return State(identifier=inputs["scriptName"], outputs={**inputs, "deploymentId": deployment}, inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"a {KIND} cannot be imported: it takes over what is live by itself")
        live = traffic_of(operation, KIND, state.inputs["accountId"], identifier)
        if live is None:
            raise Gone
        inputs = {**state.inputs, "versionId": live.newest.main}
        return State(identifier=identifier, outputs={**inputs, "deploymentId": live.newest.identifier}, inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        return self.create(operation, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return


class _Rollout:
    """One walk over the steps."""

    def __init__(self, operation: Operation, inputs: Properties) -> None:
        self._operation, self._inputs = operation, inputs
        self._script, self._version = str(inputs["scriptName"]), str(inputs["versionId"])
        self._abort: Properties = inputs["abortOn"]

    def run(self) -> str:
        """The id of the deployment that is live in the end. Raises `ProviderError` when the old version is back."""
        live = traffic_of(self._operation, KIND, self._inputs["accountId"], self._script)
        if live is not None and live.shares == {self._version: 100.0}:
            self._check_only_version()
            return live.newest.identifier
        if live is not None and self._version in live.rolled_back:
            raise ProviderError(
                f"version {self._version} of Worker `{self._script}` was rolled back on purpose and stays so\n"
                f"  fix: correct the Worker and run `up` again, or put it live with `inferstack rollback --to`"
            )
        base = live.base_for(self._version) if live is not None else None
        if base is None:
            deployment = self._deploy({self._version: 100}, "first version")
            self._check_only_version()
            return deployment
        started = (live.shares.get(self._version) or 0.0) if live is not None else 0.0
        try:
            self._before(base, started)
        except Refused as error:
            if error.cause.code != MIGRATES:
                raise
            return self._at_once()
        for step in self._inputs["steps"]:
            if step == 100:
                deployment = self._deploy({self._version: 100}, f"100 % of {self._version}")
                self._after(base)
                return deployment
            if step >= started:
                self._deploy({base: 100 - step, self._version: step}, f"{step} % of {self._version} from {base}")
                self._hold(step, base)
                self._gate(base, f"at {step:g} %")
        raise AssertionError("the last step is 100")

    def _at_once(self) -> str:
        """It makes, moves or deletes a class of Durable Objects: traffic is not divided over that, and no way leads back."""
        deployment = self._deploy({self._version: 100}, f"100 % of {self._version}: it migrates Durable Objects")
        self._check_only_version()
        return deployment

    def _check_only_version(self) -> None:
        """There is nothing to go back to."""
        place = place_of(self._operation, self._inputs, KIND, self._version)
        problems = persist(place, self._inputs["checks"], self._operation.client.clock)
        problems = problems or self._evaluate("with all of the traffic")
        if problems:
            raise ProviderError(
                f"version {self._version} of Worker `{self._script}` fails its checks: {'; '.join(problems)}\n"
                "  fix: the version is live; correct it and run `up` again"
            )

    def _before(self, base: str, started: float) -> None:
        """The new version answers its checks before anybody else's request reaches it."""
        if started == 0:
            text = f"checked before 1st step: {self._version} from {base}"
            try:
                self._deploy({base: 100 - UNSEEN, self._version: UNSEEN}, text)
            except Refused as error:
                if error.cause.status != 400:
                    raise
                self._deploy({base: 100 - ALMOST_UNSEEN, self._version: ALMOST_UNSEEN}, text)
        if self._abort.get("smoke", True):
            self._check_all(base, "before its first step")
        self._gate(base, "before its first step")

    def _after(self, base: str) -> None:
        """With all of the traffic it answers too."""
        if self._abort.get("smoke", True):
            self._check_all(base, "with all of the traffic")

    def _check_all(self, base: str, when: str) -> None:
        place = place_of(self._operation, self._inputs, KIND, self._version)
        problems = persist(place, self._inputs["checks"], self._operation.client.clock)
        if problems:
            self._return(base, f"{when}: {'; '.join(problems)}")

    def _evaluate(self, when: str) -> list[str]:
        """What keeps the version from going on; asked of that version alone."""
        suites: list[dict[str, Any]] = self._inputs.get("suites") or []
        if not suites:
            return []
        place = place_of(self._operation, self._inputs, KIND, self._version)
        verdicts = evaluate(place, str(self._inputs["accountId"]), suites, self._operation)
        for verdict in verdicts:
            self._operation.say(f"{when}: {verdict.text}")
        return [verdict.problem for verdict in verdicts if verdict.problem]

    def _gate(self, base: str, when: str) -> None:
        """The next step is for a version whose answers are right."""
        problems = self._evaluate(when)
        if problems:
            self._return(base, f"{when}: {'; '.join(problems)}")

    def _hold(self, step: float, base: str) -> None:
        """Ask the new version again and again; go back as soon as what it fails is more than it may."""
        clock, hold = self._operation.client.clock, float(self._inputs.get("holdSeconds") or 0)
        checks: list[dict[str, Any]] = self._inputs["checks"]
        place = place_of(self._operation, self._inputs, KIND, self._version)
        pause = min(LONGEST_ROUND, max(SHORTEST_ROUND, hold / ROUNDS))
        times: list[float] = []
        failed: list[str] = []
        end = clock.now() + hold
        while checks and (clock.now() < end or len(times) < LEAST_SAMPLES):
            for one in checks:
                problem, elapsed = ask(place, one)
                times.append(elapsed)
                failed += [problem] if problem else []
            if len(times) >= LEAST_SAMPLES:
                self._judge(step, base, times, failed)
            clock.wait(min(pause, max(0.0, end - clock.now())))
        clock.wait(max(0.0, end - clock.now()))
        slowest = f", 95 of 100 within {_p95(times) * 1000:.0f} ms" if times else ""
        self._operation.say(f"{step:g} % held for {hold:g} s: {len(times)} checks, {len(failed)} failed{slowest}")

    def _judge(self, step: float, base: str, times: list[float], failed: list[str]) -> None:
        share, most = len(failed) / len(times), float(self._abort.get("errorRate", 1))
        if share > most:
            last = failed[-1]
            self._return(base, f"at {step:g} %: {share:.0%} of its checks failed, {most:.0%} may; the last: {last}")
        slow = self._abort.get("p95Seconds")
        if slow is not None and _p95(times) > slow:
            shown = f"{_p95(times) * 1000:.0f} ms, more than {slow * 1000:.0f} ms"
            self._return(base, f"at {step:g} %: 95 of 100 checks took up to {shown}")

    def _return(self, base: str, why: str) -> None:
        self._deploy({base: 100}, RETURN + self._version)
        raise ProviderError(
            f"version {self._version} of Worker `{self._script}` failed {why}\n"
            f"  all traffic is back on version {base}\n"
            "  fix: correct the Worker and run `up` again"
        )

    def _deploy(self, shares: dict[str, float], message: str) -> str:
        text = message if message.startswith(RETURN) else f"rollout: {message}"
        made = deploy(self._operation, KIND, self._inputs["accountId"], self._script, shares, text)
        self._operation.say(message)
        return made


def _p95(times: list[float]) -> float:
    """The time within which 95 of 100 were answered."""
    return sorted(times)[max(0, math.ceil(len(times) * 0.95) - 1)]
