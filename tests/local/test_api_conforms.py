"""The local Cloudflare's answers have the shapes of Cloudflare's OpenAPI description."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Api

CODE = base64.b64encode(b"export default { fetch() { return new Response('hello') } }").decode()
VERSION = {
    "main_module": "index.js",
    "modules": [{"name": "index.js", "content_type": "application/javascript+module", "content_base64": CODE}],
    "compatibility_date": "2026-06-01",
    "bindings": [{"name": "AI", "type": "ai"}, {"name": "KEY", "type": "secret_text", "text": "hidden-value"}],
}
GATEWAY = {
    "id": "g",
    "cache_ttl": 0,
    "cache_invalidate_on_update": True,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
ELEMENTS = [
    {"id": "a", "type": "start", "outputs": {"next": {"elementId": "m"}}},
    {
        "id": "m",
        "type": "model",
        "properties": {"provider": "workers-ai", "model": "@cf/meta/llama-3.2-3b-instruct", "timeout": 1, "retries": 1},
        "outputs": {"success": {"elementId": "z"}, "fallback": {"elementId": "z"}},
    },
    {"id": "z", "type": "end", "outputs": {}},
]
SECRET = {"name": "s", "scopes": ["workers"], "value": "hidden-value", "comment": "a note"}
# Method, path with {names} from earlier answers, body, and the answer's field that later steps use.
STEPS: list[tuple[str, str, Any, str | None]] = [
    ("POST", "/d1/database", {"name": "one"}, "uuid"),
    ("GET", "/d1/database", None, None),
    ("GET", "/d1/database/{uuid}", None, None),
    ("PUT", "/d1/database/{uuid}", {"read_replication": {"mode": "auto"}}, None),
    ("POST", "/d1/database/{uuid}/query", {"sql": "select 1 as a"}, None),
    ("POST", "/d1/database/{uuid}/raw", {"sql": "select 1 as a"}, None),
    ("DELETE", "/d1/database/{uuid}", None, None),
    ("POST", "/storage/kv/namespaces", {"title": "one"}, "id:namespace"),
    ("GET", "/storage/kv/namespaces", None, None),
    ("GET", "/storage/kv/namespaces/{namespace}", None, None),
    ("PUT", "/storage/kv/namespaces/{namespace}", {"title": "two"}, None),
    ("GET", "/storage/kv/namespaces/{namespace}/keys", None, None),
    ("PUT", "/storage/kv/namespaces/{namespace}/bulk", [{"key": "a", "value": "1"}], None),
    ("POST", "/storage/kv/namespaces/{namespace}/bulk/get", {"keys": ["a"]}, None),
    ("DELETE", "/storage/kv/namespaces/{namespace}/bulk", ["a"], None),
    ("DELETE", "/storage/kv/namespaces/{namespace}", None, None),
    ("GET", "/tokens/permission_groups", None, None),
    ("GET", "/ai-gateway/evaluation-types", None, None),
    ("POST", "/ai-search/instances", {"id": "found"}, None),
    ("GET", "/ai-search/instances", None, None),
    ("GET", "/ai-search/instances/found", None, None),
    ("PUT", "/ai-search/instances/found", {"max_num_results": 5}, None),
    ("GET", "/ai-search/instances/found/stats", None, None),
    ("POST", "/ai-search/instances/found/search", {"query": "anything"}, None),
    ("POST", "/ai-search/instances/found/jobs", {"description": "now"}, "id:job"),
    ("GET", "/ai-search/instances/found/jobs", None, None),
    ("GET", "/ai-search/instances/found/jobs/{job}", None, None),
    ("GET", "/ai-search/instances/found/jobs/{job}/logs", None, None),
    ("PATCH", "/ai-search/instances/found/jobs/{job}", {"action": "cancel"}, None),
    ("POST", "/ai-search/instances/found/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, None),
    ("DELETE", "/ai-search/instances/found", None, None),
    ("POST", "/ai-search/tokens", {"cf_api_id": "i", "cf_api_key": "k", "name": "n"}, "id:search_token"),
    ("GET", "/ai-search/tokens", None, None),
    ("GET", "/ai-search/tokens/{search_token}", None, None),
    ("PUT", "/ai-search/tokens/{search_token}", {"cf_api_id": "i", "cf_api_key": "k", "name": "m"}, None),
    ("DELETE", "/ai-search/tokens/{search_token}", None, None),
    ("POST", "/r2/buckets", {"name": "one"}, None),
    ("GET", "/r2/buckets", None, None),
    ("GET", "/r2/buckets/one", None, None),
    ("PUT", "/r2/buckets/one/cors", {"rules": [{"allowed": {"methods": ["GET"], "origins": ["*"]}}]}, None),
    ("GET", "/r2/buckets/one/cors", None, None),
    ("GET", "/r2/buckets/one/lifecycle", None, None),
    ("DELETE", "/r2/buckets/one", None, None),
    ("POST", "/queues", {"queue_name": "one"}, "queue_id"),
    ("GET", "/queues", None, None),
    ("GET", "/queues/{queue_id}", None, None),
    ("PUT", "/queues/{queue_id}", {"settings": {"delivery_delay": 3}}, None),
    ("POST", "/queues/{queue_id}/consumers", {"type": "http_pull"}, "consumer_id"),
    ("GET", "/queues/{queue_id}/consumers/{consumer_id}", None, None),
    ("POST", "/queues/{queue_id}/messages", {"body": "x"}, None),
    ("POST", "/queues/{queue_id}/messages/pull", {"batch_size": 1}, None),
    ("DELETE", "/queues/{queue_id}/consumers/{consumer_id}", None, None),
    ("POST", "/queues/{queue_id}/messages", {"body": "x"}, None),
    ("POST", "/queues/{queue_id}/messages/peek", {"batch_size": 1}, None),
    ("POST", "/queues/{queue_id}/messages/purge", {"refs": [{"ref": "none"}]}, None),
    ("POST", "/queues/{queue_id}/messages/preview", {"batch_size": 1}, None),
    ("POST", "/queues/{queue_id}/messages/preview/ack", {"acks": []}, None),
    ("POST", "/queues/{queue_id}/purge", {"delete_messages_permanently": True}, None),
    ("GET", "/queues/{queue_id}/purge", None, None),
    ("DELETE", "/queues/{queue_id}", None, None),
    ("POST", "/vectorize/v2/indexes", {"name": "one", "config": {"dimensions": 3, "metric": "cosine"}}, None),
    ("GET", "/vectorize/v2/indexes", None, None),
    ("GET", "/vectorize/v2/indexes/one", None, None),
    ("GET", "/vectorize/v2/indexes/one/info", None, None),
    ("POST", "/vectorize/v2/indexes/one/metadata_index/create", {"propertyName": "p", "indexType": "string"}, None),
    ("GET", "/vectorize/v2/indexes/one/metadata_index/list", None, None),
    ("POST", "/vectorize/v2/indexes/one/query", {"vector": [1, 0, 0]}, None),
    ("GET", "/vectorize/v2/indexes/one/list", None, None),
    ("DELETE", "/vectorize/v2/indexes/one", None, None),
    ("POST", "/ai-gateway/gateways", GATEWAY, None),
    ("GET", "/ai-gateway/gateways", None, None),
    ("GET", "/ai-gateway/gateways/g", None, None),
    ("PUT", "/ai-gateway/gateways/g", GATEWAY, None),
    ("POST", "/ai-gateway/gateways/g/routes", {"name": "r", "elements": ELEMENTS}, "id:route"),
    ("GET", "/ai-gateway/gateways/g/routes", None, None),
    ("GET", "/ai-gateway/gateways/g/routes/{route}", None, None),
    ("POST", "/ai-gateway/gateways/g/routes/{route}/versions", {"elements": ELEMENTS}, "version_id"),
    ("POST", "/ai-gateway/gateways/g/routes/{route}/deployments", {"version_id": "{version_id}"}, None),
    ("GET", "/ai-gateway/gateways/g/routes/{route}/versions/{version_id}", None, None),
    ("GET", "/ai-gateway/gateways/g/logs", None, None),
    ("DELETE", "/ai-gateway/gateways/g/logs", None, None),
    ("DELETE", "/ai-gateway/gateways/g/routes/{route}", None, None),
    (
        "POST",
        "/ai-gateway/gateways/g/provider_configs",
        {"alias": "a", "default_config": True, "provider_slug": "openai", "secret": "sk-hidden"},
        None,
    ),
    ("GET", "/ai-gateway/gateways/g/provider_configs", None, None),
    ("DELETE", "/ai-gateway/gateways/g", None, None),
    (
        "POST",
        "/ai-gateway/custom-providers",
        {"name": "one", "slug": "one", "base_url": "https://llm.example.com/v1"},
        "id:provider",
    ),
    ("GET", "/ai-gateway/custom-providers", None, None),
    ("GET", "/ai-gateway/custom-providers/{provider}", None, None),
    ("DELETE", "/ai-gateway/custom-providers/{provider}", None, None),
    ("POST", "/secrets_store/stores", {"name": "default_secrets_store"}, "id:store"),
    ("GET", "/secrets_store/stores", None, None),
    ("GET", "/secrets_store/stores/{store}", None, None),
    ("POST", "/secrets_store/stores/{store}/secrets", [SECRET], None),
    ("GET", "/secrets_store/stores/{store}/secrets", None, "0.id:secret"),
    ("GET", "/secrets_store/stores/{store}/secrets/{secret}", None, None),
    ("PATCH", "/secrets_store/stores/{store}/secrets/{secret}", {"value": "hidden-too"}, None),
    (
        "POST",
        "/secrets_store/stores/{store}/secrets/{secret}/duplicate",
        {"name": "two", "scopes": ["workers"]},
        "id:copy",
    ),
    ("GET", "/secrets_store/quota", None, None),
    ("DELETE", "/secrets_store/stores/{store}/secrets/{copy}", None, None),
    ("DELETE", "/secrets_store/stores/{store}/secrets/{secret}", None, None),
    ("DELETE", "/secrets_store/stores/{store}", None, None),
    ("POST", "/workers/workers", {"name": "one"}, "id:worker"),
    ("GET", "/workers/workers", None, None),
    ("GET", "/workers/workers/{worker}", None, None),
    ("PUT", "/workers/workers/{worker}", {"name": "one", "tags": ["a"]}, None),
    ("POST", "/workers/workers/{worker}/versions", VERSION, "id:version"),
    ("GET", "/workers/workers/{worker}/versions", None, None),
    ("GET", "/workers/workers/{worker}/versions/{version}", None, None),
    (
        "POST",
        "/workers/scripts/one/deployments",
        {"strategy": "percentage", "versions": [{"version_id": "{version}", "percentage": 100}]},
        "id:deployment",
    ),
    ("GET", "/workers/scripts/one/deployments", None, None),
    ("GET", "/workers/scripts/one/deployments/{deployment}", None, None),
    ("GET", "/workers/scripts/one/settings", None, None),
    ("GET", "/workers/scripts/one/secrets", None, None),
    ("GET", "/workers/scripts/one/secrets/KEY", None, None),
    ("PATCH", "/workers/scripts/one/secrets-bulk", {"secrets": {}}, None),
    ("GET", "/workers/scripts-search", None, None),
    ("GET", "/workers/account-settings", None, None),
    ("PUT", "/workers/account-settings", {"green_compute": True}, None),
    ("GET", "/tokens/verify", None, None),
    ("GET", "/ai/models/search", None, None),
    ("GET", "/ai/models/schema?model=@cf/meta/llama-3.2-3b-instruct", None, None),
    ("GET", "/ai/tasks/search", None, None),
    ("GET", "/ai/finetunes/public", None, None),
    ("PUT", "/workers/scripts/one/schedules", [{"cron": "*/5 * * * *"}], None),
    ("GET", "/workers/scripts/one/schedules", None, None),
    ("POST", "/workers/scripts/one/subdomain", {"enabled": True}, None),
    ("GET", "/workers/subdomain", None, None),
    ("DELETE", "/workers/workers/{worker}", None, None),
]


def test_every_answer_fits_the_description(cloudflare: Api, openapi: dict[str, Any]) -> None:
    names: dict[str, str] = {}
    problems = []
    for method, path, body, keep in STEPS:
        target = path.format(**names)
        if isinstance(body, dict):
            body = {k: v.format(**names) if k == "version_id" else v for k, v in body.items()}
            if "versions" in body:
                body["versions"] = [v | {"version_id": v["version_id"].format(**names)} for v in body["versions"]]
        answer = cloudflare.client.request(method, target, json=body)
        assert answer.status_code < 300, f"{method} {target}: {answer.text}"
        content = answer.json()
        assert "hidden" not in answer.text.replace('"hide_experimental"', "")
        if keep:
            field, _, name = keep.partition(":")
            place, _, inner = field.rpartition(".")
            result = content["result"][int(place)] if place else content["result"]
            names[name or inner] = result[inner]
        problems += [f"{method} {path}: {problem}" for problem in mismatches(openapi, method, path, content)]
    assert not problems, "\n".join(problems)


def mismatches(openapi: dict[str, Any], method: str, path: str, content: Any) -> list[str]:
    """What the description of the operation says against the answer; null stands for an absent field."""
    paths = openapi["paths"]
    described = next(
        p for p in paths if matches(p, "/accounts/{account_id}" + path.partition("?")[0]) and method.lower() in paths[p]
    )
    responses = paths[described][method.lower()]["responses"]
    schema = next(r for status, r in responses.items() if status.startswith("2"))
    schema = schema.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return []
    validator = Draft202012Validator({**schema, "components": openapi["components"]})
    errors = [e for e in validator.iter_errors(content) if e.instance is not None]
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors]


def matches(described: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(described))
    return re.fullmatch(pattern, path) is not None


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": ""}, 400, 6003),
        ({"authorization": "Bearer wrong"}, 401, 10000),
        ({"authorization": "Basic abc"}, 400, 6003),
    ],
    ids=["empty", "wrong", "another scheme"],
)
def test_credentials_are_checked(cloudflare: Api, headers: dict[str, str], status: int, code: int) -> None:
    answer = cloudflare.client.get("/queues", headers=headers)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/d1/database/nope", None, 404, 7404),
        ("POST", "/d1/database", {"name": ""}, 400, 7400),
        ("GET", "/storage/kv/namespaces/nope", None, 404, 10013),
        ("GET", "/r2/buckets/nope", None, 404, 10006),
        ("POST", "/r2/buckets", {"name": "NOPE"}, 400, 10005),
        ("POST", "/queues", {"queue_name": "No!"}, 400, 11003),
        ("GET", "/vectorize/v2/indexes/nope", None, 404, 3000),
        ("POST", "/vectorize/v2/indexes", {"name": "x", "config": {"dimensions": 0, "metric": "cosine"}}, 400, 3001),
        ("GET", "/ai-gateway/gateways/nope", None, 404, 7002),
        ("GET", "/secrets_store/stores/nope/secrets", None, 400, 1001),
        ("GET", "/workers/workers/nope", None, 404, 10007),
        ("GET", "/workers/services/nope", None, 404, 10090),
        ("GET", "/pages/projects", None, 404, 7003),
        ("POST", "/ai/run/@cf/nope", {"text": "x"}, 400, 5007),
    ],
)
def test_errors_carry_cloudflares_codes(
    cloudflare: Api, method: str, path: str, body: Any, status: int, code: int
) -> None:
    answer = cloudflare.client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/d1/database", {"name": "twice"}),
        ("/storage/kv/namespaces", {"title": "twice"}),
        ("/queues", {"queue_name": "twice"}),
        ("/r2/buckets", {"name": "twice"}),
        ("/workers/workers", {"name": "twice"}),
    ],
)
def test_a_repeated_create_gives_the_same_object_only_to_who_made_it(cloudflare: Api, path: str, body: Any) -> None:
    mine = {"x-inferstack-idempotency-key": "mine"}
    first = cloudflare.client.post(path, json=body, headers=mine)
    again = cloudflare.client.post(path, json=body, headers=mine)
    assert again.status_code == first.status_code == 200
    assert again.json()["result"] == first.json()["result"]
    for headers in ({"x-inferstack-idempotency-key": "theirs"}, {}):
        assert cloudflare.client.post(path, json=body, headers=headers).status_code in (400, 409)
