"""Paths that wrangler, the SDKs and Terraform ask beside the products' main ones."""

from __future__ import annotations

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
    assert result(cloudflare.client.get("/tokens/verify"))["status"] == "active"


def test_a_name_that_is_asked_for_is_a_zone(cloudflare: Api) -> None:
    [zone] = api(cloudflare, "/zones", name="shop.example.com")
    assert (zone["name"], zone["status"], zone["account"]["id"]) == ("shop.example.com", "active", local.ACCOUNT_ID)
    assert api(cloudflare, f"/zones/{zone['id']}") == zone
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


@pytest.mark.parametrize(("name", "code"), [({"a": 1}, 11003), ("No!", 11003), (None, 11003), ("taken", 11009)])
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
