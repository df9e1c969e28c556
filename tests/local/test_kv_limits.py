"""KV's limits, at the limit and one over, in the words that a Worker is told. Sources: facts, Cloudflare's simulator."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { how, key, size, options, keys, ...rest } = await request.json();
  const done = async () => {
    if (how === "put") { await env.KV.put(key ?? "k", "x".repeat(size ?? 1), options); return "kept"; }
    if (how === "many") { return (await env.KV.get(Array.from({ length: keys }, (_, i) => "k" + i), options)).size; }
    if (how === "noted") {
      await env.KV.put(key, "x", options);
      return JSON.stringify((await env.KV.list({ prefix: key })).keys[0].metadata);
    }
    if (how === "list") { return (await env.KV.list(options)).keys.length >= 0; }
    return env.KV.get(key ?? "k", options);
  };
  return new Response(await done().catch((error) => error.message));
} };"""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def told(cloudflare: Api) -> Any:
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "limits"}).json()["result"]["id"]
    deploy(cloudflare, "kv-limits", CODE, [{"type": "kv_namespace", "name": "KV", "namespace_id": namespace}])
    return lambda **asked: cloudflare.worker("kv-limits", "POST", "/", json=asked).text


def at(seconds: int) -> dict[str, Any]:
    return {"expiration": int(time.time()) + seconds}


@pytest.mark.parametrize(
    "asked",
    [
        {"how": "put", "key": "k" * 512},
        {"how": "put", "key": "é" * 256},
        {"how": "put", "size": 25 * MIB},
        {"how": "put", "options": {"metadata": "x" * 1022}},
        {"how": "put", "options": {"metadata": "é" * 511}},
        {"how": "put", "options": {"expirationTtl": 60}},
    ],
    ids=str,
)
def test_at_the_limit_a_value_is_kept(told: Any, asked: dict[str, Any]) -> None:
    assert told(**asked) == "kept"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (75, None),
        (30, "Expiration times must be at least 60 seconds in the future."),
        (-100, "Please specify integer greater than the current number of seconds since the UNIX epoch."),
    ],
)
def test_an_entry_ends_a_minute_from_now_at_the_earliest(told: Any, seconds: int, words: str | None) -> None:
    options = at(seconds)
    said = told(how="put", options=options)
    assert said == (f"KV PUT failed: 400 Invalid expiration of {options['expiration']}. {words}" if words else "kept")


def test_at_the_limit_reads_are_answered(told: Any) -> None:
    assert told(how="many", keys=100) == "100"
    assert told(how="list", options={"limit": 1000}) == "true"
    assert "failed" not in told(how="get", options={"cacheTtl": 30})


PUT = "KV PUT failed: "


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"how": "put", "key": "k" * 513}, PUT + "414 UTF-8 encoded length of 513 exceeds key length limit of 512."),
        ({"how": "put", "key": "é" * 257}, PUT + "414 UTF-8 encoded length of 514 exceeds key length limit of 512."),
        ({"how": "put", "key": ""}, "Key name cannot be empty."),
        ({"how": "put", "key": ".."}, '".." is not allowed as a key name.'),
        (
            {"how": "put", "size": 25 * MIB + 1},
            PUT + f"413 Value length of {25 * MIB + 1} exceeds limit of {25 * MIB}.",
        ),
        (
            {"how": "put", "options": {"metadata": "x" * 1023}},
            PUT + "413 Metadata length of 1025 exceeds limit of 1024.",
        ),
        (
            {"how": "put", "options": {"expirationTtl": 59}},
            PUT + "400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60.",
        ),
        ({"how": "many", "keys": 101}, "KV GET_BULK failed: 400 You can request a maximum of 100 keys"),
        ({"how": "many", "keys": 0}, "KV GET_BULK failed: 400 You must request a minimum of 1 key"),
        (
            {"how": "get", "options": {"cacheTtl": 29}},
            "KV GET failed: 400 Invalid cache_ttl of 29. Cache TTL must be at least 30.",
        ),
        (
            {"how": "list", "options": {"limit": 1001}},
            "KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000.",
        ),
    ],
    ids=str,
)
def test_one_over_is_refused_in_cloudflare_s_words(told: Any, asked: dict[str, Any], words: str) -> None:
    assert told(**asked) == words


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("values/" + "k" * 513, b"x", 10030),
        ("values/k", b"x" * (25 * MIB + 1), 10033),
        ("values/k?expiration_ttl=59", b"x", 10034),
        ("values/k?expiration=1000", b"x", 10035),
        ("bulk", json.dumps([{"key": f"k{n}", "value": "x"} for n in range(10_001)]).encode(), 10012),
    ],
    ids=["key", "value", "ttl", "past", "bulk"],
)
def test_the_api_refuses_it_by_code(cloudflare: Api, told: Any, path: str, body: bytes, code: int) -> None:
    [namespace] = cloudflare.client.get("/storage/kv/namespaces").json()["result"]
    answer = cloudflare.client.put(f"/storage/kv/namespaces/{namespace['id']}/{path}", content=body)
    assert (answer.is_success, answer.json()["errors"][0]["code"]) == (False, code)


@pytest.mark.parametrize("metadata", ["text", "5", '"', 5, False, [1], {"a": None}], ids=str)
def test_a_list_has_metadata_of_any_type(told: Any, metadata: Any) -> None:
    assert json.loads(told(how="noted", key="noted", options={"metadata": metadata})) == metadata


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"how": "get", "key": [""]}, "400 Key names must not be empty"),
        ({"how": "get", "key": ["."]}, '400 Illegal key name "."'),
        ({"how": "get", "key": ["k" * 513]}, "414 UTF-8 encoded length of 513"),
        ({"how": "get", "key": ["k"], "options": "stream"}, '400 "stream" is not a valid type. Use "json" or "text"'),
        ({"how": "list", "options": {"prefix": "k" * 513}}, "414 UTF-8 encoded length of 513"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_keys_that_workerd_lets_through(told: Any, asked: dict[str, Any], words: str) -> None:
    assert words in told(**asked)
