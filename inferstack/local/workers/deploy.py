"""What an upload or a deployment does to the data plane: checked in workerd first, live before it is acknowledged."""

from __future__ import annotations

import re

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store
from inferstack.local.assets.state import Assets
from inferstack.local.objects.changes import Change, Changes
from inferstack.local.objects.state import Spaces
from inferstack.local.runtime.capnp import Plan, RunningVersion, key_of
from inferstack.local.runtime.process import StartError
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.workers.state import DEPLOYMENT, Workers

SUBDOMAIN = ("account", "workers_subdomain")


class Deployer:
    """Joins the state of the Workers to the running process."""

    def __init__(
        self, store: Store, workers: Workers, assets: Assets, spaces: Spaces, account_id: str, subdomain: str
    ) -> None:
        self._store, self._workers, self._account, self._subdomain = store, workers, account_id, subdomain
        self._assets, self.spaces, self._changes = assets, spaces, Changes(spaces, account_id)
        self.supervisor: Supervisor | None = None

    @property
    def subdomain(self) -> str:
        return str((self._store.get(*SUBDOMAIN) or {"subdomain": self._subdomain})["subdomain"])

    def plan(self) -> Plan:
        versions: list[RunningVersion] = []
        hosts: dict[str, str] = {}
        for worker in self._workers.list_all():
            live = self._workers.live(worker["id"])
            for entry in live["versions"] if live else []:
                version = self._workers.version(worker["id"], entry["version_id"])
                versions.append(self._running(worker, version, float(entry["percentage"])))
            if live and worker["subdomain"]["enabled"]:
                hosts[f"{worker['name']}.{self.subdomain}.localhost"] = self._key(worker["name"])
        hosts |= {d["hostname"]: self._key(d["service"]) for d in self._store.list_all("worker_domain")}
        routes = [r for r in self._store.list_all("worker_route") if r.get("script")]
        patterns = [{"regex": _pattern(r["pattern"]), "script": self._key(r["script"])} for r in routes]
        return Plan(versions=versions, hosts=hosts, routes=patterns, spaces=self.spaces.all())

    def _key(self, script: str) -> str:
        return key_of(self._account, script)

    def _running(self, worker: Document, version: Document, percentage: float) -> RunningVersion:
        return self._with_assets(worker, version, self._workers.secrets_of(version["id"]), percentage)

    def _with_assets(
        self, worker: Document, version: Document, secrets: dict[str, str], percentage: float
    ) -> RunningVersion:
        return RunningVersion(
            account=self._account,
            script=worker["name"],
            version=version,
            secrets=secrets,
            percentage=percentage,
            assets=self._assets.of_version(version),
        )

    async def add_version(self, worker: Document, body: Document, owner: str | None, source: str = "api") -> Document:
        """Start the version once beside the live ones; one that does not start is refused with workerd's own words."""
        same = self._workers.same_version(worker, owner)
        if same:
            return same
        version, secrets = self._workers.prepare_version(worker, body, source)
        running = self._with_assets(worker, version, secrets, 100)
        if self.supervisor is not None:
            probe = bool(version["modules"]) and self._changes.concern(worker, version)
            plan = Plan(versions=[running], spaces=self._changes.rehearsed(worker, version), probe=probe)
            try:
                classes = await self.supervisor.check(plan)
            except StartError as error:
                raise ApiError(400, 10021, _validator_text(str(error))) from None
            if probe:
                version["classes"] = sorted(classes)
                self._changes.check(worker, [version])
        return self._workers.add_version(self._changes.resolved(worker, version), secrets, owner)

    async def deploy(self, worker: Document, body: Document, owner: str | None) -> Document:
        deployment, new = self._workers.prepare_deployment(worker, body, owner)
        if new:
            wanted = [self._workers.version(worker["id"], entry["version_id"]) for entry in deployment["versions"]]
            change = self._changes.check(worker, wanted)
            self._refuse_bound(worker, change)
            self._workers.add_deployment(worker, deployment, owner)
            await self._change(worker, change, deployment)
        return deployment

    async def _change(self, worker: Document, change: Change, deployment: Document) -> None:
        """Live before it is acknowledged. Objects of a deleted class go last: nothing has them open then."""
        undo = self._changes.apply(worker, change)
        try:
            await self.refresh()
        except ApiError:
            self._store.delete(DEPLOYMENT, deployment["id"])
            undo()
            raise
        self.spaces.drop(change.gone)

    async def delete(self, reference: str, force: bool) -> None:
        """A Worker, and the objects of its classes."""
        worker = self._workers.get(reference)
        gone = {space.id for space in self.spaces.of(worker["name"])}
        others = [] if force else self._bound_to(worker, gone)
        if others:
            text = f"Worker {worker['name']!r} has Durable Objects that are bound by: {', '.join(others)}; "
            raise ApiError(400, 10064, text + "deploy those without the binding first, or delete with force=true")
        self._workers.delete(worker["id"])
        self._changes.forget(worker)
        await self.refresh()
        self.spaces.drop(gone)

    def _refuse_bound(self, worker: Document, change: Change) -> None:
        """A class goes only when no other Worker is bound to it, as was seen with Cloudflare (mcp-server-cloudflare#387)."""
        for space in self.spaces.of(worker["name"]):
            others = self._bound_to(worker, {space.id} & change.gone)
            if others:
                text = f"Cannot apply --delete-class migration to class '{space.class_name}' without also removing the "
                raise ApiError(400, 10061, f"{text}binding that references it. It is bound by: {', '.join(others)}")

    def _bound_to(self, worker: Document, ids: set[str]) -> list[str]:
        if not ids:
            return []
        live = self.plan().versions
        users = {r.script for r in live if r.script != worker["name"] and ids & self._changes.used(r.script, r.version)}
        return sorted(users)

    async def refresh(self) -> None:
        """Bring the process in line with the state."""
        if self.supervisor is not None:
            try:
                await self.supervisor.apply()
            except StartError as error:
                raise ApiError(400, 10021, _validator_text(str(error))) from None


def _pattern(pattern: str) -> str:
    """A route pattern (`example.com/api/*`) as a regular expression over host and path."""
    bare = re.sub(r"^https?://", "", pattern)
    return "^" + ".*".join(re.escape(part) for part in bare.split("*")) + "$"


def _validator_text(said: str) -> str:
    """workerd's message without the names that this project gives to services and files."""
    return re.sub(r"service version-[0-9a-f-]+: ", "", said)
