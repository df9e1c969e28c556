"""What takes a Worker's traffic, what did before, and who sent it back: read from the API, so that a cut-off run can go on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from inferstack.provider._api import Api
from inferstack.provider._resource import Operation, Properties

MESSAGE = "workers/message"
ROLLBACK, RETURN = "rollback by inferstack from ", "return by inferstack from "  # what a deployment says of itself


@dataclass(frozen=True, slots=True)
class Live:
    """What takes the traffic: percent by version; `base` is the version to go back to."""

    shares: dict[str, float]
    message: str
    deployment_id: str
    left: frozenset[str] = frozenset()  # versions that a person rolled back, and nobody put live since
    returned: frozenset[str] = frozenset()  # the same of those that failed their checks
    whole: tuple[str, ...] = ()  # versions that had all of the traffic, newest first
    created: str = ""

    @property
    def main(self) -> str:
        return max(self.shares, key=lambda version: self.shares[version])

    def base_for(self, candidate: str) -> str | None:
        """The last good version while `candidate` goes live; a rollout that was cut short has left its name."""
        named = re.search(r" from ([0-9a-f-]{36})$", self.message)
        if named and named[1] in self.shares and named[1] != candidate:
            return named[1]
        others = {version: share for version, share in self.shares.items() if version != candidate}
        return max(others, key=lambda version: others[version]) if others else None

    def before(self, candidate: str) -> str | None:
        """The version that had all of the traffic before `candidate`, leaving out what was sent back."""
        away = {candidate, *self.left, *self.returned}
        return next((version for version in self.whole if version not in away), None)

    def age(self) -> float:
        """Seconds since the newest deployment."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.created)).total_seconds() if self.created else 0.0


def live_of(operation: Operation, kind: str, account: str, script: str) -> Live | None:
    deployments = Api(operation, "read", kind, script).call("GET", _path(account, script))["result"]["deployments"]
    if not deployments:
        return None
    newest = deployments[0]
    return Live(
        shares={entry["version_id"]: float(entry["percentage"]) for entry in newest["versions"]},
        message=_message(newest),
        deployment_id=newest["id"],
        left=_sent_back(deployments, ROLLBACK),
        returned=_sent_back(deployments, RETURN),
        whole=tuple(version for deployment in deployments for version in _whole(deployment)),
        created=newest.get("created_on") or "",
    )


def deploy(operation: Operation, kind: str, account: str, script: str, shares: dict[str, float], message: str) -> str:
    """The id of the new deployment."""
    versions = [{"version_id": version, "percentage": share} for version, share in shares.items()]
    body = {"strategy": "percentage", "versions": versions, "annotations": {MESSAGE: message}}
    answer = Api(operation, "deploy", kind, script).call("POST", _path(account, script), body)
    return str(answer["result"]["id"])


def _path(account: str, script: str) -> str:
    return f"/accounts/{account}/workers/scripts/{script}/deployments"


def _message(deployment: Properties) -> str:
    return str((deployment.get("annotations") or {}).get(MESSAGE, ""))


def _whole(deployment: Properties) -> list[str]:
    return [entry["version_id"] for entry in deployment["versions"] if float(entry["percentage"]) == 100]


def _sent_back(deployments: list[Properties], mark: str) -> frozenset[str]:
    away: set[str] = set()
    for deployment in reversed(deployments):
        away -= set(_whole(deployment))
        if _message(deployment).startswith(mark):
            away.add(_message(deployment).removeprefix(mark))
    return frozenset(away)
