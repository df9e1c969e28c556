"""Workers for Platforms: a Worker hands requests to those of its customers, which the script API's forms bring and change."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

BASE = "/workers/dispatch/namespaces"
NUMBERS = itertools.count(1)  # of the namespaces in one local Cloudflare
DISPATCHER = """export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  try {
    return await env.CUSTOMERS.get(pathname.slice(1)).fetch(request);
  } catch (error) {
    if (error.message.startsWith("Worker not found")) return new Response("no such customer", { status: 404 });
    throw error;
  }
} };"""
CUSTOMER = """export default { async fetch(request, env) {
  const count = env.SEEN ? Number((await env.SEEN.get("count")) ?? 0) + 1 : 0;
  if (env.SEEN) await env.SEEN.put("count", String(count));
  return Response.json({ name: env.NAME, key: env.KEY, count });
} };"""

COUNTER = """import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() { const n = ((await this.ctx.storage.get("n")) ?? 0) + 1; await this.ctx.storage.put("n", n); return n; }
}
export default { fetch: async (_, env) => Response.json(await env.COUNTERS.getByName("one").add()) };"""
COUNTING: dict[str, Any] = {
    "bindings": [{"type": "durable_object_namespace", "name": "COUNTERS", "class_name": "Counter"}],
    "migrations": {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]},
}


def upload(cloudflare: Api, namespace: str, name: str, code: str = CUSTOMER, **metadata: Any) -> httpx.Response:
    told = {"main_module": "index.js", "compatibility_date": "2026-06-01", "bindings": [], **metadata}
    parts = {
        "metadata": (None, json.dumps(told), "application/json"),
        "index.js": ("index.js", code, "application/javascript+module"),
    }
    answer: httpx.Response = cloudflare.client.put(f"{BASE}/{namespace}/scripts/{name}", files=parts)
    return answer


def text(name: str, value: str) -> dict[str, str]:
    return {"type": "plain_text", "name": name, "text": value}


@pytest.fixture
def namespace(cloudflare: Api) -> str:
    """With a Worker `to-…` before it."""
    name = f"customers-{next(NUMBERS)}"
    made = cloudflare.client.post(BASE, json={"name": name}).json()["result"]
    assert (made["namespace_name"], made["script_count"], made["trusted_workers"]) == (name, 0, False)
    deploy(
        cloudflare, f"to-{name}", DISPATCHER, [{"name": "CUSTOMERS", "type": "dispatch_namespace", "namespace": name}]
    )
    return name


def ask(cloudflare: Api, namespace: str, customer: str) -> httpx.Response:
    answer: httpx.Response = cloudflare.worker(f"to-{namespace}", "GET", f"/{customer}")
    return answer


def test_each_customer_has_a_worker_of_its_own(cloudflare: Api, namespace: str) -> None:
    assert ask(cloudflare, namespace, "anna").status_code == 404
    for name in ("anna", "ben.example"):
        kv = cloudflare.client.post("/storage/kv/namespaces", json={"title": f"{namespace}-{name}"}).json()["result"][
            "id"
        ]
        seen = {"type": "kv_namespace", "name": "SEEN", "namespace_id": kv}
        assert upload(cloudflare, namespace, name, bindings=[text("NAME", name), seen]).json()["result"]["id"] == name
    counts = [ask(cloudflare, namespace, name).json() for name in ("anna", "anna", "ben.example")]
    assert [(each["name"], each["count"]) for each in counts] == [("anna", 1), ("anna", 2), ("ben.example", 1)]
    assert cloudflare.client.get(f"{BASE}/{namespace}").json()["result"]["script_count"] == 2
    scripts = [each["id"] for each in cloudflare.client.get("/workers/scripts").json()["result"]]
    assert not {"anna", "ben.example", f"{namespace}/anna"} & set(scripts)
    assert cloudflare.worker("anna", "GET", "/").status_code == 404  # it has no address


def test_a_new_upload_takes_the_place_of_the_old_one_and_secrets_stay(cloudflare: Api, namespace: str) -> None:
    upload(cloudflare, namespace, "anna", bindings=[text("NAME", "first")])
    one = f"{BASE}/{namespace}/scripts/anna"
    secret = {"name": "KEY", "text": "k3y", "type": "secret_text"}
    cloudflare.client.put(f"{one}/secrets", json=secret).raise_for_status()
    upload(cloudflare, namespace, "anna", bindings=[text("NAME", "second")])
    assert ask(cloudflare, namespace, "anna").json() == {"name": "second", "key": "k3y", "count": 0}
    for path in ("", "/settings", "/bindings", "/secrets", "/content"):
        answer = cloudflare.client.get(one + path)
        assert (answer.status_code, "k3y" in answer.text) == (200, False), path
    shown = cloudflare.client.get(one).json()["result"]
    assert (shown["dispatch_namespace"], shown["script"]["id"]) == (namespace, "anna")
    cloudflare.client.delete(f"{one}/secrets/KEY").raise_for_status()
    assert "key" not in ask(cloudflare, namespace, "anna").json()
    cloudflare.client.delete(one).raise_for_status()
    assert ask(cloudflare, namespace, "anna").status_code == 404
    assert cloudflare.client.get(one).status_code == 404


def test_workers_are_found_and_deleted_by_their_tags(cloudflare: Api, namespace: str) -> None:
    for name, tags in (("anna", ["pro", "eu"]), ("ben", ["free"]), ("cleo", ["pro"])):
        upload(cloudflare, namespace, name, tags=tags).raise_for_status()
    scripts = f"{BASE}/{namespace}/scripts"

    def found(query: str) -> list[str]:
        return sorted(each["script"]["id"] for each in cloudflare.client.get(f"{scripts}{query}").json()["result"])

    assert found("") == ["anna", "ben", "cleo"]
    assert found("?tags=pro:yes,eu:no") == ["cleo"]
    cloudflare.client.put(f"{scripts}/ben/tags/pro").raise_for_status()
    assert cloudflare.client.get(f"{scripts}/ben/tags").json()["result"] == ["free", "pro"]
    assert found("?tags=pro:yes") == ["anna", "ben", "cleo"]
    assert cloudflare.client.get(f"{scripts}?tags=pro").status_code == 400
    assert cloudflare.client.delete(scripts).status_code == 400
    cloudflare.client.delete(f"{scripts}?tags=eu:yes").raise_for_status()
    assert found("") == ["ben", "cleo"]
    assert ask(cloudflare, namespace, "anna").status_code == 404
    assert ask(cloudflare, namespace, "ben").status_code == 200


def test_one_whose_code_does_not_start_leaves_the_old_one(cloudflare: Api, namespace: str) -> None:
    upload(cloudflare, namespace, "anna", bindings=[text("NAME", "old")])
    refused = upload(cloudflare, namespace, "anna", "export default {")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10021)
    assert upload(cloudflare, namespace, "new", "throw new Error('no')").status_code == 400
    assert ask(cloudflare, namespace, "anna").json()["name"] == "old"
    assert ask(cloudflare, namespace, "new").status_code == 404


def test_objects_of_a_customer_stay(cloudflare: Api, namespace: str) -> None:
    upload(cloudflare, namespace, "anna", COUNTER, **COUNTING).raise_for_status()
    assert [ask(cloudflare, namespace, "anna").json() for _ in range(2)] == [1, 2]
    upload(cloudflare, namespace, "anna", COUNTER + "// changed", bindings=COUNTING["bindings"]).raise_for_status()
    assert ask(cloudflare, namespace, "anna").json() == 3


def test_a_namespace_goes_with_its_workers(cloudflare: Api, namespace: str) -> None:
    upload(cloudflare, namespace, "anna").raise_for_status()
    assert cloudflare.client.post(BASE, json={"name": namespace}).status_code == 409
    cloudflare.client.delete(f"{BASE}/{namespace}").raise_for_status()
    assert cloudflare.client.get(f"{BASE}/{namespace}").status_code == 404
    assert upload(cloudflare, namespace, "anna").json()["errors"][0]["code"] == 100119
    cloudflare.client.post(BASE, json={"name": namespace}).raise_for_status()
    assert ask(cloudflare, namespace, "anna").status_code == 404


def test_a_new_name_takes_the_workers_and_their_objects_along(cloudflare: Api, namespace: str) -> None:
    upload(cloudflare, namespace, "anna", COUNTER, **COUNTING).raise_for_status()
    assert ask(cloudflare, namespace, "anna").json() == 1
    cloudflare.client.put(f"{BASE}/{namespace}", json={"name": f"{namespace}-b"}).raise_for_status()
    names = [each["namespace_name"] for each in cloudflare.client.get(BASE).json()["result"]]
    assert f"{namespace}-b" in names and namespace not in names
    bound = [{"name": "CUSTOMERS", "type": "dispatch_namespace", "namespace": f"{namespace}-b"}]
    deploy(cloudflare, f"to-{namespace}-b", DISPATCHER, bound)
    assert ask(cloudflare, f"{namespace}-b", "anna").json() == 2


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ü", 7, None, "x" * 64])
def test_odd_names_of_namespaces_are_refused(cloudflare: Api, name: Any) -> None:
    assert cloudflare.client.post(BASE, json={"name": name}).status_code == 400


@pytest.mark.parametrize(("name", "status"), [("a%2Fb", 400), ("%C3%BC", 400), ("a%20b", 400), ("__proto__", 200)])
def test_odd_names_of_workers_do_no_harm(cloudflare: Api, namespace: str, name: str, status: int) -> None:
    assert upload(cloudflare, namespace, name).status_code == status
    assert ask(cloudflare, namespace, "constructor").status_code == 404
    upload(cloudflare, namespace, "anna").raise_for_status()
    assert ask(cloudflare, namespace, "anna").status_code == 200


def test_an_outbound_worker_is_refused_by_name(cloudflare: Api) -> None:
    body = {"name": "outbound"}
    worker = cloudflare.client.post("/workers/workers", json=body).json()["result"]
    binding = {"name": "C", "type": "dispatch_namespace", "namespace": "n", "outbound": {"worker": {"service": "x"}}}
    version = {
        "main_module": "a.js",
        "modules": [{"name": "a.js", "content_type": "application/javascript+module", "content_base64": ""}],
        "bindings": [binding],
    }
    refused = cloudflare.client.post(f"/workers/workers/{worker['id']}/versions", json=version)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10021)
    assert "outbound Worker" in refused.text
