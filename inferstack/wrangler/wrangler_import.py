"""`inferstack import wrangler`: a wrangler project as stack files, with its own source; what cannot be carried is told.

Keys: wrangler's configuration reference (wrangler.toml, wrangler.json, wrangler.jsonc), version 4.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import json5
import yaml

from inferstack.author.scaffold import SCHEMA_LINE
from inferstack.config import check_stack
from inferstack.errors import ConfigError

FILES = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")
KNOWN = {"name", "main", "compatibility_date", "compatibility_flags", "env", "$schema", "account_id", "send_metrics"}


@dataclass
class Imported:
    """Files to write, by path from the project, and what was left out."""

    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Section:
    """One environment of a wrangler file, turned into a stack's data."""

    where: str
    worker: str
    root: Path
    folder: Path  # of the wrangler file, from the root
    data: dict[str, Any] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def declare(self, section: str, name: str, entry: dict[str, Any]) -> str:
        self.data.setdefault(section, {}).setdefault(name, entry)
        return name

    def bind(self, binding: str, kind: str, value: Any) -> None:
        self.entry.setdefault("bindings", {})[binding] = {kind: value}

    def note(self, text: str) -> None:
        self.notes.append(f"{self.where}: {text}")


def import_wrangler(path: Path, root: Path) -> Imported:
    """Writes `stacks/<name>.yaml` for the top level and each of `env.*`; raises `ConfigError` and writes nothing then."""
    file = path if path.is_file() else next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        raise ConfigError(f"no {', '.join(FILES)} in {path}\n  fix: name the wrangler project's folder or its file")
    config = _read(file)
    if not file.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{path} lies outside of this project\n  fix: move the wrangler project into {root}")
    folder = file.resolve().parent.relative_to(root.resolve())
    worker = _name(str(config.get("name") or folder.name))
    found = Imported()
    environments: dict[str, Any] = config.get("env") or {}
    if not isinstance(environments, dict) or not all(isinstance(own, dict) for own in environments.values()):
        found.notes.append(f"{file.name}: `env` is not as wrangler documents it, and was left out")
        environments = {}
    inherited = {key: value for key, value in config.items() if key != "env"}
    for name, own in [("default", {}), *environments.items()]:
        if name == "default" and environments:
            continue  # the top level is what the environments inherit from
        # Bindings and vars do not inherit in wrangler; everything else does.
        base = inherited if not own else {k: v for k, v in inherited.items() if k not in BINDINGS}
        section = _section(file.name if not own else f"{file.name} env.{name}", worker, {**base, **own}, root, folder)
        stack = _name(name)
        data = {"environment": stack, "account": _account({**inherited, **own}), **section.data}
        data["workers"] = {worker: section.entry}
        found.files[f"stacks/{stack}.yaml"] = SCHEMA_LINE + "\n" + yaml.safe_dump(data, sort_keys=False, width=110)
        found.notes += section.notes
    found.notes.append("names on Cloudflare are `<name>-<environment>` here: what wrangler deployed stays as it is")
    _write(found, root)
    return found


def _account(config: dict[str, Any]) -> str:
    return str(config.get("account_id") or "${CLOUDFLARE_ACCOUNT_ID:-" + "0" * 32 + "}")


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
        data = tomllib.loads(text) if file.suffix == ".toml" else json5.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file} cannot be read: {str(error).splitlines()[0]}\n  fix: correct the file") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file} is no mapping of keys to values")
    return data


def _write(found: Imported, root: Path) -> None:
    taken = [path for path in found.files if (root / path).exists()]
    if taken:
        raise ConfigError(f"{taken[0]} is there already\n  fix: move it away, or rename the environment")
    try:
        for path, text in found.files.items():
            (root / path).write_text(text)
        for path in found.files:
            wrong = [f for f in check_stack(Path(path).stem, root).findings if f.severity == "error"]
            found.notes += [f"{path}:{f.place.line}: {f.message}; {f.fix}" for f in wrong]
    except BaseException:
        for path in found.files:
            (root / path).unlink(missing_ok=True)
        raise


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:42].strip("-") or "worker"


def _section(where: str, worker: str, config: dict[str, Any], root: Path, folder: Path) -> _Section:
    section = _Section(where, worker, root, folder)
    main = config.get("main")
    if main is None:
        section.note("has no `main`; static assets alone are not carried")
    section.entry["source"] = (folder / str(main or "src/index.ts")).as_posix()
    section.entry["compatibility_date"] = str(config.get("compatibility_date", "2026-06-01"))
    if config.get("compatibility_flags"):
        section.entry["compatibility_flags"] = list(config["compatibility_flags"])
    for key, value in config.items():
        if key in READERS:
            try:
                READERS[key](section, value)
            except (KeyError, TypeError, AttributeError, ValueError):
                section.note(f"`{key}` is not as wrangler documents it, and was left out")
        elif key not in KNOWN:
            section.note(f"`{key}` is not carried")
    return section


