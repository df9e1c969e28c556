"""What an environment of wrangler's does not inherit: bindings, variables, secrets.

wrangler tells resources apart by id or name, never by the binding's; one that has neither is made for that binding.
"""

from __future__ import annotations

import json
import re

from inferstack.config import DEFAULT_NAMESPACE
from inferstack.wrangler.hyperdrive_in import hyperdrive
from inferstack.wrangler.reading import Unfit, Value, plain
from inferstack.wrangler.section import Section, escaped, script_of

PLACEHOLDER = re.compile(r"[<>{}\s]|your|todo|xxx|placeholder|replace|example", re.IGNORECASE)
HERE_ONLY = ("remote", "preview_id", "preview_database_id", "preview_bucket_name", "database_internal_env", "staging")


def _identity(section: Section, item: Value, *keys: str) -> str:
    """The first of the keys that says something, else the Worker's own by its binding."""
    named = [(key, value.text()) for key in keys if (value := item.get(key)) is not None and value.raw != ""]
    real = [text for key, text in named if not (key.endswith("id") and PLACEHOLDER.search(text))]
    return real[0] if real else f"for {section.worker}/{item.need('binding').text()}"


def _variables(section: Section, value: Value) -> None:
    for given in value.mapping().values():
        section.attempt(_variable, given)


def _variable(section: Section, given: Value) -> None:
    name = section.free_name(Value(given.path[-1], given.path, given.ledger))
    try:
        json.dumps(plain(given.raw), allow_nan=False)
    except ValueError:
        raise given.unfit("values that JSON has") from None
    section.entry.setdefault("vars", {})[name] = escaped(given.done())


def _ai(section: Section, value: Value) -> None:
    value.ignore(*HERE_ONLY)
    section.bind(value.need("binding"), "ai", True)


