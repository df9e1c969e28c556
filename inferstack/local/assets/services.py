"""A version's assets in workerd: Cloudflare's own asset Worker and router, fed from the folder of the files.

Facts: `simulators.md`, Configuration. The router stands before the Worker; `proxy` stands for both in service bindings.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferstack.catalog import asset_rules
from inferstack.local._store import Document
from inferstack.local.runtime.literals import joined, literal

FILES = Path(__file__).parent / "files.js"
DATE, FLAGS = "2024-07-31", ("nodejs_compat", "enable_ctx_exports")
MODULES = ("assets/assets", "assets/router", "assets/rpc-proxy")
HEADERS_VERSION, REDIRECTS_VERSION = 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionAssets:
    """What a version's services are made of. `manifest` is path → hash, size and contentType."""

    folder: Path
    manifest: dict[str, dict[str, Any]]
    config: Document
    headers: str | None
    redirects: str | None


def place_modules(folder: Path, simulators: Path) -> None:
    for module in MODULES:
        shutil.copyfile(simulators / f"{module}.worker.js", folder / f"{module.replace('/', '-')}.js")
    shutil.copyfile(FILES, folder / "files.js")


def services(name: str, assets: VersionAssets, version: Document, folder: Path) -> Iterator[str]:
    """`<name>-assets`, `<name>-router` and `<name>-proxy`, beside the version's own service, which an upload of assets
    alone does not have."""
    has_worker = bool(version["modules"])
    types = {entry["hash"]: entry.get("contentType") for entry in assets.manifest.values()}
    (folder / f"{name}.manifest").write_bytes(encoded(assets.manifest))
    files = _worker(
        "files", DATE, FLAGS, [f'(name = "DISK", service = {literal(f"{name}-disk")})', _json("TYPES", types)]
    )
    yield f"(name = {literal(f'{name}-disk')}, disk = (path = {literal(str(assets.folder))}))"
    yield f"(name = {literal(f'{name}-files')}, {files})"
    bindings = [
        f'(name = "ASSETS_KV_NAMESPACE", kvNamespace = {literal(f"{name}-files")})',
        f'(name = "ASSETS_MANIFEST", data = embed {literal(f"{name}.manifest")})',
        _json("CONFIG", _asset_config(assets, version)),
    ]
    yield f"(name = {literal(f'{name}-assets')}, {_worker('assets-assets', DATE, FLAGS, bindings)})"
    ways = [f'(name = "USER_WORKER", service = {literal(name)})'] if has_worker else []
    router = [
        f'(name = "ASSET_WORKER", service = {literal(f"{name}-assets")})',
        *ways,
        _json("CONFIG", router_config(assets.config, has_worker)),
    ]
    flags = (FLAGS[0], "no_nodejs_compat_v2", FLAGS[1])
    yield f"(name = {literal(f'{name}-router')}, {_worker('assets-router', DATE, flags, router)})"
    proxy = [f'(name = "ROUTER_WORKER", service = {literal(f"{name}-router")})', *ways]
    extra = ("service_binding_extra_handlers",)
    yield f"(name = {literal(f'{name}-proxy')}, {_worker('assets-rpc-proxy', '2024-08-01', extra, proxy)})"


def router_config(config: Document, has_worker: bool) -> Document:
    """Raises ValueError for rules that Cloudflare does not take."""
    first = config.get("run_worker_first")
    router: Document = {"has_user_worker": has_worker}
    if isinstance(first, list):
        router["static_routing"] = asset_rules.read_worker_first(first)
    elif isinstance(first, bool):
        router["invoke_user_worker_ahead_of_assets"] = first
    return router


def _asset_config(assets: VersionAssets, version: Document) -> Document:
    config: Document = {k: assets.config[k] for k in ("html_handling", "not_found_handling") if assets.config.get(k)}
    config["has_static_routing"] = isinstance(assets.config.get("run_worker_first"), list)
    config |= {k: version[k] for k in ("compatibility_date", "compatibility_flags") if version.get(k)}
    if assets.headers:
        rules = asset_rules.read_headers(assets.headers).dynamic
        shown = {path: {k: v for k, v in rule.items() if v} for path, rule in rules.items()}
        config["headers"] = {"version": HEADERS_VERSION, "rules": shown}
    if assets.redirects:
        found = asset_rules.read_redirects(assets.redirects)
        config["redirects"] = {"version": REDIRECTS_VERSION, "staticRules": found.static, "rules": found.dynamic}
    return config


def encoded(manifest: dict[str, dict[str, Any]]) -> bytes:
    """The asset Worker's form: 20 zero bytes, then 16 of the path's SHA-256, 16 of the content's hash, 8 zeros, sorted."""
    rows = [(hashlib.sha256(path.encode()).digest()[:16], bytes.fromhex(e["hash"])) for path, e in manifest.items()]
    return b"\0" * 20 + b"".join(path + content + b"\0" * 8 for path, content in sorted(rows))


def _worker(module: str, date: str, flags: tuple[str, ...], bindings: list[str]) -> str:
    file = literal(f"{module}.js")
    return (
        f"worker = (modules = [(name = {file}, esModule = embed {file})], compatibilityDate = {literal(date)}, "
        f"compatibilityFlags = [{joined(map(literal, flags))}], bindings = [{joined(bindings)}])"
    )


def _json(name: str, value: Any) -> str:
    return f"(name = {literal(name)}, json = {literal(json.dumps(value))})"
