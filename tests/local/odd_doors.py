"""The doors by which settings of things are changed, each with a body that is right in every field, and what uses the thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.clients.things import GATEWAY, Things

RULES = {
    "id": "r",
    "enabled": True,
    "conditions": {"prefix": "logs/"},
    "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 86_400}},
    "storageClassTransitions": [
        {"condition": {"type": "Date", "date": "2027-01-01T00:00:00Z"}, "storageClass": "InfrequentAccess"}
    ],
}
CORS = {
    "allowed": {"methods": ["GET"], "origins": ["*"], "headers": ["a"]},
    "exposeHeaders": ["b"],
    "maxAgeSeconds": 60,
}
LOCK = {"id": "r", "enabled": True, "prefix": "none/", "condition": {"type": "Age", "maxAgeSeconds": 60}}
DATABASE = {"scheme": "postgres", "host": "127.0.0.1", "port": 1, "database": "d", "user": "u", "password": "p"}
DRIVE = {
    "name": "drive",
    "origin": DATABASE,
    "caching": {"disabled": False, "max_age": 60, "stale_while_revalidate": 5},
}
DRIVE["origin_connection_limit"] = 10
ROUTED = [
    {"id": "a", "type": "start", "outputs": {"next": {"elementId": "p"}}},
    {"id": "p", "type": "percentage", "outputs": {"50%": {"elementId": "c"}, "else": {"elementId": "m"}}},
    {
        "id": "c",
        "type": "conditional",
        "properties": {"conditions": {"metadata.plan": {"$eq": "free"}}},
        "outputs": {"true": {"elementId": "m"}, "false": {"elementId": "m"}},
    },
    {
        "id": "m",
        "type": "model",
        "properties": {
            "model": "@cf/meta/llama-3.2-3b-instruct",
            "provider": "workers-ai",
            "timeout": 9000,
            "retries": 1,
        },
        "outputs": {"success": {"elementId": "z"}, "fallback": {"elementId": "z"}},
    },
    {"id": "z", "type": "end", "outputs": {}},
]
WHOLE = GATEWAY | {
    "authentication": False,
    "dlp": {
        "enabled": True,
        "policies": [{"id": "p", "enabled": True, "action": "FLAG", "check": ["REQUEST"], "profiles": ["x"]}],
    },
    "guardrails": {"prompt": {"P1": "FLAG"}, "response": {"P1": "FLAG"}},
    "log_management": 10_000,
    "log_management_strategy": "STOP_INSERTING",
    "logpush": False,
    "otel": [{"url": "https://otel.example.com", "headers": {"a": "b"}, "authorization": "x"}],
    "rate_limiting_technique": "fixed",
    "retry_max_attempts": 2,
    "retry_delay": 100,
    "retry_backoff": "constant",
    "spend_limits": {"enabled": True, "rules": []},
}
POLICY = {
    "name": "p",
    "actor": "company:all",
    "resource": {"model": "*", "provider": "*"},
    "condition": "true",
    "action": {"type": "limit", "amount": 5, "period": "daily", "technique": "named-interval"},
}
SEARCH = {"chunk_size": 256, "chunk_overlap": 10, "max_num_results": 5, "score_threshold": 0.1, "cache": True}
SEARCH |= {
    "rewrite_query": False,
    "reranking": False,
    "hybrid_search_enabled": False,
    "cache_threshold": "close_enough",
}
HOW = "/ai-search/namespaces/default/instances"


@dataclass(frozen=True, slots=True)
class Door:
    """One way to change a thing: what is sent, and the requests that use it afterwards."""

    name: str
    make: Callable[[Things], dict[str, Any]]
    method: str
    path: str
    body: Any
    uses: tuple[tuple[str, str, Any], ...]
    again: bool = True  # the whole body is sent after each odd one, so that the next is one change from it


OBJECT = (
    ("PUT", "/r2/buckets/{bucket_name}/objects/logs%2Fa", b"x"),
    ("GET", "/r2/buckets/{bucket_name}/objects/logs%2Fa", None),
)
EXPIRED = (*OBJECT, ("POST", "/__local/lifecycle", {}))
ASKED = (("POST", "/v1/{account}/{gateway_id}/workers-ai/@cf/meta/llama-3.2-3b-instruct", {"prompt": "Hi"}),)
CHAT = {"model": "dynamic/r", "messages": [{"role": "user", "content": "Hi"}]}
SENT = (
    ("POST", "/queues/{queue_id}/messages", {"body": "x"}),
    ("POST", "/queues/{queue_id}/messages/pull", {"batch_size": 5}),
)
FOUND = (("POST", HOW + "/{id}/search", {"messages": [{"role": "user", "content": "text"}]}),)
DOORS = (
    Door("lifecycle", Things.bucket, "PUT", "/r2/buckets/{bucket_name}/lifecycle", {"rules": [RULES]}, EXPIRED),
    Door("lock", Things.bucket, "PUT", "/r2/buckets/{bucket_name}/lock", {"rules": [LOCK]}, EXPIRED),
    Door("cors", Things.bucket, "PUT", "/r2/buckets/{bucket_name}/cors", {"rules": [CORS]}, OBJECT),
    Door(
        "events",
        Things.notification,
        "PUT",
        "/event_notifications/r2/{bucket_name}/configuration/queues/{queue_id}",
        {"rules": [{"actions": ["PutObject"], "prefix": "logs/", "suffix": "a", "description": "d"}]},
        OBJECT,
    ),
    Door("gateway", Things.gateway, "PUT", "/ai-gateway/gateways/{gateway_id}", WHOLE, ASKED),
    Door(
        "route",
        Things.dynamic,
        "POST",
        "/ai-gateway/gateways/{gateway_id}/routes/{id}/versions",
        {"elements": ROUTED},
        (("POST", "/v1/{account}/{gateway_id}/compat/chat/completions", CHAT),),
    ),
    Door(
        "policy", Things.gateway, "POST", "/ai-gateway/gateways/{gateway_id}/policies?commit=true", POLICY, ASKED, False
    ),
    Door(
        "provider key",
        Things.gateway,
        "POST",
        "/ai-gateway/gateways/{gateway_id}/provider_configs",
        {
            "alias": "a",
            "default_config": True,
            "provider_slug": "openai",
            "secret": "s",
            "secret_id": "i",
            "rate_limit": 5,
        },
        ASKED,
        False,
    ),
    Door(
        "queue",
        Things.pulled,
        "PUT",
        "/queues/{queue_id}",
        {
            "queue_name": "odd",
            "settings": {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 3600},
        },
        SENT,
    ),
    Door(
        "consumer",
        Things.pulled,
        "PUT",
        "/queues/{queue_id}/consumers/{consumer_id}",
        {
            "type": "http_pull",
            "dead_letter_queue": "d",
            "settings": {"batch_size": 5, "max_retries": 3, "visibility_timeout_ms": 6000, "retry_delay": 1},
        },
        SENT,
    ),
    Door(
        "worker consumer",
        Things.consumed,
        "PUT",
        "/queues/{queue_id}/consumers/{consumer_id}",
        {
            "type": "worker",
            "script_name": "{script_name}",
            "settings": {
                "batch_size": 5,
                "max_retries": 3,
                "max_wait_time_ms": 100,
                "max_concurrency": 2,
                "retry_delay": 1,
            },
        },
        SENT[:1],
    ),
    Door("drive", lambda _: {}, "POST", "/hyperdrive/configs", DRIVE, (), False),
    Door("search", Things.search, "PUT", HOW + "/{id}", SEARCH, FOUND),
    Door("schedules", Things.script, "PUT", "/workers/scripts/{script_name}/schedules", [{"cron": "0 0 * * *"}], ()),
    Door(
        "custom domain",
        Things.script,
        "PUT",
        "/workers/domains",
        {
            "hostname": "odd.example.com",
            "service": "{script_name}",
            "environment": "production",
            "zone_name": "example.com",
        },
        (),
        False,
    ),
    Door(
        "workflow",
        Things.flow,
        "PUT",
        "/workflows/{workflow_name}",
        {"class_name": "Flow", "script_name": "{script_name}", "limits": {"steps": 5}},
        (("POST", "/workflows/{workflow_name}/instances", {}),),
    ),
    Door(
        "database",
        Things.database,
        "PUT",
        "/d1/database/{database_id}",
        {"read_replication": {"mode": "auto"}},
        (("POST", "/d1/database/{database_id}/query", {"sql": "select 1"}),),
    ),
    Door(
        "index",
        Things.index,
        "POST",
        "/vectorize/v2/indexes/{index_name}/metadata_index/create",
        {"propertyName": "p", "indexType": "number"},
        (("POST", "/vectorize/v2/indexes/{index_name}/query", {"vector": [1, 2, 3]}),),
        False,
    ),
    Door(
        "stored secret",
        Things.secret,
        "PATCH",
        "/secrets_store/stores/{store_id}/secrets/{secret_id}",
        {"comment": "c", "scopes": ["workers"], "value": "v"},
        (),
    ),
    Door(
        "destination",
        Things.script,
        "POST",
        "/workers/observability/destinations",
        {
            "name": "n",
            "enabled": True,
            "configuration": {
                "type": "logpush",
                "logpushDataset": "opentelemetry-traces",
                "url": "https://o.example.com",
                "headers": {"a": "b"},
            },
        },
        (),
        False,
    ),
    Door(
        "dataset",
        Things.dataset,
        "PUT",
        "/ai-gateway/gateways/{gateway_id}/datasets/{id}",
        {"name": "d", "enable": True, "filters": [{"key": "cost", "operator": "gt", "value": [1]}]},
        (*ASKED, ("GET", "/ai-gateway/gateways/{gateway_id}/datasets", None)),
    ),
    Door(
        "fault",
        Things.bucket,
        "POST",
        "/__local/faults",
        {
            "path": "/none",
            "share": 1,
            "seed": 1,
            "each": False,
            "method": "GET",
            "status": 503,
            "times": 1,
            "skip": 0,
            "delay_ms": 0,
            "seconds": 60,
            "message": "m",
            "code": 1,
        },
        (("DELETE", "/__local/faults", None),),
        False,
    ),
)
