"""How each kind of binding gets into a Worker: what names its thing, and which module of workerd, or of ours, it is.

Facts: `dataplane.md` §3. A new product has a line here, and an entry in `products.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inferstack.local._store import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """One of `designator` (workerd has such a binding) and `module` (that wraps a fetcher) is given."""

    identity: Callable[[Document], str]
    designator: str = ""
    module: str = ""
    file: str = ""  # of a module of ours, beside capnp.py or in a product's folder
    more: Callable[[str], dict[str, tuple[str, str]]] = (
        lambda _: {}
    )  # inner bindings beside the fetcher: kind and value
    stored: bool = False  # the storage process answers
    needs: tuple[str, ...] = ()  # fields that a binding must have


def _first(*fields: str) -> Callable[[Document], str]:
    return lambda binding: next((str(binding[field]) for field in fields if binding.get(field)), "")


def _all(*fields: str) -> Callable[[Document], str]:
    """As JSON; `a.b` is `b` in `a`."""

    def value(binding: Any, path: str) -> Any:
        for part in path.split("."):
            binding = binding[part]
        return binding

    return lambda binding: json.dumps([value(binding, field) for field in fields])


def _recipients(binding: Document) -> list[str] | None:
    one: str | None = binding.get("destination_address")
    return [one] if one else binding.get("allowed_destination_addresses")


WIRINGS = {
    "ai": Wiring(identity=_first(), module="cloudflare-internal:ai-api"),
    # Both are asked by RPC, which a Worker of ours answers (ai_search/services.py).
    "ai_search": Wiring(identity=_first(), needs=("instance_name",)),
    "ai_search_namespace": Wiring(identity=_first(), needs=("namespace",)),
    # A name that the stack gives: the dataset is there when the first point comes.
    "analytics_engine": Wiring(identity=_first("dataset"), designator="analyticsEngine", needs=("dataset",)),
    "d1": Wiring(identity=_first("id", "database_id"), module="cloudflare-internal:d1-api"),
    "kv_namespace": Wiring(identity=_first("namespace_id"), designator="kvNamespace", needs=("namespace_id",)),
    "queue": Wiring(identity=_first("queue_name"), designator="queue", needs=("queue_name",)),
    "r2_bucket": Wiring(identity=_first("bucket_name"), designator="r2Bucket", stored=True, needs=("bucket_name",)),
    "ratelimit": Wiring(
        identity=_all("namespace_id", "simple.limit", "simple.period"),
        module="local:ratelimit",
        file="ratelimit.js",
        needs=("namespace_id", "simple"),
    ),
    "secrets_store_secret": Wiring(
        identity=_all("store_id", "secret_name"),
        module="local:secrets_store_secret",
        file="secret.js",
        needs=("store_id", "secret_name"),
    ),
    "send_email": Wiring(
        identity=lambda binding: json.dumps(
            {"to": _recipients(binding), "senders": binding.get("allowed_sender_addresses")}
        ),
        module="local:send_email",
        file="mail/send_email.js",
    ),
    "vectorize": Wiring(
        identity=_first("index_name"),
        module="cloudflare-internal:vectorize-api",
        needs=("index_name",),
        more=lambda index: {
            "indexId": ("text", index),
            "indexVersion": ("text", "v2"),
            "useNdJson": ("json", "true"),
        },
    ),
}
