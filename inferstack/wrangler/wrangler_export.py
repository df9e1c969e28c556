"""`inferstack export wrangler`: each Worker of a stack as a wrangler project: rendered code, migrations and wrangler.jsonc."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferstack.asset_files import IGNORED, asset_files, served_files
from inferstack.config import SECTIONS, EmailBindingSpec, StackSpec, WorkerSpec, load_stack
from inferstack.errors import ConfigError
from inferstack.render import render_worker
from inferstack.wrangler import buckets_out
from inferstack.wrangler.objects_out import objects_of
from inferstack.wrangler.settings_out import settings_of, unsaid

ASSETS = "assets"  # the folder
HEAD = "// From inferstack's stack `{stack}`. Ids of databases and namespaces: wrangler makes or finds them by name.\n"
CODE = {"type": "ESModule", "globs": ["**/*.js"]}
# Kinds of bindings that wrangler has by a name alone: its key, and its word for the name.
NAMED = {
    "dispatch_namespace": ("dispatch_namespaces", "namespace"),
    "search": ("ai_search", "instance_name"),
    "search_namespace": ("ai_search_namespaces", "namespace"),
}
# What a wrangler file, or a command that is told, says of each kind.
SAID: dict[str, set[str]] = {
    "databases": {"name", "migrations", "migrations_table"},
    "buckets": {"name", "jurisdiction"} | buckets_out.SAID,
    "namespaces": {"id"},
    "queues": {"name", "consumer", "delivery_delay"},
    "indexes": {"name", "model", "dimensions", "metric", "generation", "metadata"},
}


def export_wrangler(stack: str, root: Path, out: Path) -> tuple[list[str], list[str]]:
    """(files written, what wrangler.jsonc cannot say). Raises `ConfigError` when the folder holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is not empty\n  fix: --out with a new folder")
    spec = load_stack(stack, root)
    written, notes = list[str](), list[str]()
    rendered = {key: render_worker(spec, key, root) for key in spec.workers}
    for key, worker in rendered.items():
        files = {f"src/{module.name}": module.content for module in worker.modules}
        files |= _migrations(spec, spec.workers[key], root) | _assets(spec.workers[key], root)
        config = _config(spec, key, root, worker.modules[0].name if worker.modules else None)
        files["wrangler.jsonc"] = (HEAD.format(stack=stack) + json.dumps(config, indent=2) + "\n").encode()
        for name, content in files.items():
            file = out / key / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            written.append(str(file))
        notes += _of_worker(spec, key)
    for name, content in buckets_out.rule_files(spec).items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
        written.append(str(out / name))
    told = [f"{place}: {command}" for place, command in buckets_out.commands(spec, out)]
    return written, [*notes, *_of_resources(spec), *told]


def _of_worker(spec: StackSpec, key: str) -> Iterator[str]:
    """What one must do or know beside a Worker's file."""
    worker = spec.workers[key]
    for name, reference in sorted(worker.secrets.items()):
        if reference.startswith("store:"):
            yield f"{key}: `{name}` is in Secrets Store: set `store_id`, which wrangler does not look up"
        else:
            yield f"{key}: set the secret yourself: wrangler secret put {name}"
    for namespace in spec.namespaces:
        names = [name for name, binding in worker.bindings.items() if binding.namespace == namespace]
        if len(names) > 1 and not spec.namespaces[namespace].id:
            yield f"{key}: {' and '.join(f'`{name}`' for name in names)} are one namespace: give them one `id`"
    for path in unsaid(worker):
        yield f"workers.{key}.{path}: a wrangler file has no word for it"


