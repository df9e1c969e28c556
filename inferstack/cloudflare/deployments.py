"""Deployments of Workers: what takes the traffic, what did before, and who sent it back.

Each deployment carries a message, and that is the only memory there is: a run that was cut off goes on from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MESSAGE = "workers/message"
ROLLBACK, RETURN = "rollback by inferstack from ", "return by inferstack from "  # by a person; by failed checks


@dataclass(frozen=True, slots=True)
class Deployment:
    """What took the traffic from a moment on: percent by version."""

    identifier: str
    created: str
    shares: dict[str, float]
    message: str
    author: str

    @property
    def main(self) -> str:
        return max(self.shares, key=lambda version: self.shares[version])

    @property
    def whole(self) -> str | None:
        """The version that had all of the traffic."""
        return next((version for version, share in self.shares.items() if share == 100), None)

    @property
    def left(self) -> str | None:
        """The version that was left by this deployment, by a person or by failed checks."""
        mark = next((mark for mark in (ROLLBACK, RETURN) if self.message.startswith(mark)), None)
        return self.message.removeprefix(mark) if mark else None

    @property
    def by_person(self) -> bool:
        return self.message.startswith(ROLLBACK)

    @property
    def by_checks(self) -> bool:
        return self.message.startswith(RETURN)


def deployments_path(account: str, script: str) -> str:
    return f"/accounts/{account}/workers/scripts/{script}/deployments"


def deployments_of(result: Mapping[str, Any]) -> list[Deployment]:
    """Of the API's answer, newest first."""
    return [
        Deployment(
            identifier=entry.get("id", ""),
            created=entry.get("created_on") or "",
            shares={version["version_id"]: float(version["percentage"]) for version in entry["versions"]},
            message=str((entry.get("annotations") or {}).get(MESSAGE, "")),
            author=entry.get("author_email") or "",
        )
        for entry in result["deployments"]
    ]


def deployment_body(shares: Mapping[str, float], message: str) -> dict[str, Any]:
    versions = [{"version_id": version, "percentage": share} for version, share in shares.items()]
    return {"strategy": "percentage", "versions": versions, "annotations": {MESSAGE: message}}


@dataclass(frozen=True, slots=True)
class Traffic:
    """A Worker's deployments, newest first; there is at least one."""

    deployments: tuple[Deployment, ...]

    @property
    def newest(self) -> Deployment:
        return self.deployments[0]

    @property
    def shares(self) -> dict[str, float]:
        return self.newest.shares

    @property
    def rolled_back(self) -> frozenset[str]:
        """Versions that a person rolled back, and nobody put live since."""
        return self._left(ROLLBACK)

    @property
    def returned(self) -> frozenset[str]:
        """The same of those that failed their checks."""
        return self._left(RETURN)

    def _left(self, mark: str) -> frozenset[str]:
        away: set[str] = set()
        for deployment in reversed(self.deployments):
            away.discard(deployment.whole or "")
            if deployment.message.startswith(mark):
                away.add(deployment.message.removeprefix(mark))
        return frozenset(away)

    def base_for(self, candidate: str) -> str | None:
        """The last good version while `candidate` goes live; a rollout that was cut short has left its name."""
        named = re.search(r" from ([0-9a-f-]{36})$", self.newest.message)
        if named and named[1] in self.shares and named[1] != candidate:
            return named[1]
        others = {version: share for version, share in self.shares.items() if version != candidate}
        return max(others, key=lambda version: others[version]) if others else None

    def before(self, candidate: str) -> str | None:
        """The version that had all of the traffic before `candidate`, leaving out what was sent back."""
        away = {candidate, *self.rolled_back, *self.returned}
        return next((d.whole for d in self.deployments if d.whole and d.whole not in away), None)

    def age(self) -> float:
        """Seconds since the newest deployment."""
        created = self.newest.created
        return (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds() if created else 0.0