def _vectorize(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    name = item.need("index_name")
    key, entry = section.draft.declare("indexes", name.text(), name.text())
    new = not entry and key not in section.draft.older.get("indexes", ())
    section.draft.keep_name("indexes", key, name.text())
    if new:
        entry["dimensions"] = f"${{{re.sub(r'[^A-Z0-9]', '_', key.upper())}_DIMENSIONS:-768}}"
        text = f"wrangler does not say how long the vectors of `{key}` are: name its model, or set `dimensions`"
        section.note(name.path, text)
    section.bind(item.need("binding"), "index", key)


def _d1(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    binding, name = item.need("binding"), item.get("database_name")
    identity = _identity(section, item, "database_id", "database_name")
    key, entry = section.draft.declare("databases", identity, name.text() if name else binding.text())
    if name is not None:
        section.draft.keep_name("databases", key, name.text())
    section.bind(binding, "database", key)
    given, table = item.get("migrations_dir"), item.get("migrations_table")
    folder = section.path(given.text() if given else "migrations")
    if (section.root / folder).is_dir():
        entry.setdefault("migrations", folder)
    elif given:
        section.left_out(given, f"there is no folder {folder}")
    if table is not None and table.raw != "d1_migrations":
        entry["migrations_table"] = table.text()
    elif table is not None:
        table.done()


def _r2(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    binding, name, place = item.need("binding"), item.get("bucket_name"), item.get("jurisdiction")
    identity = _identity(section, item, "bucket_name")
    if place is not None:
        identity += f" ({place.text()})"  # the same name may be there once in each
    key, entry = section.draft.declare("buckets", identity, name.text() if name else binding.text())
    if place is not None:
        entry["jurisdiction"] = place.text()
    if name is not None:
        section.draft.keep_name("buckets", key, name.text())
    section.bind(binding, "bucket", key)


def _kv(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    binding = item.need("binding")
    identity = _identity(section, item, "id")
    key, entry = section.draft.declare("namespaces", identity, binding.text())
    if section.draft.keeps and re.fullmatch(r"[0-9a-f]{32}", identity):
        entry["id"] = identity
    section.bind(binding, "namespace", key)


def _search(section: Section, item: Value) -> None:
    """wrangler makes no instance: it must be there. Where its documents come from it does not say."""
    item.ignore(*HERE_ONLY)
    name = item.need("instance_name")
    key, entry = section.draft.declare("searches", name.text(), name.text())
    if not entry and key not in section.draft.older.get("searches", ()):
        section.note(name.path, f"wrangler does not say where the documents of `{key}` are: name its `bucket`")
    section.draft.keep_name("searches", key, name.text())
    section.bind(item.need("binding"), "search", key)


def _search_namespace(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    name = item.need("namespace").text()
    if name != DEFAULT_NAMESPACE:
        key, _ = section.draft.declare("search_namespaces", name, name)
        section.draft.keep_name("search_namespaces", key, name)
        name = key
    section.bind(item.need("binding"), "search_namespace", name)


def _dispatch(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    if (outbound := item.get("outbound")) is not None:
        text = "an outbound Worker is not in the language: customers' Workers reach the internet themselves"
        section.left_out(outbound, text)
    name = item.need("namespace").text()
    key, _ = section.draft.declare("dispatch_namespaces", name, name)
    section.draft.keep_name("dispatch_namespaces", key, name)
    section.bind(item.need("binding"), "dispatch_namespace", key)


def _queues(section: Section, value: Value) -> None:
    section.each(_producer, value.get("producers"))
    section.each(_consumer, value.get("consumers"))


def _producer(section: Section, item: Value) -> None:
    item.ignore(*HERE_ONLY)
    queue, delay = item.need("queue"), item.get("delivery_delay")
    key, entry = section.draft.declare("queues", queue.text(), queue.text())
    if delay is not None:
        entry["delivery_delay"] = delay.number()
    section.draft.keep_name("queues", key, queue.text())
    section.bind(item.need("binding"), "queue", key)


def _consumer(section: Section, item: Value) -> None:
    kind, queue = item.get("type"), item.need("queue")
    if kind is not None and kind.text() != "worker":
        section.left_out(item, f"`{queue.text()}` is pulled by HTTP")
        return
    named = {
        "max_batch_size": "batch_size",
        "max_retries": "max_retries",
        "max_concurrency": "max_concurrency",
        "retry_delay": "retry_delay",
    }
    consumer = {"worker": section.worker}
    numbers = {ours: given.number() for theirs, ours in named.items() if (given := item.get(theirs))}
    if (wait := item.get("max_batch_timeout")) is not None:
        numbers["max_wait_ms"] = wait.number() * 1000
    if (dead := item.get("dead_letter_queue")) is not None and dead.raw:
        consumer["dead_letter"], _ = section.draft.declare("queues", dead.text(), dead.text())
        section.draft.keep_name("queues", consumer["dead_letter"], dead.text())
    key, entry = section.draft.declare("queues", queue.text(), queue.text())
    section.draft.keep_name("queues", key, queue.text())
    if entry.get("consumer", consumer)["worker"] != section.worker:
        raise Unfit(item.path, f"`{queue.text()}` has the consumer `{entry['consumer']['worker']}` already")
    entry["consumer"] = {**consumer, **numbers}


def _service(section: Section, item: Value) -> None:
    item.ignore("remote")
    script = script_of(item.need("service"), item.get("environment"))
    section.calls.append((item.need("binding").text(), script, item))


def _stored_secret(section: Section, item: Value) -> None:
    name, store = item.need("secret_name").text(), item.get("store_id")
    if store is not None:
        section.note(item.path, f"`{name}` is in the store {store.text()}; an account has one, and it is meant")
    section.entry.setdefault("secrets", {})[section.free_name(item.need("binding"))] = f"store:{name}"


def _rate_limit(section: Section, item: Value) -> None:
    number, simple = item.need("namespace_id"), item.need("simple")
    counter = str(number.done())
    period = simple.get("period")
    limits = {"requests": simple.need("limit").number(), "seconds": period.number() if period else 60}
    if section.draft.counters.setdefault(counter, item.path) != item.path:
        section.note(number.path, f"several bindings count in {counter} together; here each counts for itself")
    section.bind(item.need("name"), "rate_limit", limits)


def _email(section: Section, item: Value) -> None:
    """A single destination is a list of one."""
    item.ignore("remote")
    one, several, senders = (
        item.get("destination_address"),
        item.get("allowed_destination_addresses"),
        item.get("allowed_sender_addresses"),
    )
    given = {
        "to": [one.text()] if one else several.texts() if several else [],
        "senders": senders.texts() if senders else [],
    }
    section.bind(item.need("name"), "email", {name: found for name, found in given.items() if found} or True)


def _analytics(section: Section, item: Value) -> None:
    """Without a name of its own a dataset is called as its binding."""
    item.ignore("remote")
    name, dataset = item.need("binding"), item.get("dataset")
    section.bind(name, "analytics", (dataset or name).text())


def _workflow(section: Section, item: Value) -> None:
    """Without `script_name`, or with this Worker's own, the class is here. wrangler's name stays, as each environment's own."""
    item.ignore("remote")
    name, class_name, script = item.need("name").text(), item.need("class_name").text(), item.get("script_name")
    if script is not None and script.raw:
        named = script.text()
        if section.draft.identities.get(("workers", named)) != section.worker:
            section.flows.append((item.need("binding").text(), named, class_name, item))
            return
    entry: dict[str, object] = {"class_name": class_name, "name": name}
    limits = item.get("limits")
    if limits is not None and (steps := limits.get("steps")) is not None:
        entry["steps"] = steps.number()
    section.entry.setdefault("workflows", {})[section.free_name(item.need("binding"))] = entry


def _unsafe(section: Section, value: Value) -> None:
    section.each(_unsafe_binding, value.get("bindings"))


def _unsafe_binding(section: Section, item: Value) -> None:
    if item.mapping().get("type") and item.raw["type"] == "ratelimit":
        item.ignore("type")
        _rate_limit(section, item)


def _secrets(section: Section, value: Value) -> None:
    """Only their names; where the values are, `dev_vars` looks."""
    if (required := value.get("required")) is not None:
        for item in required.items():
            name = section.free_name(item)
            section.entry.setdefault("secrets", {})[name] = f"env:{name}"


def _define(section: Section, value: Value) -> None:
    section.bundle(define={name: escaped(given.text()) for name, given in value.mapping().items()})


BINDINGS = {
    "define": _define,
    "version_metadata": lambda section, value: section.bind(value.need("binding"), "version_metadata", True),
    "vars": _variables,
    "ai": _ai,
    "queues": _queues,
    "secrets": _secrets,
    "unsafe": _unsafe,
}
LISTS = {
    "ai_search": _search,
    "ai_search_namespaces": _search_namespace,
    "vectorize": _vectorize,
    "d1_databases": _d1,
    "r2_buckets": _r2,
    "kv_namespaces": _kv,
    "services": _service,
    "dispatch_namespaces": _dispatch,
    "hyperdrive": hyperdrive,
    "secrets_store_secrets": _stored_secret,
    "ratelimits": _rate_limit,
    "analytics_engine_datasets": _analytics,
    "send_email": _email,
    "workflows": _workflow,
}
# Kinds that only other tools bind; an environment has its own or none.
OTHERS = {
    "artifacts",
    "browser",
    "cloudchamber",
    "containers",
    "durable_objects",
    "flagship",
    "images",
    "media",
    "mtls_certificates",
    "pipelines",
    "stream",
    "streaming_tail_consumers",
    "unsafe_hello_world",
    "vpc_networks",
    "vpc_services",
    "worker_loaders",
}
NOT_INHERITED = {*BINDINGS, *LISTS, *OTHERS}