def _of_resources(spec: StackSpec) -> Iterator[str]:
    for key in spec.hyperdrives:
        name = spec.name_of("hyperdrives", key)
        yield f"hyperdrives.{key}: set the `id` that this tells: wrangler hyperdrive create {name} --connection-string=…"
    for key in spec.dispatch_namespaces:
        yield f"dispatch_namespaces.{key}: wrangler dispatch-namespace create {spec.name_of('dispatch_namespaces', key)}"
    for key in spec.gateways:
        yield f"gateways.{key}: wrangler does not declare AI Gateways"
    for key, index in spec.indexes.items():
        name = spec.index_name(key)
        yield f"indexes.{key}: wrangler vectorize create {name} --dimensions={spec.dimensions_of(key)} --metric={index.metric}"
        for field, kind in index.metadata.items():
            command = f"wrangler vectorize create-metadata-index {name} --property-name={field} --type={kind}"
            yield f"indexes.{key}: {command}"
    for section, said in SAID.items():
        for key, entry in getattr(spec, section).items():
            for name in sorted(entry.model_fields_set - said):
                yield f"{section}.{key}.{name}: a wrangler file has no word for it"
    produced = {binding.queue for worker in spec.workers.values() for binding in worker.bindings.values()}
    for key, queue in spec.queues.items():
        if queue.delivery_delay and key not in produced:
            yield f"queues.{key}.delivery_delay: no Worker of the stack sends to it, and wrangler's file says it there"
        if queue.consumer and queue.consumer.max_wait_ms % 1000:
            yield f"queues.{key}.consumer.max_wait_ms: wrangler waits whole seconds"


def _migrations(spec: StackSpec, worker: WorkerSpec, root: Path) -> dict[str, bytes]:
    """Copies of the databases' migrations, by path in the Worker's folder."""
    keys = {binding.database for binding in worker.bindings.values() if binding.database}
    folders = {key: folder for key in sorted(keys) if (folder := spec.databases[key].migrations)}
    files = {key: sorted((root / folder).glob("*.sql")) for key, folder in folders.items()}
    return {f"migrations/{key}/{file.name}": file.read_bytes() for key, found in files.items() for file in found}


def _assets(worker: WorkerSpec, root: Path) -> dict[str, bytes]:
    if worker.assets is None:
        return {}
    folder = root / worker.assets.directory
    found = served_files(folder) | {path: file for path, file in asset_files(folder).items() if path == IGNORED}
    return {f"{ASSETS}{path}": file.read_bytes() for path, file in found.items()}


def _config(spec: StackSpec, key: str, root: Path, main: str | None) -> dict[str, Any]:
    worker = spec.workers[key]
    config: dict[str, Any] = {
        "name": spec.name_of("workers", key),
        "main": f"src/{main}" if main else None,
        "compatibility_date": worker.compatibility_date,
        "compatibility_flags": worker.compatibility_flags,
        "account_id": spec.account if spec.account and set(spec.account) != {"0"} else None,
        # Modules go up as they are.
        "no_bundle": True if main else None,
        "rules": _rules(worker) if main else None,
        "assets": worker.assets.model_dump(exclude_none=True, exclude={"site"}) | {"directory": ASSETS}
        if worker.assets
        else None,
        "vars": spec.variables_of(key) | spec.prompt_values(key, root),
        **settings_of(spec, worker),
        **_bindings(spec, key),
        **objects_of(spec, key),
        "workflows": list(_workflows(spec, key)),
    }
    return {name: value for name, value in config.items() if value not in (None, {}, [])}


def _rules(worker: WorkerSpec) -> list[dict[str, Any]]:
    """What the modules are. Text is in the code by now; files that stay files keep the ends that the Worker gave them."""
    own = worker.bundle.rules if worker.bundle else []
    return [CODE, *(rule.model_dump() for rule in own if rule.type != "Text")]


