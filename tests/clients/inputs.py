"""Where what the SDK's tests pass would be refused by Cloudflare too: what they mean instead.

Each is a function of what would be passed, of the things that were made, and of who makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from things import CODE, ELEMENTS, Things

Input = Callable[[dict[str, Any], dict[str, Any], Things], dict[str, Any]]
MODULE = ("worker.js", CODE, "application/javascript+module")
LINES = b'{"id":"a","values":[1,2,3]}\n'


def fresh(field: str, kind: str) -> Input:
    return lambda given, _, things: given | {field: things.name(kind)}


def instead(**values: Any) -> Input:
    return lambda given, *_: given | {key: value for key, value in values.items() if key in given}


INPUTS: dict[str, Input] = {
    "d1.database.create": fresh("name", "db"),
    "kv.namespaces.create": fresh("title", "kv"),
    "kv.namespaces.update": fresh("title", "kv"),
    "r2.buckets.create": fresh("name", "bucket"),
    "queues.create": fresh("queue_name", "queue"),
    "vectorize.indexes.create": fresh("name", "index"),
    "vectorize.indexes.query": instead(vector=[0.5, 0.5, 0.5], filter={}),
    "vectorize.indexes.insert": lambda given, *_: given | {"body": LINES},
    "vectorize.indexes.upsert": lambda given, *_: given | {"body": LINES},
    "ai_gateway.create": fresh("id", "gateway"),
    "ai_gateway.custom_providers.create": fresh("slug", "provider"),
    "ai_gateway.dynamic_routing.create": instead(elements=ELEMENTS),
    "ai_gateway.dynamic_routing.create_version": instead(elements=ELEMENTS),
    "secrets_store.stores.create": fresh("name", "store"),
    "workers.beta.workers.create": fresh("name", "worker"),
    "workers.routes.create": fresh("pattern", "example.com/x"),
    "workers.scripts.update": lambda given, *_: given | {"metadata": {"main_module": "worker.js"}, "files": [MODULE]},
    "workers.scripts.content.update": lambda given, *_: (
        given | {"metadata": {"main_module": "worker.js"}, "files": [MODULE]}
    ),
    "workers.scripts.versions.create": lambda given, *_: given | {"files": [MODULE]},
}
