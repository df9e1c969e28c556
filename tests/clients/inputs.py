"""Where what the SDK's tests pass would be refused by Cloudflare too: what they mean instead.

Each is a function of what would be passed, of the things that were made, and of who makes them.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

from things import CODE, ELEMENTS, Things

Input = Callable[[dict[str, Any], dict[str, Any], Things], dict[str, Any]]
MODULE = ("worker.js", CODE, "application/javascript+module")
IN_JSON = {
    "name": "worker.js",
    "content_type": "application/javascript+module",
    "content_base64": base64.b64encode(CODE.encode()).decode(),
}
OTHERS = ("migrations", "exports", "assets", "containers", "placement", "tail_consumers", "usage_model")
LINES = b'{"id":"a","values":[1,2,3]}\n'


def fresh(field: str, kind: str) -> Input:
    return lambda given, _, things: given | {field: things.name(kind)}


def instead(**values: Any) -> Input:
    return lambda given, *_: given | {key: value for key, value in values.items() if key in given}


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def without_cursor(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    return without(given, "cursor")


def dated(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    return given | {"filters": [each | {"value": ["2026-01-01T00:00:00Z"]} for each in given["filters"]]}


def one_form(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Of the two ways in which classes are declared, and of what needs others to be there, none; a date is a day."""
    if name not in given:
        return given
    day = {"compatibility_date": "2026-06-01"} if "compatibility_date" in given[name] else {}
    return given | {name: without(given[name], *OTHERS) | day}


