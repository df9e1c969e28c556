"""What an upload or a deployment does to the data plane: checked in workerd first, live before it is acknowledged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store
from inferstack.local.assets.state import Assets
from inferstack.local.hyperdrive.state import Hyperdrives
from inferstack.local.objects.changes import Change, Changes
from inferstack.local.objects.state import Spaces
from inferstack.local.r2.domains import public_hosts
from inferstack.local.runtime.planned import Plan, RunningVersion, key_of
from inferstack.local.runtime.process import StartError
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.workers.state import DEPLOYMENT, Workers
from inferstack.local.workflows.instances import Instances
from inferstack.local.workflows.rules import CLASSES, Rules
from inferstack.local.workflows.state import Flow, Flows

SUBDOMAIN = ("account", "workers_subdomain")


@dataclass(frozen=True, slots=True)
class State:
    """What an account has of all that a deployment touches."""

    store: Store
    workers: Workers
    assets: Assets
    spaces: Spaces
    flows: Flows
    drives: Hyperdrives


class Deployer:
    """Joins the state of the Workers to the running process."""

    def __init__(
        self,
        state: State,
        instances: Instances,
        account_id: str,
        subdomain: str,
        beside: Callable[[], list[RunningVersion]] = list,
    ) -> None:
        """`beside`: what runs, too, and has no address: Workers in dispatch namespaces."""
        self._beside = beside
        self._store, self._workers, self._account, self._subdomain = state.store, state.workers, account_id, subdomain
        self._assets, self.spaces, self._changes = state.assets, state.spaces, Changes(state.spaces, account_id)
        self.flows, self._rules = state.flows, Rules(state.flows, instances)
        self._drives = state.drives
        self.supervisor: Supervisor | None = None

    @property
    def subdomain(self) -> str:
        return str((self._store.get(*SUBDOMAIN) or {"subdomain": self._subdomain})["subdomain"])

    def plan(self) -> Plan:
        versions = [*self.running(), *self._beside()]
        named = [worker["name"] for worker in self._workers.list_all() if worker["subdomain"]["enabled"]]
        live = {running.script for running in versions}
        hosts = {f"{name}.{self.subdomain}.localhost": self._key(name) for name in named if name in live}
        hosts |= {d["hostname"]: self._key(d["service"]) for d in self._store.list_all("worker_domain")}
        routes = [r for r in self._store.list_all("worker_route") if r.get("script")]
        patterns = [{"regex": _pattern(r["pattern"]), "script": self._key(r["script"])} for r in routes]
        flows = runnable(self.flows.all(), versions)
        buckets = {host: [self._account, name] for host, name in public_hosts(self._store).items()}
        spaces = self.spaces.all()
        return Plan(versions=versions, hosts=hosts, routes=patterns, spaces=spaces, flows=flows, buckets=buckets)

    def running(self) -> list[RunningVersion]:
        """What its Workers' deployments send requests to."""
        return [
            self._running(worker, self._workers.version(worker["id"], entry["version_id"]), float(entry["percentage"]))
            for worker in self._workers.list_all()
            if (live := self._workers.live(worker["id"]))
            for entry in live["versions"]
        ]

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
            drives=self._drives.of_version(version),
            tails=tuple(each.get("service") or each.get("name") for each in worker["tail_consumers"]),
        )

    async def add_version(self, worker: Document, body: Document, owner: str | None, source: str = "api") -> Document:
        """Start the version once beside the live ones; one that does not start is refused with workerd's own words."""
        same = self._workers.same_version(worker, owner)
        if same:
            return same
        version, secrets = self._workers.prepare_version(worker, body, source)
        running = self._with_assets(worker, version, secrets, 100)
        if self.supervisor is not None:
            concerned = self._changes.concern(worker, version) or self._rules.concern(worker, version)
            version |= await self._rehearse(worker, running, bool(version["modules"]), concerned)
            if concerned and "classes" in version:
                self._changes.check(worker, [version])
            self._rules.check_bindings(worker, version, {each["name"] for each in self._workers.list_all()})
        return self._workers.add_version(self._changes.resolved(worker, version), secrets, owner)

    async def _rehearse(self, worker: Document, running: RunningVersion, probe: bool, needed: bool) -> Document:
        """What the version exports, if it is asked for; unless it is `needed`, a Worker that cannot tell may pass."""
        assert self.supervisor is not None
        plan = Plan(versions=[running], spaces=self._changes.rehearsed(worker, running.version), probe=probe)
        try:
            exported = await self.supervisor.check(plan)
        except StartError as error:
            if probe and not needed:
                return await self._rehearse(worker, running, False, False)
            raise ApiError(400, 10021, _validator_text(str(error))) from None
        if not probe:
            return {}
        found: Document = {"handlers": list(exported.handlers), "named_handlers": list(exported.named)}
        return found | {"classes": sorted(exported.objects), CLASSES: sorted(exported.workflows)}

    async def _learned(self, worker: Document, version: Document) -> Document:
        """With the classes that it exports: no workflow may have asked for them when it was uploaded."""
        if CLASSES in version or not version["modules"] or self.supervisor is None:
            return version
        found = await self._rehearse(worker, self._running(worker, version, 100), True, True)
        return self._workers.learn(version, {CLASSES: found[CLASSES]})

    async def save_workflow(self, document: Document) -> None:
        """A workflow, new or changed, is live before it is acknowledged. Raises `ApiError`."""
        worker = self._workers.get(document["script_name"])
        live, class_name = self._workers.live(worker["id"]), document["class_name"]
        ids = [entry["version_id"] for entry in live["versions"]] if live else []
        ids = ids or [self._workers.latest_version(worker["id"])["id"]]
        for version_id in ids:
            version = await self._learned(worker, self._workers.version(worker["id"], version_id))
            if self.supervisor is not None and class_name not in version.get(CLASSES, []):
                text = f"Worker '{worker['name']}' does not export the class '{class_name}' as a WorkflowEntrypoint."
                raise ApiError(400, 10021, text)
        before = self.flows.find(document["name"])
        self.flows.put(document)
        try:
            await self.refresh()
        except ApiError:
            if before is None:
                self.flows.remove(document["name"])
            else:
                self.flows.put(before)
            raise

    async def remove_workflow(self, document: Document) -> None:
        """With its instances, whatever they do, as Cloudflare does."""
        self.flows.remove(document["name"])
        await self.refresh()
        self.flows.drop(document["id"])

    async def deploy(self, worker: Document, body: Document, owner: str | None) -> Document:
        deployment, new = self._workers.prepare_deployment(worker, body, owner)
        if new:
            wanted = [self._workers.version(worker["id"], entry["version_id"]) for entry in deployment["versions"]]
            change = self._changes.check(worker, wanted)
            self._refuse_bound(worker, change)
            if self.flows.of(worker["name"]):
                wanted = [await self._learned(worker, version) for version in wanted]
                await self._rules.check_deployment(worker, wanted)
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
        if not force:
            await self._rules.check_delete(worker)
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


def everything(version: Document) -> Document:
    """A deployment that sends all traffic to one version."""
    return {"strategy": "percentage", "versions": [{"percentage": 100, "version_id": version["id"]}]}


def runnable(flows: list[Flow], versions: list[RunningVersion]) -> list[Flow]:
    """Those whose class the version with the most traffic exports: another would not start at all."""
    main = {running.script: running for running in sorted(versions, key=lambda each: each.percentage)}
    classes = {script: running.version.get(CLASSES) or [] for script, running in main.items()}
    return [flow for flow in flows if flow.class_name in classes.get(flow.script, [])]


def _pattern(pattern: str) -> str:
    """A route pattern (`example.com/api/*`) as a regular expression over host and path."""
    bare = re.sub(r"^https?://", "", pattern)
    return "^" + ".*".join(re.escape(part) for part in bare.split("*")) + "$"


def _validator_text(said: str) -> str:
    """workerd's message without the names that this project gives to services and files."""
    return re.sub(r"service version-[0-9a-f-]+: ", "", said)
