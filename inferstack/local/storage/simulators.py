"""The storage process' configuration: which module of the npm package keeps what, and where (facts `simulators.md`).

The modules are read from the pinned package and copied into the process' own folder, never into this project.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from inferstack.local.runtime.literals import joined, literal

FRONT = Path(__file__).parent / "front.js"
FRONT_DATE = "2026-06-01"
DATE, FLAGS = "2023-07-24", ("nodejs_compat", "experimental")  # what the modules were made for
SHARED = {"miniflare:shared": "shared/index", "miniflare:zod": "shared/zod"}


@dataclass(frozen=True, slots=True)
class Simulator:
    """`kind` is a binding's kind, as in `wirings.py`. It names the folder and derives the ids: it never changes."""

    kind: str
    module: str
    class_name: str

    @property
    def unique_key(self) -> str:
        return f"inferstack-{self.kind}"


R2 = Simulator("r2_bucket", "r2/bucket", "R2BucketObject")
CACHE = Simulator("cache", "cache/cache", "CacheObject")
SIMULATORS = (R2, CACHE)


def object_file(simulator: Simulator, name: str) -> str:
    """The database of the object of that name, as workerd derives it."""
    key = hashlib.sha256(simulator.unique_key.encode()).digest()
    prefix = hmac.digest(key, name.encode(), "sha256")[:16]
    return (prefix + hmac.digest(key, prefix, "sha256")[:16]).hex() + ".sqlite"


def write_config(folder: Path, modules: Path, state: Path, socket: Path, ours: Path) -> Path:
    """Listens on `socket`; `ours` is the socket of this project's own process. Raises `OSError` when a module is missing."""
    folder.mkdir(parents=True)

    def embedded(module: str) -> str:
        name = module.replace("/", "-") + ".js"
        (folder / name).write_bytes((modules / f"{module}.worker.js").read_bytes())
        return literal(name)

    services = [service for each in SIMULATORS for service in _services(each, embedded(each.module), state)]
    spaces = [  # what the front reaches
        f"(name = {literal(each.kind)}, durableObjectNamespace = "
        f"(className = {literal(each.class_name)}, serviceName = {literal(each.kind)}))"
        for each in SIMULATORS
    ]
    services.append(f'(name = "ours", external = (address = {literal(f"unix:{ours}")}, http = ()))')
    spaces.append('(name = "OURS", service = "ours")')
    services.append(
        '(name = "front", worker = (modules = [(name = "front.js", esModule = embed "front.js")], '
        f'compatibilityDate = "{FRONT_DATE}", bindings = [{joined(spaces)}]))'
    )
    (folder / "front.js").write_bytes(FRONT.read_bytes())
    shared = [f"(name = {literal(name)}, esModule = embed {embedded(module)})" for name, module in SHARED.items()]
    file = folder / "config.capnp"
    file.write_text(
        'using Workerd = import "/workerd/workerd.capnp";\n'
        f"const config :Workerd.Config = (\n  services = [\n    {joined(services)}\n  ],\n"
        f'  sockets = [(name = "http", address = {literal(f"unix:{socket}")}, http = (), service = "front")],\n'
        f"  extensions = [(modules = [{joined(shared)}])]\n);\n"
    )
    return file


def _services(simulator: Simulator, module: str, state: Path) -> list[str]:
    """Its databases and its blobs, each in a folder, and the Worker with its class."""
    services = []
    for part in ("objects", "blobs"):
        path = state / simulator.kind / part
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        services.append(
            f"(name = {literal(f'{simulator.kind}-{part}')}, disk = (path = {literal(str(path))}, writable = true))"
        )
    flags = joined(literal(flag) for flag in FLAGS)
    space = (
        f"(className = {literal(simulator.class_name)}, uniqueKey = {literal(simulator.unique_key)}, enableSql = true)"
    )
    services.append(
        f"(name = {literal(simulator.kind)}, worker = (modules = [(name = {module}, esModule = embed {module})], "
        f'compatibilityDate = "{DATE}", compatibilityFlags = [{flags}], durableObjectNamespaces = [{space}], '
        f"durableObjectStorage = (localDisk = {literal(f'{simulator.kind}-objects')}), "
        f'bindings = [(name = "MINIFLARE_BLOBS", service = {literal(f"{simulator.kind}-blobs")})]))'
    )
    return services