def prompted(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    """Inputs of any task go with one model in the SDK's tests; this one takes a prompt, and the answer is read whole."""
    left = without(given, "stream")
    return left if "prompt" in given or "messages" in given else {"prompt": "Hello"} | left


def bound(given: dict[str, Any]) -> dict[str, Any]:
    """As many parameters as the SDK's statement has places for."""
    if "batch" in given:
        return given | {"batch": [{"params": ["one", "two"]} | each for each in given["batch"]]}
    return given | {"params": ["one", "two"]}


def to_now(given: dict[str, Any], made: dict[str, Any], things: Things) -> dict[str, Any]:
    """To a moment of this very database."""
    there = things.ask("GET", f"/d1/database/{made['database_id']}/time_travel/bookmark")
    return without(given, "timestamp") | {"bookmark": there["bookmark"]}


def lines(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    """The SDK calls any bytes JSON, until it is told what they are."""
    return given | {"body": LINES, "extra_headers": {"Content-Type": "application/x-ndjson"}}


def asked(given: dict[str, Any], made: dict[str, Any], _: Things) -> dict[str, Any]:
    """A question of a user, in one of its two forms; of instances that are there."""
    options = dict(given.get("aisearch_options") or {})
    options |= {"instance_ids": made["instance_ids"]} if "instance_ids" in options else {}
    without_models = {"query_rewrite", "reranking"}  # which the SDK's test calls "model"
    options = {name: value for name, value in options.items() if name not in without_models}
    said = {"messages": [{"role": "user", "content": "What?"}]} if "messages" in given else {"query": "What?"}
    left = {name: value for name, value in given.items() if name not in ("query", "messages", "model", "stream")}
    return left | said | ({"aisearch_options": options} if options else {})


def last_hour(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    """In place of the moment 0 to the moment 0, of which Cloudflare has no event either; a page has a size."""
    now = int(time.time() * 1000)
    frame = {"from": now - 3_600_000, "to": now}
    times = {"from_": frame["from"], "to": now, "timeframe": frame, "limit": 10, "granularity": 10}
    return given | {name: value for name, value in times.items() if name in given}


def addressed(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    return given | {"configuration": given["configuration"] | {"url": "https://telemetry.example.com/v1/traces"}}


def daily(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    """The rule is called "older than 24 hours", and its age is 0."""
    rules = [dict(rule) for rule in given["rules"]]
    for rule in rules:
        changes = [rule[kind] for kind in rule if kind.endswith("_transition")] + rule["storage_class_transitions"]
        for change in changes:
            change["condition"] = {"type": "Age", "max_age": 86_400}
    return given | {"rules": rules}


def uploaded(given: dict[str, Any], made: dict[str, Any], things: Things) -> dict[str, Any]:
    """An import is taken in after its file was put where the first call says."""
    content = b"create table t (a);"
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    begun = things.ask("POST", f"/d1/database/{made['database_id']}/import", json={"action": "init", "etag": etag})
    things.client.put(begun["upload_url"], content=content).raise_for_status()
    return given | {"etag": etag, "filename": begun["filename"]}


def assets(given: dict[str, Any], _: dict[str, Any], things: Things) -> dict[str, Any]:
    """Files are sent with the token of a session that waits for them."""
    sent = base64.b64encode(b"foo").decode()
    session = {"manifest": {"/foo": {"hash": "a" * 32, "size": 3}}}
    path = f"/workers/scripts/{things.script()['script_name']}/assets-upload-session"
    token = things.ask("POST", path, json=session)["jwt"]
    return given | {"body": {"a" * 32: sent}, "extra_headers": {"Authorization": f"Bearer {token}"}}


def keyed(given: dict[str, Any], *_: Any) -> dict[str, Any]:
    """A key that can be imported, in place of one without an algorithm."""
    left = without(given, "key_jwk")
    material = base64.b64encode(b"k" * 16).decode()
    return left | {"algorithm": {"name": "AES-GCM"}, "key_base64": material}


PAGES = instead(page=1, per_page=5)
SEARCHES: dict[str, Input] = {
    f"aisearch.{where}{name}": change
    for where in ("instances.", "namespaces.instances.")
    for name, change in {
        "search": asked,
        "chat_completions": asked,
        "list": instead(namespace="default"),
        "jobs.list": PAGES,
        "jobs.logs": PAGES,
        "items.list": instead(metadata_filter='{"folder": ""}', page=1, per_page=5),
        "items.logs": instead(cursor="1"),
        "items.upload": lambda given, *_: given | {"file": given["file"] | {"metadata": "{}"}},
        "update": lambda given, *_: {name: value for name, value in given.items() if name not in ("source", "type")},
    }.items()
}
INPUTS: dict[str, Input] = SEARCHES | {
    "aisearch.namespaces.search": asked,
    "aisearch.namespaces.chat_completions": asked,
    "d1.database.query": lambda given, *_: bound(given),
    "d1.database.raw": lambda given, *_: bound(given),
    "d1.database.time_travel.restore": to_now,
    "d1.database.time_travel.get_bookmark": lambda given, *_: without(given, "timestamp"),
    "d1.database.create": fresh("name", "db"),
    "kv.namespaces.create": fresh("title", "kv"),
    "kv.namespaces.update": fresh("title", "kv"),
    "r2.buckets.create": fresh("name", "bucket"),
    "queues.create": fresh("queue_name", "queue"),
    "vectorize.indexes.create": fresh("name", "index"),
    "vectorize.indexes.query": instead(vector=[0.5, 0.5, 0.5], filter={"random_metadata_property": "x"}),
    "vectorize.indexes.insert": lines,
    "vectorize.indexes.upsert": lines,
    "ai_gateway.create": fresh("id", "gateway"),
    "ai_gateway.custom_providers.create": fresh("slug", "provider"),
    "ai_gateway.dynamic_routing.create": instead(elements=ELEMENTS),
    "ai_gateway.dynamic_routing.create_version": instead(elements=ELEMENTS),
    "secrets_store.stores.create": fresh("name", "store"),
    "workers.beta.workers.create": fresh("name", "worker"),
    "workers.routes.create": fresh("pattern", "example.com/x"),
    "workers.scripts.update": lambda given, *_: given | {"metadata": {"main_module": "worker.js"}, "files": [MODULE]},
    "workers.scripts.content.update": lambda given, *_: (
        without(given, "cf_worker_main_module_part") | {"metadata": {"main_module": "worker.js"}, "files": [MODULE]}
    ),
    "queues.edit": lambda given, _, things: (
        given | ({"queue_name": things.name("queue")} if "queue_name" in given else {})
    ),
    "queues.messages.push": lambda given, *_: {"body": "x"} | given,
    "queues.messages.bulk_push": lambda given, *_: {"messages": [{"body": "x"}]} | given,
    "r2.buckets.domains.custom.create": lambda given, _, things: given | {"domain": f"{things.name('d')}.example.com"},
    "vectorize.indexes.delete_by_ids": lambda given, *_: {"ids": ["a"]} | given,
    "vectorize.indexes.get_by_ids": lambda given, *_: {"ids": ["a"]} | given,
    "vectorize.indexes.metadata_index.create": instead(property_name="another"),
    "ai.models.list": instead(page=1, per_page=5),
    "ai_gateway.provider_configs.create": lambda given, *_: given | {"secret": "hidden"},
    "secrets_store.stores.secrets.duplicate": fresh("name", "KEY"),
    "workers.beta.workers.update": fresh("name", "worker"),
    "workers.beta.workers.edit": fresh("name", "worker"),
    "workers.scripts.deployments.create": lambda given, made, _: (
        given | {"versions": [{"percentage": 100, "version_id": made["version_id"]}]}
    ),
    "workers.scripts.assets.upload.create": instead(manifest={"/foo": {"hash": "a" * 32, "size": 3}}),
    "workers.scripts.secrets.bulk_update": lambda given, *_: (
        {"secrets": {"K": {"name": "K", "text": "t", "type": "secret_text"}}} | given
    ),
    "workflows.instances.create": lambda given, _, things: (
        given
        | ({"instance_id": things.name("run")} if "instance_id" in given else {})
        | ({"params": {"a": 1}} if "params" in given else {})
    ),
    "ai_gateway.datasets.create": dated,
    "ai_gateway.datasets.update": dated,
    "workflows.instances.list": instead(date_start="2026-11-01T00:00:00Z", date_end="2026-12-01T00:00:00Z"),
    "workers.scripts.versions.create": lambda given, *_: one_form(given, "metadata") | {"files": [MODULE]},
    "workers.scripts.script_and_version_settings.edit": lambda given, *_: one_form(given, "settings"),
    "workers.beta.workers.versions.create": lambda given, *_: (
        one_form({"all": given}, "all")["all"] | {"main_module": "worker.js", "modules": [IN_JSON]}
    ),
    "kv.namespaces.keys.list": without_cursor,
    "kv.namespaces.values.update": lambda given, *_: (
        without(given, "expiration") | {"value": str(given["value"]).encode()}  # it lies in the past
    ),
    "secrets_store.stores.secrets.bulk_delete": lambda given, made, _: (
        given | {"extra_body": [{"id": made["secret_id"]}]}  # which the SDK has no parameter for
    ),
    "ai.run": prompted,
    "d1.database.import_": lambda given, made, things: (
        uploaded(given, made, things) if given["action"] == "ingest" else given
    ),
    "r2.buckets.lifecycle.update": lambda given, *_: daily(given) if "rules" in given else given,
    "workers.assets.upload.create": assets,
    "workers.scripts.secrets.update": lambda given, *_: keyed(given) if given.get("type") == "secret_key" else given,
    "workers.observability.destinations.create": addressed,
    "workers.observability.destinations.update": addressed,
    "workers.observability.telemetry.keys": last_hour,
    "workers.observability.telemetry.query": last_hour,
    "workers.observability.telemetry.values": last_hour,
}
