"""workerd's configuration as Cap'n Proto text: one service per Worker version, one external per binding.

Facts: `dataplane.md` §3 and §8. Secrets are read from the environment of the process, so they never reach the disk here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferstack.local._store import Document
from inferstack.local.ai_search import services as ai_search
from inferstack.local.assets.services import place_modules, services
from inferstack.local.dispatch import services as dispatch
from inferstack.local.hyperdrive.state import BINDING as HYPERDRIVE
from inferstack.local.hyperdrive.state import NOWHERE
from inferstack.local.objects import services as objects
from inferstack.local.objects.state import NAMESPACE, find_space
from inferstack.local.queues import services as queues
from inferstack.local.runtime import cache_urls
from inferstack.local.runtime.literals import joined, literal
from inferstack.local.runtime.planned import Doors, Plan, RunningVersion, key_of
from inferstack.local.tails.consumers import without_loops
from inferstack.local.wirings import WIRINGS
from inferstack.local.workers.secret_bindings import KEY, crypto_key
from inferstack.local.workflows import services as workflows
from inferstack.local.workflows.state import BINDING as WORKFLOW

SYSTEM = Path(__file__).parent / "system.js"
SYSTEM_DATE = "2026-06-01"
MAIL = "cloudflare-internal:email"  # what `cloudflare:email` of workerd hands on
HOME = Path(__file__).parents[1]
CACHE = "cache"  # the kind of what `caches` reaches
OLDEST_DATE = "2021-11-02"  # what Cloudflare assumes when a Worker names no compatibility date
MODULE_KINDS = {
    "application/javascript+module": "esModule",
    "text/javascript+module": "esModule",
    "application/javascript": "commonJsModule",
    "text/javascript": "commonJsModule",
    "application/wasm": "wasm",
    "text/plain": "text",
    "application/octet-stream": "data",
    "application/json": "json",
}


def _json(value: Any) -> str:
    """The provider gives JSON as text, wrangler as it is."""
    return value if isinstance(value, str) else json.dumps(value)


class Config:
    """Writes a plan to a folder: `config.capnp` and the module files; `environment` holds the secrets."""

    def __init__(self, folder: Path, doors: Doors, dispatch_socket: Path | None) -> None:
        self._folder, self._doors, self._dispatch = folder, doors, dispatch_socket
        self._services: list[str] = []
        self._known: dict[str, str] = {}
        self.http_socket, self.probe_socket = folder / "http.sock", folder / "probe.sock"
        self.probes = False  # it has a socket where the probe answers
        self._plan = Plan(versions=[])
        self._main: dict[str, RunningVersion] = {}
        self._consumers: dict[str, list[str]] = {}
        self._queues: dict[str, list[str]] = {}  # services of queues, by account, that Workers send to in traces
        self.environment: dict[str, str] = {}

    def write(self, plan: Plan) -> Path:
        self._folder.mkdir(parents=True)
        self._external("egress", {"kind": "egress", "id": ""}, self._doors.bindings)
        self._external("tail", {"kind": "tail"}, self._doors.bindings)
        self._external("traces", {"kind": "traces"}, self._doors.bindings)
        self._external("public", {"kind": "r2_public"}, self._doors.bindings)
        for account in sorted({running.account for running in plan.versions}):
            self._external(f"cache-{account}", {"kind": CACHE, "id": account}, self._doors.storage)
        for account in sorted({running.account for running in plan.versions if cache_urls.writes_old(running.version)}):
            self._services.append(cache_urls.older(account, self._folder))
        self._plan, self._main = plan, {r.key: r for r in sorted(plan.versions, key=lambda r: r.percentage)}
        self._consumers = {key: [key_of(r.account, name) for name in r.tails] for key, r in self._main.items()}
        kinds = {binding["type"] for r in plan.versions for binding in r.version["bindings"]}
        if NAMESPACE in kinds or plan.spaces or plan.flows:
            self._services += objects.shared(self._folder, self._doors.objects)
        if kinds & set(ai_search.KINDS):
            self._external(ai_search.DOOR, {}, self._doors.bindings)
            self._services.append(ai_search.place_front(self._folder))
        wrapping = self._workflows(plan) if WORKFLOW in kinds or plan.flows else []
        if any(running.assets for running in plan.versions):
            place_modules(self._folder, self._doors.simulators)
        for running in plan.versions:
            if running.has_code:
                self._worker(running)
            if running.assets:
                self._services += services(running.service, running.assets, running.version, self._folder)
        self._services += queues.senders(self._queues, self._folder)
        self._services.append('(name = "internet", network = (allow = []))')
        self._system(plan)
        http = literal(f"unix:{self.http_socket}")
        sockets = [f'(name = "http", address = {http}, http = (), service = "system")']
        if self._dispatch:
            service = '(name = "system", entrypoint = "dispatcher")'
            address = literal(f"unix:{self._dispatch}")
            sockets.append(f'(name = "dispatch", address = {address}, http = (), service = {service})')
        self.probes = plan.probe and self._probe(plan.versions[0])
        if self.probes:
            address = literal(f"unix:{self.probe_socket}")
            sockets.append(f'(name = "probe", address = {address}, http = (), service = "{objects.PROBE}")')
        text = 'using Workerd = import "/workerd/workerd.capnp";\n'
        text += f"const config :Workerd.Config = (\n  services = [\n    {joined(self._services)}\n  ],\n"
        text += f"  sockets = [\n    {joined(sockets)}\n  ],\n"
        modules = [*self._own_modules(), *wrapping]
        text += f"  extensions = [(modules = [{joined(modules)}])]\n);\n"
        file = self._folder / "config.capnp"
        file.write_text(text)
        return file

    def _own_modules(self) -> list[str]:
        """Extensions of this project's own, and their files."""
        ours = {wiring.module: wiring.file for wiring in WIRINGS.values() if wiring.file} | {
            MAIL: "mail/email_message.js",
            dispatch.MODULE: dispatch.FILE,
        }
        files = {module: Path(file).name for module, file in ours.items()}
        for module, name in ours.items():
            home = HOME if "/" in name else HOME / "runtime"
            (self._folder / files[module]).write_bytes((home / name).read_bytes())
        return [f'(name = "{module}", esModule = embed "{file}", internal = true)' for module, file in files.items()]

    def _workflows(self, plan: Plan) -> list[str]:
        """Their services; returns the extensions that they need. One whose class is not there is left out of the plan."""
        self._services.append(workflows.gone())
        disk = objects.DISK if self._doors.objects is not None else None
        for flow in plan.flows:
            owner = self._main[key_of(flow.account, flow.script)].service
            self._services += workflows.services(flow, owner, disk, plan.traced)
        return workflows.place_modules(self._folder, self._doors.simulators)

    def _system(self, plan: Plan) -> None:
        (self._folder / "system.js").write_bytes(SYSTEM.read_bytes())
        bindings = [f"(name = {literal(r.binding)}, service = {literal(r.front)})" for r in plan.versions]
        with_both = [r for r in plan.versions if r.assets and r.has_code]
        bindings += [f"(name = {literal(f'W{r.binding}')}, service = {literal(r.service)})" for r in with_both]
        bindings.append('(name = "TAIL", service = "tail")')
        bindings.append('(name = "TRACES", service = "traces")')
        bindings.append('(name = "PUBLIC", service = "public")')
        fronts = [(f"F_{flow.id}", workflows.front_of(flow)) for flow in plan.flows]
        bindings += [f"(name = {literal(name)}, service = {literal(front)})" for name, front in fronts]
        bindings.append(f'(name = "TABLE", json = {literal(json.dumps(plan.table()))})')
        self._services.append(
            '(name = "system", worker = (modules = [(name = "system.js", esModule = embed "system.js")], '
            f'compatibilityDate = "{SYSTEM_DATE}", compatibilityFlags = ["service_binding_extra_handlers"], '
            f'bindings = [{joined(bindings)}], globalOutbound = "egress"))'
        )

    def _worker(self, running: RunningVersion) -> None:
        owner = self._main[running.key] is running
        spaces = [space for space in self._plan.spaces if key_of(space.account, space.script) == running.key]
        about: dict[str, Any] = {"account": running.account, "script": running.script, "version": running.version["id"]}
        targets = [self._main.get(key) for key in without_loops(running.key, self._consumers)]
        about["tails"] = [each.worker for each in targets if each is not None and each.has_code]
        props = f"props = (json = {literal(json.dumps(about))})"
        tails = f'tails = [(name = "system", entrypoint = "tailer", {props})]'
        if self._plan.traced:
            tails += f', streamingTails = [(name = "system", entrypoint = "tracer", {props})]'
        extra = objects.owned(spaces if owner else [], self._doors.objects is not None)
        self._services.append(
            f"(name = {literal(running.service)}, "
            f"worker = ({self._code(running.version)}, {self._settings(running)}{extra}, {tails}))"
        )

    def _probe(self, running: RunningVersion) -> bool:
        """The same modules and bindings behind a main module that tells what they export; False when nothing can."""
        module = objects.probe_module(running.version, self._folder)
        if module is None:
            return False
        modules = joined([module, *self._modules(running.version)])
        self._services.append(
            f"(name = {literal(objects.PROBE)}, worker = (modules = [{modules}], {self._settings(running)}))"
        )
        return True

    def _settings(self, running: RunningVersion) -> str:
        """Made once: a probe has the same, and the services behind the bindings must not come twice."""
        if running.service not in self._known:
            version = running.version
            bindings = [self._binding(running, binding) for binding in version["bindings"]]
            flags = ", ".join(literal(flag) for flag in version.get("compatibility_flags") or [])
            self._known[running.service] = (
                f"compatibilityDate = {literal(version.get('compatibility_date') or OLDEST_DATE)}, "
                f'compatibilityFlags = [{flags}], bindings = [{joined(bindings)}], globalOutbound = "egress", '
                f"cacheApiOutbound = {literal(cache_urls.cache_of(running.account, version))}"
            )
        return self._known[running.service]

    def _code(self, version: Document) -> str:
        if not version.get("body_part"):
            return f"modules = [{joined(self._modules(version))}]"
        script = next(module for module in version["modules"] if module["name"] == version["body_part"])
        file = f"{version['id']}-script"
        (self._folder / file).write_bytes(base64.b64decode(script["content_base64"]))
        return f"serviceWorkerScript = embed {literal(file)}"

    def _modules(self, version: Document) -> Iterable[str]:
        ordered = sorted(version["modules"], key=lambda m: m["name"] != version["main_module"])
        for place, module in enumerate(ordered):
            kind = MODULE_KINDS.get(module["content_type"].split(";")[0], "data")
            if "source-map" in module["content_type"]:
                continue
            file = f"{version['id']}-{place}"
            (self._folder / file).write_bytes(base64.b64decode(module["content_base64"]))
            yield f"(name = {literal(module['name'])}, {kind} = embed {literal(file)})"

    def _binding(self, running: RunningVersion, binding: Document) -> str:
        name, kind = binding["name"], binding["type"]
        if kind == "plain_text":
            return f"(name = {literal(name)}, text = {literal(binding['text'])})"
        if kind == "json":
            return f"(name = {literal(name)}, json = {literal(_json(binding['json']))})"
        if kind == "secret_text":
            variable = f"SECRET_{running.binding}_{name}"
            self.environment[variable] = running.secrets.get(name, "")
            return f"(name = {literal(name)}, fromEnvironment = {literal(variable)})"
        if kind == KEY:
            return f"(name = {literal(name)}, {crypto_key(binding, running.secrets.get(name, ''))})"
        if kind == "version_metadata":
            about = {"id": running.version["id"], "timestamp": running.version["created_on"]}
            about["tag"] = (running.version.get("annotations") or {}).get("workers/tag", "")
            return f"(name = {literal(name)}, json = {literal(json.dumps(about))})"
        if kind == "assets":
            return f"(name = {literal(name)}, service = {literal(f'{running.service}-assets')})"
        if kind == "service":
            target = self._main.get(key_of(running.account, binding["service"]))
            named = binding.get("entrypoint")
            designator = f"(name = {literal(target.target(named))}" if target else '(name = "egress"'
            entrypoint = f", entrypoint = {literal(named)}" if target and named else ""
            props = f", props = (json = {literal(_json(binding['props']))})" if target and binding.get("props") else ""
            return f"(name = {literal(name)}, service = {designator}{entrypoint}{props}))"
        if kind == HYPERDRIVE:
            return f"(name = {literal(name)}, {self._drive(running, binding)})"
        if kind == NAMESPACE:
            space = find_space(self._plan.spaces_of(running.account), binding, running.script)
            owner = self._main.get(key_of(space.account, space.script)) if space else None
            return f"(name = {literal(name)}, {objects.designator(space, owner.service if owner else None)})"
        if kind == dispatch.BINDING:
            return f"(name = {literal(name)}, {dispatch.designator(self._plan.dispatched(running.account, binding))})"
        if kind == WORKFLOW:
            flow = self._plan.flow_of(running.account, str(binding["workflow_name"]))
            return f"(name = {literal(name)}, {workflows.designator(flow)})"
        if kind in (ai_search.INSTANCE, ai_search.NAMESPACE):
            return f"(name = {literal(name)}, service = {ai_search.designator(running.account, binding)})"
        if kind == ai_search.AI:
            inner = f'(name = "fetcher", service = {ai_search.designator(running.account, binding)})'
            module = literal(WIRINGS[kind].module)
            return f"(name = {literal(name)}, wrapped = (moduleName = {module}, innerBindings = [{inner}]))"
        return self._product(running, binding, name, kind)

    def _drive(self, running: RunningVersion, binding: Document) -> str:
        """The database itself, without a pool before it; a configuration that is gone leads to a closed port."""
        origin, service = running.drives.get(binding["id"], NOWHERE), f"{running.binding}-{binding['name']}"
        address = literal(f"{origin['host']}:{origin['port']}")
        self._services.append(f"(name = {literal(service)}, external = (address = {address}, tcp = ()))")
        said = [f"{part} = {literal(str(origin[part]))}" for part in ("database", "user", "password", "scheme")]
        return f"hyperdrive = (designator = {literal(service)}, {', '.join(said)})"

    def _product(self, running: RunningVersion, binding: Document, name: str, kind: str) -> str:
        wiring = WIRINGS[kind]
        identity = wiring.identity(binding)
        service = f"{running.binding}-{name}"
        door = self._doors.storage if wiring.stored else self._doors.bindings
        known = {"kind": kind, "id": identity, "account": running.account}
        if kind == "queue" and self._plan.traced:
            self._external(service, known | {"script": running.script}, door)
            self._queues.setdefault(running.account, []).append(service)
            return f"(name = {literal(name)}, queue = {queues.designator(running.account, service)})"
        self._external(service, known, door)
        if wiring.designator:
            return f"(name = {literal(name)}, {wiring.designator} = {literal(service)})"
        inner = [f'(name = "fetcher", service = {literal(service)})']
        inner += [
            f'(name = "{key}", {kind} = {literal(value)})' for key, (kind, value) in wiring.more(identity).items()
        ]
        module = literal(wiring.module)
        return f"(name = {literal(name)}, wrapped = (moduleName = {module}, innerBindings = [{joined(inner)}]))"

    def _external(self, service: str, identity: dict[str, str], door: Path) -> None:
        headers = ", ".join(f'(name = "x-local-{key}", value = {literal(value)})' for key, value in identity.items())
        proto = ', forwardedProtoHeader = "x-local-proto"' if identity.get("kind") == "egress" else ""
        self._services.append(
            f"(name = {literal(service)}, external = (address = {literal(f'unix:{door}')}, "
            f"http = (injectRequestHeaders = [{headers}]{proto})))"
        )
