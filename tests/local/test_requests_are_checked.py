"""Every operation that is played refuses values of a wrong type, by Cloudflare's description: enumerated from it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from inferstack import local
from tests.conftest import ROOT, Api

DOCUMENT = json.loads((ROOT / "tests" / "data" / "openapi-subset.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
WRONG = {"string": {"a": 1}, "integer": "soon", "number": "soon", "boolean": "maybe", "array": "x", "object": "x"}
# Parts of statements take any JSON; models' inputs have schemas of their own.
OWN = re.compile(r"/ai/(run|v1)/|/d1/database/[^/]+/(query|raw)$")
KINDS = {"string", "integer", "number", "boolean", "array", "object"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return resolved(SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]]) if "$ref" in schema else schema


def fields(operation: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names, and a value of another type than the description's."""
    content = operation.get("requestBody", {}).get("content", {})
    if set(content) != {"application/json"}:
        return []
    schema = resolved(content["application/json"]["schema"])
    found = []
    for name, part in schema.get("properties", {}).items():
        kind = resolved(part).get("type")
        if isinstance(kind, str) and kind in KINDS:
            found.append((name, WRONG[kind]))
    return found


def numbers(operation: dict[str, Any]) -> list[str]:
    given = operation.get("parameters", [])
    return [p["name"] for p in given if p["in"] == "query" and p.get("schema", {}).get("type") in ("integer", "number")]


def address(cloudflare: Api, path: str) -> str:
    return cloudflare.running.base_url + re.sub(r"\{\w+\}", "none", path.replace("{account_id}", local.ACCOUNT_ID))


BODIES = [
    (method, path, field, wrong)
    for method, path, op in OPERATIONS
    for field, wrong in fields(op)
    if not OWN.search(path)
]


def is_played(cloudflare: Api, method: str, path: str) -> bool:
    answer = cloudflare.client.request(method, address(cloudflare, path), content=b"{")
    return "not emulated" not in answer.text and answer.status_code != 405


def test_there_are_many() -> None:
    assert len(BODIES) > 200


def test_a_value_of_a_wrong_type_is_refused(cloudflare: Api) -> None:
    """Where the field is: the message names it, and does not repeat the value."""
    problems = []
    for method, path, field, wrong in BODIES:
        if not is_played(cloudflare, method, path):
            continue
        answer = cloudflare.client.request(method, address(cloudflare, path), json={field: wrong})
        told = answer.json()["errors"][0]["message"] if answer.status_code == 400 else ""
        if field not in told and "required" not in told:
            problems.append(f"{method} {path} {field}: {answer.status_code} {answer.text[:200]}")
    assert not problems, "\n".join(problems)


def test_a_query_that_is_no_number_is_refused(cloudflare: Api) -> None:
    problems = []
    for method, path, operation in OPERATIONS:
        for name in numbers(operation):
            if method == "GET" and is_played(cloudflare, method, path):
                answer = cloudflare.client.get(address(cloudflare, path), params={name: "abc"})
                if answer.status_code != 400 or name not in answer.text:
                    problems.append(f"{path} {name}: {answer.status_code} {answer.text[:200]}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "place"),
    [
        ("POST", "/d1/database", {"name": ["a"]}, 7400, "name"),
        (
            "POST",
            "/queues",
            {"queue_name": "q", "settings": {"delivery_delay": "soon"}},
            100128,
            "delivery_delay",
        ),
        (
            "POST",
            "/secrets_store/stores/none/secrets",
            [{"name": "a", "scopes": ["workers"], "value": 7}],
            1001,
            "[0].value",
        ),
        (
            "POST",
            "/workers/workers",
            {"name": "w", "observability": {"enabled": "yes"}},
            10021,
            "observability.enabled",
        ),
        (
            "POST",
            "/vectorize/v2/indexes",
            {"name": "v", "config": {"dimensions": "many", "metric": "cosine"}},
            3001,
            "config",
        ),
    ],
)
def test_the_place_is_told_with_the_product_s_code(
    cloudflare: Api, method: str, path: str, body: Any, code: int, place: str
) -> None:
    answer = cloudflare.client.request(method, path, json=body)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert place in error["message"]


def test_a_value_is_not_repeated(cloudflare: Api) -> None:
    body = [{"name": "a", "scopes": ["workers"], "value": {"deep": "hidden-value"}}]
    assert "hidden-value" not in cloudflare.client.post("/secrets_store/stores/none/secrets", json=body).text


def test_what_is_unknown_or_null_is_taken(cloudflare: Api) -> None:
    body = {"queue_name": "loose", "settings": None, "of_the_future": {"a": [1]}}
    assert cloudflare.client.post("/queues", json=body).status_code == 200


def test_a_method_that_is_not_taken_says_which_are(cloudflare: Api) -> None:
    answer = cloudflare.client.put("/queues")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