def _bindings(spec: StackSpec, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {"queues": _consumers(spec, key)}
    for name, binding in spec.workers[key].bindings.items():
        if binding.ai:
            found["ai"] = {"binding": name}
        elif binding.version_metadata:
            found["version_metadata"] = {"binding": name}
        elif binding.index:
            entry = {"binding": name, "index_name": spec.index_name(binding.index)}
            found.setdefault("vectorize", []).append(entry)
        elif binding.kind in NAMED:
            section, word = NAMED[binding.kind]
            bound = spec.name_of(SECTIONS[binding.kind], getattr(binding, binding.kind))
            found.setdefault(section, []).append({"binding": name, word: bound})
        elif binding.database:
            found.setdefault("d1_databases", []).append({"binding": name, **_database(spec, binding.database)})
        elif binding.bucket:
            entry = {"binding": name, "bucket_name": spec.name_of("buckets", binding.bucket)}
            jurisdiction = spec.buckets[binding.bucket].jurisdiction
            found.setdefault("r2_buckets", []).append(entry | ({"jurisdiction": jurisdiction} if jurisdiction else {}))
        elif binding.namespace:
            identity = spec.namespaces[binding.namespace].id
            found.setdefault("kv_namespaces", []).append({"binding": name, **({"id": identity} if identity else {})})
        elif binding.queue:
            delay = spec.queues[binding.queue].delivery_delay
            producer = {"binding": name, "queue": spec.name_of("queues", binding.queue)}
            found["queues"].setdefault("producers", []).append(producer | ({"delivery_delay": delay} if delay else {}))
        elif binding.hyperdrive:
            found.setdefault("hyperdrive", []).append({"binding": name, "id": ""})
        elif binding.service:
            found.setdefault("services", []).append(
                {"binding": name, "service": spec.name_of("workers", binding.service)}
                | ({"entrypoint": binding.entrypoint} if binding.entrypoint else {})
                | ({"props": binding.props} if binding.props is not None else {})
            )
        elif binding.analytics:
            dataset = {"binding": name, "dataset": binding.analytics}
            found.setdefault("analytics_engine_datasets", []).append(dataset)
        elif binding.email:
            found.setdefault("send_email", []).append({"name": name, **_addresses(binding.email)})
        elif binding.rate_limit:
            simple = {"limit": binding.rate_limit.requests, "period": binding.rate_limit.seconds}
            number = str(1001 + len(found.get("ratelimits", [])))  # of one's own choice
            found.setdefault("ratelimits", []).append({"name": name, "namespace_id": number, "simple": simple})
    found["secrets_store_secrets"] = list(_stored(spec, key))
    return found


def _addresses(spec: EmailBindingSpec | bool) -> dict[str, Any]:
    if not isinstance(spec, EmailBindingSpec):
        return {}
    given = {"allowed_destination_addresses": spec.to, "allowed_sender_addresses": spec.senders}
    return {name: addresses for name, addresses in given.items() if addresses}


def _stored(spec: StackSpec, key: str) -> Iterator[dict[str, str]]:
    for name, reference in spec.workers[key].secrets.items():
        if reference.startswith("store:"):
            secret = reference.removeprefix("store:")
            stored = spec.physical(secret) if secret in spec.secrets_store else secret
            yield {"binding": name, "store_id": "", "secret_name": stored}


def _workflows(spec: StackSpec, key: str) -> Iterator[dict[str, Any]]:
    for name, each in spec.workers[key].workflows.items():
        entry: dict[str, Any] = {"name": spec.workflow_name(key, name), "binding": name, "class_name": each.class_name}
        other = {"script_name": spec.name_of("workers", each.worker)} if each.worker else {}
        yield entry | other | ({"limits": {"steps": each.steps}} if each.steps else {})


def _database(spec: StackSpec, key: str) -> dict[str, str]:
    entry, database = {"database_name": spec.name_of("databases", key)}, spec.databases[key]
    if database.migrations:
        entry["migrations_dir"] = f"migrations/{key}"
    if "migrations_table" in database.model_fields_set:
        entry["migrations_table"] = database.migrations_table
    return entry


def _consumers(spec: StackSpec, key: str) -> dict[str, Any]:
    consumers = []
    for name, queue in spec.queues.items():
        consumer = queue.consumer
        if consumer is None or consumer.worker != key:
            continue
        entry: dict[str, Any] = {"queue": spec.name_of("queues", name), "max_batch_size": consumer.batch_size}
        entry |= {"max_retries": consumer.max_retries, "max_batch_timeout": consumer.max_wait_ms // 1000}
        entry |= {"max_concurrency": consumer.max_concurrency, "retry_delay": consumer.retry_delay}
        entry["dead_letter_queue"] = spec.name_of("queues", consumer.dead_letter) if consumer.dead_letter else None
        consumers.append({name: value for name, value in entry.items() if value is not None})
    return {"consumers": consumers} if consumers else {}
