"""Paths that wrangler, the SDKs and Terraform ask beside the products' main ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from inferstack import local
from tests.conftest import Api


def result(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["result"]


def api(cloudflare: Api, path: str, **query: str) -> Any:
    return result(cloudflare.client.get(cloudflare.running.base_url + path, params=query))


def test_who_a_token_is(cloudflare: Api) -> None:
    [membership] = api(cloudflare, "/memberships")
    assert membership["account"]["id"] == local.ACCOUNT_ID
    assert api(cloudflare, "/memberships", status="pending") == []
    assert api(cloudflare, f"/memberships/{membership['id']}") == membership
    assert result(cloudflare.client.get("/tokens/verify"))["status"] == "active"


def test_a_name_that_is_asked_for_is_a_zone(cloudflare: Api) -> None:
    [zone] = api(cloudflare, "/zones", name="shop.example.com")
    assert (zone["name"], zone["status"], zone["account"]["id"]) == ("shop.example.com", "active", local.ACCOUNT_ID)
    assert api(cloudflare, f"/zones/{zone['id']}") == zone
    assert {zone[f"original_{name}"] for name in ("name_servers", "registrar", "dnshost")} == {None}
    assert api(cloudflare, "/zones", name="contains:shop") == [zone]
    assert api(cloudflare, "/zones", name="starts_with:example") == []
    assert api(cloudflare, "/zones", name="no zone") == []
    assert api(cloudflare, "/zones", name="shop.example.com", **{"account.id": "f" * 32}) == []
    missing = cloudflare.client.get(cloudflare.running.base_url + "/zones/nope")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, 7003)


def test_kv_reads_and_deletes_in_bulk(cloudflare: Api) -> None:
    space = (
        "/storage/kv/namespaces/" + result(cloudflare.client.post("/storage/kv/namespaces", json={"title": "b"}))["id"]
    )
    entries = [{"key": "a", "value": "1"}, {"key": "b", "value": '{"x":2}', "metadata": {"m": 1}}]
    result(cloudflare.client.put(space + "/bulk", json=entries))

    def get(**body: Any) -> Any:
        return result(cloudflare.client.post(space + "/bulk/get", json=body))["values"]

    assert get(keys=["a", "b", "c"]) == {"a": "1", "b": '{"x":2}', "c": None}
    assert get(keys=["b"], type="json", withMetadata=True) == {"b": {"value": {"x": 2}, "metadata": {"m": 1}}}
    for odd, code in (({"keys": []}, 10029), ({"keys": ["a"] * 101}, 10012), ({"keys": ["a"], "type": "x"}, 10012)):
        refused = cloudflare.client.post(space + "/bulk/get", json=odd)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    assert result(cloudflare.client.request("DELETE", space + "/bulk", json=["a", "b"]))["successful_key_count"] == 2
    assert get(keys=["a", "b"]) == {"a": None, "b": None}


@pytest.fixture
def queue(cloudflare: Api) -> str:
    made = result(cloudflare.client.post("/queues", json={"queue_name": "looked-at"}))
    for body in ("one", "two"):
        result(cloudflare.client.post(f"/queues/{made['queue_id']}/messages", json={"body": body}))
    yield f"/queues/{made['queue_id']}"  # type: ignore[misc]
    cloudflare.client.delete(f"/queues/{made['queue_id']}")


def test_messages_are_looked_at_without_a_consumer(cloudflare: Api, queue: str) -> None:
    def post(path: str, **body: Any) -> Any:
        return result(cloudflare.client.post(queue + path, json=body))

    peeked = post("/messages/peek", batch_size=5)["messages"]
    assert sorted(m["body"] for m in peeked) == ["one", "two"]
    assert len(post("/messages/peek")["messages"]) == 2
    first = post("/messages/purge", refs=[{"ref": peeked[0]["ref"]}, {"ref": "nope"}])
    assert list(first["warnings"]) == ["nope"]
    [left] = post("/messages/preview")["messages"]
    assert post("/messages/preview")["messages"] == []
    assert post("/messages/preview/ack", acks=[{"lease_id": left["lease_id"]}])["ackCount"] == 1
    assert result(cloudflare.client.get(queue + "/metrics"))["backlog_count"] == 0


def test_a_purge_is_remembered(cloudflare: Api, queue: str) -> None:
    assert result(cloudflare.client.get(queue + "/purge")) == {"started_at": None, "completed": None}
    result(cloudflare.client.post(queue + "/purge", json={"delete_messages_permanently": True}))
    after = result(cloudflare.client.get(queue + "/purge"))
    assert after["started_at"] <= after["completed"]


@pytest.mark.parametrize(("name", "code"), [({"a": 1}, 100128), ("No!", 11003), (None, 11003), ("taken", 11009)])
def test_a_queue_keeps_its_name_when_the_new_one_is_none(cloudflare: Api, queue: str, name: Any, code: int) -> None:
    cloudflare.client.post("/queues", json={"queue_name": "taken"})
    refused = cloudflare.client.patch(queue, json={"queue_name": name})
    assert refused.json()["errors"][0]["code"] == code
    assert result(cloudflare.client.get(queue))["queue_name"] == "looked-at"


def test_a_secret_is_duplicated_and_a_store_emptied_by_force(cloudflare: Api) -> None:
    stores = result(cloudflare.client.get("/secrets_store/stores"))
    stores = stores or [result(cloudflare.client.post("/secrets_store/stores", json={"name": "s"}))]
    store = f"/secrets_store/stores/{stores[0]['id']}"
    entry = {"name": "one", "scopes": ["workers"], "value": "hidden"}
    [made] = result(cloudflare.client.post(store + "/secrets", json=[entry]))
    copy = cloudflare.client.post(
        f"{store}/secrets/{made['id']}/duplicate", json={"name": "two", "scopes": ["workers"]}
    )
    assert result(copy)["name"] == "two"
    assert "hidden" not in copy.text
    assert result(cloudflare.client.get("/secrets_store/quota"))["secrets"] == {"quota": 100, "usage": 2}
    again = cloudflare.client.post(
        f"{store}/secrets/{made['id']}/duplicate", json={"name": "two", "scopes": ["workers"]}
    )
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, 1003)
    assert cloudflare.client.delete(store).status_code == 409
    result(cloudflare.client.delete(store, params={"force": "true"}))
    assert result(cloudflare.client.get("/secrets_store/stores")) == []


def test_the_account_s_settings_of_workers(cloudflare: Api) -> None:
    path = "/workers/account-settings"
    assert result(cloudflare.client.get(path)) == {"default_usage_model": "standard", "green_compute": False}
    assert result(cloudflare.client.put(path, json={"green_compute": True}))["green_compute"] is True
    assert result(cloudflare.client.get(path))["green_compute"] is True


def test_models_are_listed_with_schemas_tasks_and_authors(cloudflare: Api) -> None:
    name = "@cf/meta/llama-3.2-3b-instruct"
    [found] = result(cloudflare.client.get("/ai/models/search", params={"search": name}))
    assert re.fullmatch(r"[0-9a-f-]{36}", found["id"])
    assert found["task"]["id"] in [task["id"] for task in result(cloudflare.client.get("/ai/tasks/search"))]
    schema = result(cloudflare.client.get("/ai/models/schema", params={"model": name}))
    assert "messages" in json.dumps(schema["input"])
    older = result(cloudflare.client.get("/ai/models/schema", params={"model": "@cf/meta/llama-3.1-8b-instruct"}))
    assert "prompt" in json.dumps(older["input"])
    unknown = cloudflare.client.get("/ai/models/schema", params={"model": "@cf/none/none"})
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (404, 5007)
    authors = [author["name"] for author in result(cloudflare.client.get("/ai/authors/search"))]
    assert "meta" in authors
    of_one = result(cloudflare.client.get("/ai/models/search", params={"author": "meta"}))
    assert of_one and all("/meta/" in model["name"] for model in of_one)
    assert result(cloudflare.client.get("/ai/finetunes/public"))[0]["public"] is True
    refused = cloudflare.client.post("/ai/finetunes", json={"model": name, "name": "mine"})
    assert "LoRA" in refused.json()["errors"][0]["message"]


def test_a_model_may_be_named_in_the_body(cloudflare: Api) -> None:
    body = {"model": "@cf/baai/bge-small-en-v1.5", "input": {"text": ["hello"]}}
    assert result(cloudflare.client.post("/ai/run", json=body))["shape"] == [1, 384]
    odd = cloudflare.client.post("/ai/run", json={"model": 7, "input": {}})
    assert (odd.status_code, odd.json()["errors"][0]["code"]) == (400, 5006)
    assert cloudflare.client.post("/ai/run/", json=body).status_code in (400, 404)


@pytest.fixture(scope="module")
def logged(cloudflare: Api) -> str:
    """A gateway through which three requests went: two models, one of them twice."""
    body = {"id": "logged", "cache_ttl": 0, "cache_invalidate_on_update": True, "collect_logs": True}
    body |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    result(cloudflare.client.post("/ai-gateway/gateways", json=body))
    base = cloudflare.running.base_url.replace("/client/v4", "") + f"/v1/{local.ACCOUNT_ID}/logged/workers-ai/"
    for model, content in ((CHAT, {"prompt": "one"}), (CHAT, {"prompt": "two"}), (EMBEDDING, {"text": ["three"]})):
        assert cloudflare.client.post(base + model, json=content).status_code == 200
    return "/ai-gateway/gateways/logged/logs"


CHAT, EMBEDDING = "@cf/meta/llama-3.2-3b-instruct", "@cf/baai/bge-small-en-v1.5"


@pytest.mark.parametrize(
    ("query", "models"),
    [
        ({}, [EMBEDDING, CHAT, CHAT]),
        ({"model": CHAT}, [CHAT, CHAT]),
        ({"search": "three"}, [EMBEDDING]),
        ({"order_by": "model", "order_by_direction": "asc"}, [EMBEDDING, CHAT, CHAT]),
        ({"success": "false"}, []),
        ({"cached": "false", "provider": "workers-ai"}, [EMBEDDING, CHAT, CHAT]),
        ({"min_tokens_out": "1"}, [CHAT, CHAT]),
        ({"end_date": "2020-01-01T00:00:00Z"}, []),
        ({"start_date": "2020-01-01T00:00:00Z", "max_cost": "1000"}, [EMBEDDING, CHAT, CHAT]),
        ({"filters[key]": "model", "filters[operator]": "contains", "filters[value]": "bge"}, [EMBEDDING]),
        ({"filters[key]": "tokens", "filters[operator]": "lt", "filters[value]": "0"}, []),
    ],
)
def test_logs_are_filtered(cloudflare: Api, logged: str, query: dict[str, str], models: list[str]) -> None:
    assert [log["model"] for log in result(cloudflare.client.get(logged, params=query))] == models


@pytest.mark.parametrize(
    "query",
    [
        {"order_by": "mood"},
        {"min_cost": "much"},
        {"start_date": "soon"},
        {"filters[key]": "model"},
        {"filters[key]": "x'--", "filters[operator]": "eq", "filters[value]": "1"},
        {"filters[key]": "cost", "filters[operator]": "gt", "filters[value]": "x"},
    ],
)
def test_odd_filters_are_refused(cloudflare: Api, logged: str, query: dict[str, str]) -> None:
    assert cloudflare.client.get(logged, params=query).status_code == 400
    assert cloudflare.client.delete(logged, params=query).status_code == 400
    assert len(result(cloudflare.client.get(logged))) == 3


def test_logs_are_deleted_by_filter(cloudflare: Api, logged: str) -> None:
    assert cloudflare.client.delete(logged, params={"model": CHAT, "limit": "1"}).json() == {"success": True}
    left = result(cloudflare.client.get(logged))
    assert [log["model"] for log in left] == [EMBEDDING, CHAT]
    request = cloudflare.client.get(f"{logged}/{left[1]['id']}/request").json()
    assert request["prompt"] == "two"
    assert cloudflare.client.delete(logged).is_success
    assert result(cloudflare.client.get(logged)) == []


@pytest.mark.parametrize(
    ("path", "product"),
    [
        ("/r2/buckets/any/sippy", "Sippy"),
        ("/r2-catalog/any", "R2 Data Catalog"),
        ("/pages/projects", "Pages"),
        ("/event_subscriptions/subscriptions", "Event subscriptions"),
    ],
)
def test_a_product_that_is_not_here_is_told_by_name(cloudflare: Api, path: str, product: str) -> None:
    answer = cloudflare.client.get(path)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (404, 7003)
    assert error["message"].startswith(f"{product}")


@pytest.mark.parametrize("field", ["environment", "zone_id", "zone_name"])
def test_a_domain_of_a_worker_is_not_stored_with_a_field_of_another_kind(cloudflare: Api, field: str) -> None:
    files = {
        "metadata": (None, json.dumps({"main_module": "w.js", "compatibility_date": "2026-06-01"})),
        "w.js": ("w.js", "export default { fetch() { return new Response() } }", "application/javascript+module"),
    }
    result(cloudflare.client.put("/workers/scripts/domained", files=files))
    body = {"hostname": "odd.example.com", "service": "domained", field: {"a": 1}}
    refused = cloudflare.client.put("/workers/domains", json=body)
    assert (refused.status_code, len(refused.json()["errors"])) == (400, 1)
    assert api(cloudflare, f"/accounts/{local.ACCOUNT_ID}/workers/domains", hostname="odd.example.com") == []


@pytest.mark.parametrize(
    ("path", "product"),
    [
        ("/cfd_tunnel", "Cloudflare Tunnel"),
        ("/flagship/apps", "Flagship"),
        ("/challenges/widgets", "Turnstile"),
        ("/email/sending/zones", "Email Sending"),
        ("/email/routing/zones", "Email Routing"),
    ],
)
def test_products_that_are_not_here_are_told_by_name(cloudflare: Api, path: str, product: str) -> None:
    answer = cloudflare.client.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)
    assert answer.json()["errors"][0]["message"].startswith(f"{product} cannot run on the local Cloudflare")


def test_a_lifecycle_rule_without_a_prefix_is_of_all_objects(cloudflare: Api) -> None:
    result(cloudflare.client.post("/r2/buckets", json={"name": "no-prefix"}))
    result(cloudflare.client.put("/r2/buckets/no-prefix/objects/a", content=b"1"))
    due = {"condition": {"type": "Date", "date": "2026-01-01T00:00:00Z"}}
    rule = {"id": "r", "enabled": True, "conditions": {}, "deleteObjectsTransition": due}
    result(cloudflare.client.put("/r2/buckets/no-prefix/lifecycle", json={"rules": [rule]}))
    now = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/lifecycle"
    assert result(cloudflare.client.post(now))["deleted"] == 1