def _vars(section: _Section, value: Any) -> None:
    texts = {name: text for name, text in value.items() if isinstance(text, str)}
    section.entry["vars"] = {name: text.replace("${", "$${") for name, text in texts.items()}
    for name in value.keys() - texts.keys():
        section.note(f"the variable `{name}` is no text; put it into one as JSON")


def _vectorize(section: _Section, value: Any) -> None:
    for item in value:
        name = _name(item["index_name"])
        variable = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_DIMENSIONS"
        section.bind(
            item["binding"], "index", section.declare("indexes", name, {"dimensions": f"${{{variable}:-768}}"})
        )
        section.note(f"wrangler does not say how long the vectors of `{name}` are: name its model, or set `dimensions`")


def _d1(section: _Section, value: Any) -> None:
    for item in value:
        name = _name(item["database_name"])
        migrations = section.folder / item.get("migrations_dir", "migrations")
        there = "migrations_dir" in item or (section.root / migrations).is_dir()
        entry = {"migrations": migrations.as_posix()} if there else {}
        section.bind(item["binding"], "database", section.declare("databases", name, entry))


def _r2(section: _Section, value: Any) -> None:
    for item in value:
        place = {"jurisdiction": item["jurisdiction"]} if item.get("jurisdiction") else {}
        section.bind(item["binding"], "bucket", section.declare("buckets", _name(item["bucket_name"]), place))


def _kv(section: _Section, value: Any) -> None:
    for item in value:
        section.bind(item["binding"], "namespace", section.declare("namespaces", _name(item["binding"]), {}))


def _queues(section: _Section, value: Any) -> None:
    for item in value.get("producers") or []:
        section.bind(item["binding"], "queue", section.declare("queues", _name(item["queue"]), {}))
    for item in value.get("consumers") or []:
        if item.get("type", "worker") != "worker":
            section.note(f"the consumer of `{item['queue']}` pulls by HTTP, which is not carried")
            continue
        named = {"max_batch_size": "batch_size", "max_retries": "max_retries"}
        consumer = {"worker": section.worker} | {ours: item[theirs] for theirs, ours in named.items() if theirs in item}
        if "max_batch_timeout" in item:
            consumer["max_wait_ms"] = int(item["max_batch_timeout"]) * 1000
        if item.get("dead_letter_queue"):
            consumer["dead_letter"] = section.declare("queues", _name(item["dead_letter_queue"]), {})
        section.declare("queues", _name(item["queue"]), {})
        section.data["queues"][_name(item["queue"])]["consumer"] = consumer


def _services(section: _Section, value: Any) -> None:
    for item in value:
        section.note(
            f"the service binding `{item['binding']}` to `{item['service']}`: import that Worker too, then bind it"
        )


def _stored_secrets(section: _Section, value: Any) -> None:
    for item in value:
        section.entry.setdefault("secrets", {})[item["binding"]] = f"store:{item['secret_name']}"


def _routes(section: _Section, value: Any) -> None:
    for item in value if isinstance(value, list) else [value]:
        route = {"pattern": item} if isinstance(item, str) else item
        if route.get("custom_domain"):
            zone = {"zone": route["zone_id"]} if route.get("zone_id") else {}
            section.entry.setdefault("domains", []).append({"hostname": route["pattern"], **zone})
        elif route.get("zone_id"):
            section.entry.setdefault("routes", []).append({"pattern": route["pattern"], "zone": route["zone_id"]})
        else:
            section.note(f"the route `{route['pattern']}` names no zone id: add it under `routes:` with its `zone`")


def _placement(section: _Section, value: Any) -> None:
    if value.get("mode") == "smart":
        section.entry["placement"] = "smart"


def _limits(section: _Section, value: Any) -> None:
    section.entry["cpu_ms"] = int(value["cpu_ms"])


def _triggers(section: _Section, value: Any) -> None:
    if value.get("crons"):
        section.entry["crons"] = list(value["crons"])


def _observability(section: _Section, value: Any) -> None:
    section.entry["observability"] = bool(value.get("enabled"))


def _workers_dev(section: _Section, value: Any) -> None:
    if value is False:
        section.entry["raw"] = {"worker": {"subdomain": {"enabled": False, "previewsEnabled": False}}}


BINDINGS = {
    "vars": _vars,
    "ai": lambda section, value: section.bind(value["binding"], "ai", True),
    "vectorize": _vectorize,
    "d1_databases": _d1,
    "r2_buckets": _r2,
    "kv_namespaces": _kv,
    "queues": _queues,
    "services": _services,
    "secrets_store_secrets": _stored_secrets,
}
READERS = {
    **BINDINGS,
    "routes": _routes,
    "route": _routes,
    "placement": _placement,
    "limits": _limits,
    "triggers": _triggers,
    "observability": _observability,
    "workers_dev": _workers_dev,
}
