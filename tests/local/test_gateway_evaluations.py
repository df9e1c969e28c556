"""Datasets of a gateway's logs and what is told of them; headers that Cloudflare's edge writes; groups of permissions."""

from __future__ import annotations

import re

import pytest

from inferstack import local
from tests.conftest import Api
from tests.local.test_api_conforms import GATEWAY

MODEL = "@cf/meta/llama-3.2-3b-instruct"
BASE = "/ai-gateway/gateways/judged"


@pytest.fixture(scope="module")
def judged(cloudflare: Api) -> Api:
    """A gateway with three logs, two of them judged."""
    client = cloudflare.client
    client.post("/ai-gateway/gateways", json={**GATEWAY, "id": "judged"}).raise_for_status()
    url = f"http://127.0.0.1:{cloudflare.running.api_port}/v1/{local.ACCOUNT_ID}/judged/workers-ai/{MODEL}"
    for text in ("one", "two", "three"):
        client.post(url, json={"prompt": text}).raise_for_status()
    logs = client.get(f"{BASE}/logs").json()["result"]
    assert len(logs) == 3
    for log, feedback in zip(logs, (1, -1), strict=False):
        client.patch(f"{BASE}/logs/{log['id']}", json={"feedback": feedback}).raise_for_status()
    return cloudflare


def test_an_evaluation_tells_of_the_logs_of_its_datasets(judged: Api) -> None:
    kinds = {each["type"]: each["id"] for each in judged.client.get("/ai-gateway/evaluation-types").json()["result"]}
    assert set(kinds) == {"cost", "speed", "feedback"}
    filters = [
        {"key": "model", "operator": "contains", "value": ["llama"]},
        {"key": "success", "operator": "eq", "value": [True]},
    ]
    made = judged.client.post(f"{BASE}/datasets", json={"name": "all", "enable": True, "filters": filters})
    dataset = made.json()["result"]["id"]
    asked = {"name": "first", "dataset_ids": [dataset], "evaluation_type_ids": list(kinds.values())}
    told = judged.client.post(f"{BASE}/evaluations", json=asked).json()["result"]
    assert (told["total_logs"], told["processed"]) == (3, True)
    results = {each["evaluation_type_id"]: each["result"] for each in told["results"]}
    assert results[kinds["feedback"]] == "50"
    assert float(results[kinds["cost"]]) > 0
    none = {"name": "none", "enable": True, "filters": [{"key": "provider", "operator": "eq", "value": ["openai"]}]}
    judged.client.put(f"{BASE}/datasets/{dataset}", json=none).raise_for_status()
    assert judged.client.post(f"{BASE}/evaluations", json=asked).json()["result"]["total_logs"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("datasets", {"name": "x", "enable": True}),
        ("datasets", {"name": "x", "enable": "yes", "filters": []}),
        ("datasets", {"name": "x", "enable": True, "filters": [{"key": "who", "operator": "eq", "value": ["a"]}]}),
        ("datasets", {"name": "x", "enable": True, "filters": [{"key": "cost", "operator": "gt", "value": ["much"]}]}),
        ("evaluations", {"name": "x", "dataset_ids": [], "evaluation_type_ids": []}),
    ],
)
def test_odd_ones_are_refused(judged: Api, path: str, body: object) -> None:
    answer = judged.client.post(f"{BASE}/{path}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 7001)


def test_they_go_with_their_gateway(cloudflare: Api) -> None:
    client = cloudflare.client
    for _ in range(2):
        client.post("/ai-gateway/gateways", json={**GATEWAY, "id": "gone"}).raise_for_status()
        assert client.get("/ai-gateway/gateways/gone/datasets").json()["result"] == []
        body = {"name": "x", "enable": True, "filters": []}
        client.post("/ai-gateway/gateways/gone/datasets", json=body).raise_for_status()
        client.delete("/ai-gateway/gateways/gone").raise_for_status()


def test_each_answer_of_the_api_has_the_edge_s_headers(cloudflare: Api) -> None:
    first, refused = cloudflare.client.get("/queues"), cloudflare.client.get("/queues/absent")
    for answer in (first, refused):
        assert re.fullmatch(r"[0-9a-f]{16}-[A-Z]{3}", answer.headers["cf-ray"])
        assert answer.headers["ratelimit-policy"] == '"default";q=1200;w=300'
    left = [int(re.findall(r'"default";r=(\d+);t=\d+', each.headers["ratelimit"])[0]) for each in (first, refused)]
    assert left[1] == left[0] - 1
    assert first.headers["cf-ray"] != refused.headers["cf-ray"]


def test_groups_of_permissions_are_found_by_name_and_scope(cloudflare: Api) -> None:
    path = "/tokens/permission_groups"
    [one] = cloudflare.client.get(path, params={"name": "Workers Scripts Write"}).json()["result"]
    assert (one["scopes"], len(one["id"])) == (["com.cloudflare.api.account"], 32)
    zones = cloudflare.client.get(path, params={"scope": "com.cloudflare.api.account.zone"}).json()["result"]
    assert {each["name"] for each in zones} >= {"Workers Routes Write", "Zone Read"}
