"""Workers and their immutable versions: rules, and what is deployed. Shapes and codes: facts `api.md`, `errors.json`."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now, uuid_id
from inferstack.local.assets.state import Assets
from inferstack.local.hyperdrive.state import BINDING as HYPERDRIVE
from inferstack.local.objects.declared import read_exports
from inferstack.local.objects.migrations import read as read_migrations
from inferstack.local.objects.state import NAMESPACE
from inferstack.local.wirings import WIRINGS
from inferstack.local.workers.secret_bindings import SECRETS, parted
from inferstack.local.workflows.state import BINDING as WORKFLOW

KIND, VERSION, DEPLOYMENT = "worker", "worker_version", "worker_deployment"
NAME = re.compile(r"^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$")
NO_WORKER = (404, 10007, "This Worker does not exist on your account.")
TAKEN = "A Worker named '{}' already exists on your account."
SAID = "worker_said"  # what was given of `observability`, by the Worker's id
OBSERVABILITY: Document = {"enabled": False, "head_sampling_rate": 1}
LOGS: Document = {
    "enabled": False,
    "head_sampling_rate": 1,
    "invocation_logs": True,
    "persist": True,
    "destinations": [],
}
TRACES: Document = {"enabled": False, "head_sampling_rate": 1, "persist": True}
# What each binding type needs beside name and type; a type that is not here cannot run offline.
BINDINGS: dict[str, tuple[str, ...]] = {
    **{kind: wiring.needs for kind, wiring in WIRINGS.items()},
    **dict.fromkeys(SECRETS, ()),
    "plain_text": ("text",),
    "json": ("json",),
    "service": ("service",),
    "assets": (),
    "dispatch_namespace": ("namespace",),
    "version_metadata": (),
    HYPERDRIVE: ("id",),
    NAMESPACE: (),
    WORKFLOW: ("workflow_name",),
}
DEPLOYABLE = 100  # versions; facts `peers.md`, gradual deployments
REFUSED_FLAGS = {"python_workers": "Python Workers", "experimental": "the compatibility flag `experimental`"}


class Workers:
    """The account's Workers; of another `kind`, those in its dispatch namespaces."""

    def __init__(self, store: Store, assets: Assets, kind: str = KIND, names: re.Pattern[str] = NAME) -> None:
        self._assets, self._kind, self._names = assets, kind, names
        self._store = store

    def list_all(self) -> list[Document]:
        return self._store.list_all(self._kind)

    def find(self, reference: str) -> Document | None:
        """By id or by name."""
        return self._store.get(self._kind, reference) or self._store.find(self._kind, name=reference)

    def observed(self, name: str) -> Document:
        """What is kept of a Worker's logs and traces, and where it goes to; nothing of one that is gone."""
        worker = self.find(name)
        found: Document = worker["observability"] if worker else {}
        return found

    def get(self, reference: str) -> Document:
        worker = self.find(reference)
        if worker is None:
            raise ApiError(*NO_WORKER)
        return worker

    def create(self, body: Document, owner: str | None) -> Document:
        name = self._name(body.get("name"))
        existing = self._store.find(self._kind, name=name)
        if existing:
            if owner and self._store.owner_of(self._kind, existing["id"]) == owner:
                return existing
            raise ApiError(409, 10040, TAKEN.format(name))
        stamps = {"id": hex_id(), "created_on": now(), "updated_on": now()}
        self._keep_said(stamps["id"], body)
        return self._store.put(
            self._kind, stamps["id"], {**stamps, **_shell(body), "deployed_on": None, "name": name}, owner
        )

    def update(self, reference: str, body: Document, merge: bool = False) -> Document:
        worker = self.get(reference)
        fields = _shell({**worker, **body} if merge else body)
        name = self._name(body.get("name") or worker["name"])
        if name != worker["name"] and self._store.find(self._kind, name=name):
            raise ApiError(409, 10040, TAKEN.format(name))
        if not merge or "observability" in body:
            self._keep_said(worker["id"], body)
        kept = {k: worker[k] for k in ("id", "created_on", "deployed_on")}
        return self._store.put(self._kind, worker["id"], {**kept, "updated_on": now(), **fields, "name": name})

    def _keep_said(self, worker_id: str, body: Document) -> None:
        self._store.put(SAID, worker_id, {"id": worker_id, "observability": body.get("observability")})

    def settings(self, worker: Document) -> Document:
        """Those of the Worker as the script API tells them: `observability` as it was said, and not where none was.

        By the steps with an empty plan in terraform-provider-cloudflare (workers_script/resource_test.go, v5.24,
        2026-08-20); the API of Workers fills it up instead.
        """
        shown = shown_settings(worker)
        said = self._store.get(SAID, worker["id"])
        if said is None:  # made before this was kept
            return shown
        del shown["observability"]
        return shown | ({"observability": said["observability"]} if said["observability"] else {})

    def delete(self, reference: str) -> Document:
        worker = self.get(reference)
        self._store.delete(SAID, worker["id"])
        for version_id in self._store.keys(VERSION, worker_id=worker["id"]):
            self._store.delete(VERSION, version_id)
            self._store.drop_secrets(version_id)
        for deployment_id in self._store.keys(DEPLOYMENT, worker_id=worker["id"]):
            self._store.delete(DEPLOYMENT, deployment_id)
        self._store.delete("worker_schedules", worker["name"])
        for kind in ("worker_route", "worker_domain"):
            for attached in self._store.list_all(kind):
                if worker["name"] in (attached.get("script"), attached.get("service")):
                    self._store.delete(kind, attached["id"])
        self._store.delete(self._kind, worker["id"])
        return worker

    def versions(self, worker_id: str) -> list[Document]:
        """Oldest first, without their modules: what was uploaded in a year is not read to tell what there is."""
        return self._store.outlines(VERSION, "modules", worker_id=worker_id)

    def bindings_of(self, version_id: str) -> list[Document]:
        """Of one version, by its id alone; none of one that is gone."""
        found = self._store.outlines(VERSION, "modules", id=version_id)
        return list(found[0]["bindings"]) if found else []

    def newest_version(self, worker_id: str) -> Document | None:
        return next(iter(self._store.newest(VERSION, worker_id=worker_id)), None)

    def version(self, worker_id: str, version_id: str) -> Document:
        version = self._store.get(VERSION, version_id)
        if version is None or version["worker_id"] != worker_id:
            raise ApiError(404, 100146, "version not found")
        return version

    def latest_version(self, worker_id: str) -> Document:
        version = self.newest_version(worker_id)
        if version is None:
            text = "This Worker has no versions, which means this Worker has no content or versioned settings."
            raise ApiError(404, 10222, text)
        return version

    def _next_number(self, worker_id: str) -> int:
        version = self.newest_version(worker_id)
        return int(version["number"]) + 1 if version else 1

    def prepare_version(self, worker: Document, body: Document, source: str) -> tuple[Document, dict[str, str]]:
        """A checked version that is not stored yet, and its secrets by binding name."""
        modules, main = body.get("modules") or [], body.get("main_module") or body.get("body_part")
        files_alone = not modules and body.get("assets")
        if not files_alone and all(m.get("name") != main for m in modules):
            raise ApiError(400, 10068, f"The main module {main!r} is not among the uploaded modules.")
        for module in modules:
            if str(module.get("content_type")).startswith("text/x-python"):
                raise ApiError(400, 10021, "Python Workers cannot run on the local Cloudflare")
        for flag in body.get("compatibility_flags") or []:
            if flag in REFUSED_FLAGS:
                raise ApiError(400, 10021, f"{REFUSED_FLAGS[flag]} cannot run on the local Cloudflare")
        bindings, secrets = self._bindings(worker, body.get("bindings") or [])
        number = self._next_number(worker["id"])
        version: Document = {"id": uuid_id(), "worker_id": worker["id"], "number": number, "created_on": now()}
        version |= {"source": source, "urls": [], "usage_model": body.get("usage_model") or "standard"}
        version |= {k: body[k] for k in ("annotations", "placement", "limits") if body.get(k)}
        if read_migrations(body.get("migrations")):
            version["migrations"] = body["migrations"]
        if exports := read_exports(body.get("exports")):
            if "migrations" in version:
                raise ApiError(400, 10021, "a version has `migrations` or `exports`, not both")
            version["exports"] = exports
        if body.get("compatibility_date"):
            version["compatibility_date"] = body["compatibility_date"]
        if "compatibility_flags" in body:
            version["compatibility_flags"] = body["compatibility_flags"]
        version |= {"bindings": bindings, "main_module": main, "modules": modules}
        version |= {"body_part": main} if main and not body.get("main_module") else {}
        version |= self._version_assets(version["id"], body.get("assets"), bindings)
        version["etag"] = hashlib.sha256(repr(modules).encode()).hexdigest()
        return version, secrets

    def _version_assets(self, version_id: str, given: Any, bindings: list[Document]) -> Document:
        """`session` instead of `jwt`: of the version before."""
        if not given:
            if any(binding["type"] == "assets" for binding in bindings):
                raise ApiError(400, 10021, "a binding of type assets needs `assets` in the upload")
            return {}
        if not isinstance(given, dict):
            raise ApiError(400, 10021, "`assets` must be an object")
        return {"assets": given if given.get("session") else self._assets.use(given, version_id)}

    def _bindings(self, worker: Document, given: list[Document]) -> tuple[list[Document], dict[str, str]]:
        kept: list[Document] = []
        secrets: dict[str, str] = {}
        for binding in given:
            name, kind = binding.get("name"), binding.get("type")
            if "\0" in str(name):  # a secret's value reaches workerd as a variable of that name
                raise ApiError(400, 10021, f"binding {name!r}: its name has a zero character")
            if kind == "inherit":
                source = self.newest_version(worker["id"]) or {"bindings": [], "id": ""}
                wanted = binding.get("old_name", name)
                found = next((b for b in source["bindings"] if b["name"] == wanted), None)
                if found is None:
                    raise ApiError(400, 10057, f"inherit binding {name} refers to a binding the previous version lacks")
                kept.append({**found, "name": name})
                if found["type"] in SECRETS:
                    secrets[str(name)] = self._store.secrets(source["id"])[str(wanted)]
                continue
            if kind not in BINDINGS:
                raise ApiError(400, 10021, f"binding {name} of type {kind} cannot run on the local Cloudflare")
            for field in BINDINGS[kind]:
                if binding.get(field) is None:
                    raise ApiError(400, 10021, f"binding {name} of type {kind} must have a valid `{field}` specified")
            if binding.get("outbound"):
                text = f"binding {name}: an outbound Worker of a dispatch namespace cannot run on the local Cloudflare"
                raise ApiError(400, 10021, text)
            if kind == "d1" and not (binding.get("id") or binding.get("database_id")):
                raise ApiError(400, 10021, f"binding {name} of type d1 must have a valid `id` specified")
            if kind == NAMESPACE and not (binding.get("class_name") or binding.get("namespace_id")):
                raise ApiError(400, 10021, f"binding {name} of type {kind} must have a valid `class_name` specified")
            if kind in SECRETS:
                binding, secrets[str(name)] = parted(binding)
            kept.append(binding)
        return sorted(kept, key=lambda b: str(b["name"])), secrets

    def add_version(self, version: Document, secrets: dict[str, str], owner: str | None) -> Document:
        for name, value in secrets.items():
            self._store.set_secret(version["id"], name, value)
        # Again: between the check and now others of this Worker may have been stored.
        version["number"] = self._next_number(version["worker_id"])
        return self._store.put(VERSION, version["id"], version, owner)

    def learn(self, version: Document, known: Document) -> Document:
        """Something that is found out about a version that is there; it still is the same."""
        return self._store.put(VERSION, version["id"], {**version, **known})

    def same_version(self, worker: Document, owner: str | None) -> Document | None:
        """The newest version, if this very request made it (its answer was lost)."""
        version = self.newest_version(worker["id"]) if owner else None
        return version if version and self._store.owner_of(VERSION, version["id"]) == owner else None

    def secrets_of(self, version_id: str) -> dict[str, str]:
        return self._store.secrets(version_id)

    def deployments(self, worker_id: str) -> list[Document]:
        """Newest first; the first one is live."""
        return self._store.newest(DEPLOYMENT, -1, worker_id=worker_id)

    def live(self, worker_id: str) -> Document | None:
        return next(iter(self._store.newest(DEPLOYMENT, worker_id=worker_id)), None)

    def deployment(self, worker_id: str, deployment_id: str) -> Document:
        deployment = self._store.get(DEPLOYMENT, deployment_id)
        if deployment is None or deployment["worker_id"] != worker_id:
            raise ApiError(404, 10336, "deployment not found")
        return deployment

    def delete_deployment(self, worker_id: str, deployment_id: str) -> None:
        deployment, live = self.deployment(worker_id, deployment_id), self.live(worker_id)
        if live and live["id"] == deployment["id"]:
            raise ApiError(400, 10021, "the deployment is live: deploy another version first")
        self._store.delete(DEPLOYMENT, deployment["id"])

    def delete_version(self, worker_id: str, version_id: str) -> None:
        version, live = self.version(worker_id, version_id), self.live(worker_id)
        if live and any(entry["version_id"] == version["id"] for entry in live["versions"]):
            raise ApiError(400, 10021, "the version is live: deploy another one first")
        self._store.delete(VERSION, version["id"])
        self._store.drop_secrets(version["id"])

    def prepare_deployment(self, worker: Document, body: Document, owner: str | None) -> tuple[Document, bool]:
        """A checked deployment, and whether it is new."""
        live = self.live(worker["id"])
        if owner and live and self._store.owner_of(DEPLOYMENT, live["id"]) == owner:
            return live, False
        versions = body.get("versions")
        if not isinstance(versions, list) or not 1 <= len(versions) <= 2:
            raise ApiError(400, 10021, "a deployment has one or two versions")
        deployable = self._store.keys(VERSION, DEPLOYABLE, worker_id=worker["id"])
        for entry in versions:
            wanted = self.version(worker["id"], str(entry.get("version_id")))["id"]
            if wanted not in deployable:
                raise ApiError(
                    400, 10021, f"version {wanted} is not among the last {DEPLOYABLE} and cannot be deployed"
                )
        if round(sum(float(v["percentage"]) for v in versions), 2) != 100:
            raise ApiError(400, 10021, "the percentages of a deployment must add up to 100")
        deployment: Document = {"id": uuid_id(), "worker_id": worker["id"], "created_on": now(), "source": "api"}
        deployment |= {"author_email": "local@example.com", "strategy": "percentage", "versions": versions}
        return deployment | ({"annotations": body["annotations"]} if body.get("annotations") else {}), True

    def add_deployment(self, worker: Document, deployment: Document, owner: str | None) -> Document:
        self._store.put(DEPLOYMENT, deployment["id"], deployment, owner)
        self._store.put(self._kind, worker["id"], worker | {"deployed_on": deployment["created_on"]})
        return deployment

    def _name(self, given: Any) -> str:
        if not isinstance(given, str) or not self._names.fullmatch(given):
            text = f"Worker name {str(given)[:80]!r} is invalid: lower case letters, digits, - and _, 1 to 63"
            raise ApiError(400, 10016, text)
        return given


def shown_settings(worker: Document) -> Document:
    """Those that are the Worker's, not a version's."""
    return {k: worker[k] for k in ("logpush", "observability", "tags", "tail_consumers")}


def _shell(body: Document) -> Document:
    observability: Any = body.get("observability") or {}
    shown: Document = OBSERVABILITY | {k: v for k, v in observability.items() if k not in ("logs", "traces")}
    shown["logs"] = LOGS | (observability.get("logs") or {})
    shown["traces"] = TRACES | (observability.get("traces") or {})
    subdomain = {"enabled": False, "previews_enabled": False} | (body.get("subdomain") or {})
    references: Document = {
        "dispatch_namespace_outbounds": [],
        "domains": [],
        "durable_objects": [],
        "queues": [],
        "workers": [],
    }
    return {
        "logpush": bool(body.get("logpush")),
        "tags": body.get("tags") or [],
        "tail_consumers": body.get("tail_consumers") or [],
        "observability": shown,
        "subdomain": subdomain,
        "references": references,
    }
