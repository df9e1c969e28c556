"""`inferstack export wrangler`: each Worker of a stack as a wrangler project: rendered code and wrangler.jsonc."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, load_stack
from inferstack.errors import ConfigError
from inferstack.render import render_worker

HEAD = "// From inferstack's stack `{stack}`. Ids of databases and namespaces: wrangler makes or finds them by name.\n"


def export_wrangler(stack: str, root: Path, out: Path) -> tuple[list[str], list[str]]:
    """(files written, what wrangler.jsonc cannot say). Raises `ConfigError` when the folder holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is not empty\n  fix: --out with a new folder")
    spec = load_stack(stack, root)
    written, notes = [], []
    rendered = {key: render_worker(spec, key, root) for key in spec.workers}
    for key, worker in rendered.items():
        folder = out / key
        for module in worker.modules:
            file = folder / "src" / module.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(module.content)
            written.append(str(file))
        config = _config(spec, key, worker.modules[0].name)
        (folder / "wrangler.jsonc").write_text(HEAD.format(stack=stack) + json.dumps(config, indent=2) + "\n")
        written.append(str(folder / "wrangler.jsonc"))
        for name, reference in sorted(spec.workers[key].secrets.items()):
            if reference.startswith("store:"):
                notes.append(f"{key}: `{name}` is in Secrets Store: set `store_id`, which wrangler does not look up")
            else:
                notes.append(f"{key}: set the secret yourself: wrangler secret put {name}")
    notes += [f"gateways.{key}: wrangler does not declare AI Gateways" for key in spec.gateways]
    notes += [
        f"indexes.{key}: wrangler vectorize create {spec.index_name(key)} --dimensions={spec.dimensions_of(key)}"
        f" --metric={spec.indexes[key].metric}"
        for key in spec.indexes
    ]
    return written, notes


def _config(spec: StackSpec, key: str, main: str) -> dict[str, Any]:
    worker = spec.workers[key]
    config: dict[str, Any] = {
        "name": spec.physical(key),
        "main": f"src/{main}",
        "compatibility_date": worker.compatibility_date,
        "compatibility_flags": worker.compatibility_flags,
        "account_id": spec.account if spec.account and set(spec.account) != {"0"} else None,
        # Modules go up as they are.
        "no_bundle": True,
        "rules": [{"type": "ESModule", "globs": ["**/*.js"]}],
        "vars": spec.variables_of(key),
        "observability": {"enabled": worker.observability},
        "triggers": {"crons": worker.crons} if worker.crons else None,
        "limits": {"cpu_ms": worker.cpu_ms} if worker.cpu_ms else None,
        "placement": {"mode": worker.placement} if worker.placement else None,
        "routes": [
            *({"pattern": route.pattern, "zone_id": route.zone} for route in worker.routes),
            *({"pattern": domain.hostname, "custom_domain": True} for domain in worker.domains),
        ],
        **_bindings(spec, key),
    }
    return {name: value for name, value in config.items() if value not in (None, {}, [])}


def _bindings(spec: StackSpec, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {"queues": _consumers(spec, key)}
    for name, binding in spec.workers[key].bindings.items():
        if binding.ai:
            found["ai"] = {"binding": name}
        elif binding.index:
            entry = {"binding": name, "index_name": spec.index_name(binding.index)}
            found.setdefault("vectorize", []).append(entry)
        elif binding.database:
            entry = {"binding": name, "database_name": spec.physical(binding.database)}
            found.setdefault("d1_databases", []).append(entry)
        elif binding.bucket:
            entry = {"binding": name, "bucket_name": spec.physical(binding.bucket)}
            found.setdefault("r2_buckets", []).append(entry)
        elif binding.namespace:
            found.setdefault("kv_namespaces", []).append({"binding": name})
        elif binding.queue:
            entry = {"binding": name, "queue": spec.physical(binding.queue)}
            found["queues"].setdefault("producers", []).append(entry)
        elif binding.service:
            found.setdefault("services", []).append({"binding": name, "service": spec.physical(binding.service)})
    for name, reference in spec.workers[key].secrets.items():
        if reference.startswith("store:"):
            secret = reference.removeprefix("store:")
            stored = spec.physical(secret) if secret in spec.secrets_store else secret
            entry = {"binding": name, "store_id": "", "secret_name": stored}
            found.setdefault("secrets_store_secrets", []).append(entry)
    return found


def _consumers(spec: StackSpec, key: str) -> dict[str, Any]:
    consumers = []
    for name, queue in spec.queues.items():
        if queue.consumer is None or queue.consumer.worker != key:
            continue
        entry = {"queue": spec.physical(name), "max_batch_size": queue.consumer.batch_size}
        entry |= {"max_retries": queue.consumer.max_retries, "max_batch_timeout": queue.consumer.max_wait_ms // 1000}
        dead = queue.consumer.dead_letter
        consumers.append(entry | ({"dead_letter_queue": spec.physical(dead)} if dead else {}))
    return {"consumers": consumers} if consumers else {}
