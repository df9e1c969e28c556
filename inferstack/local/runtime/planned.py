"""What should run: versions of Workers with their shares, hosts and routes, and the doors to what answers their bindings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack.local._store import Document
from inferstack.local.assets.services import VersionAssets
from inferstack.local.objects.state import Space
from inferstack.local.workflows.state import Flow


def key_of(account: str, script: str) -> str:
    """A Worker's name among those of all accounts."""
    return f"{account}/{script}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningVersion:
    """A version that takes a share of its Worker's traffic."""

    account: str
    script: str
    version: Document
    secrets: dict[str, str]
    percentage: float
    assets: VersionAssets | None = None
    tails: tuple[str, ...] = ()  # Workers that are told of its invocations
    drives: dict[str, Document] = field(default_factory=dict)  # databases that Hyperdrive leads to, by its id

    @property
    def service(self) -> str:
        return f"version-{self.version['id']}"

    @property
    def front(self) -> str:
        """The service that takes requests."""
        return f"{self.service}-router" if self.assets else self.service

    @property
    def has_code(self) -> bool:
        return bool(self.version["modules"])

    def target(self, entrypoint: str | None) -> str:
        """The service that a service binding reaches: a named entrypoint is the Worker's own."""
        stands_for_both = self.assets is not None and self.has_code and not entrypoint
        return f"{self.service}-proxy" if stands_for_both else self.service if self.has_code else self.front

    @property
    def key(self) -> str:
        return key_of(self.account, self.script)

    @property
    def binding(self) -> str:
        return "V_" + str(self.version["id"]).replace("-", "")

    @property
    def worker(self) -> str:
        """The binding that reaches its code, without the assets before it."""
        return f"W{self.binding}" if self.assets and self.has_code else self.binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What should run: versions, and which hosts and routes lead to which Worker, by `key_of`.

    `probe`: of a version that is tried alone, its exported classes can be asked for. `traced`: spans are told.
    """

    versions: list[RunningVersion]
    hosts: dict[str, str] = field(default_factory=dict)
    routes: list[dict[str, str]] = field(default_factory=list)
    spaces: list[Space] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    buckets: dict[str, list[str]] = field(default_factory=dict)  # account and name, by the hosts that serve them
    probe: bool = False
    traced: bool = False

    def spaces_of(self, account: str) -> list[Space]:
        return [space for space in self.spaces if space.account == account]

    def dispatched(self, account: str, binding: Document) -> dict[str, str]:
        """The services of the Workers in a binding's dispatch namespace, by their names there."""
        within = key_of(account, f"{binding['namespace']}/")
        return {
            running.key.removeprefix(within): running.front
            for running in sorted(self.versions, key=lambda each: each.percentage)
            if running.key.startswith(within)
        }

    def flow_of(self, account: str, name: str) -> Flow | None:
        return next((flow for flow in self.flows if (flow.account, flow.name) == (account, name)), None)

    def table(self) -> dict[str, Any]:
        scripts: dict[str, list[dict[str, Any]]] = {}
        for running in self.versions:
            entry = {"id": running.version["id"], "binding": running.binding, "percentage": running.percentage}
            entry["worker"] = running.worker
            scripts.setdefault(running.key, []).append(entry)
        flows = [flow.id for flow in self.flows]
        return {
            "scripts": scripts,
            "hosts": self.hosts,
            "routes": self.routes,
            "workflows": flows,
            "buckets": self.buckets,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Unix sockets of this project's own process and of the storage process; the folder of the simulators' modules.

    `objects` holds what Durable Objects store; without it they store in memory.
    """

    bindings: Path
    storage: Path
    simulators: Path
    objects: Path | None = None
