"""Templates `structured`, `tools` and `embed`."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from inferstack.catalog import find_model
from tests.templates.conftest import Deployed

STACKS = ["structured", "tools", "embed"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
TEXT = "Your parcel leaves our delivery centre. It is with you within 5 days of the order."


def test_structured_answers_fit_the_schema_of_the_stack(deployed: Deployed) -> None:
    answer = deployed.post("structured", "/extract", {"input": TEXT}).json()
    assert answer["repaired"] is False
    assert answer["value"]["topic"] == "delivery"
    assert answer["value"]["days"] == 5
    assert answer["value"]["quote"] in TEXT


def test_structured_takes_a_schema_of_the_request(deployed: Deployed) -> None:
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    assert deployed.post("structured", "/extract", {"input": "There are 12.", "schema": schema}).json()["value"] == {
        "count": 12
    }


# As Pydantic and zod write them: references, nullable, constants, patterns, decimals, keys of one's own.
WRITTEN: dict[str, dict[str, Any]] = {
    "references": {
        "type": "object",
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "minItems": 2}},
        "required": ["lines"],
        "$defs": {
            "Line": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
                    "number": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]},
                    "price": {"type": "number", "multipleOf": 0.5, "minimum": 19.99},
                },
                "required": ["sku", "number", "price"],
                "additionalProperties": False,
            }
        },
    },
    "forms by a constant": {
        "oneOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": kind}, "at": {"type": "string"}},
                "required": ["kind", "at"],
            }
            for kind in ("mail", "delivery")
        ]
    },
    "recursion": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name", "below"],
    },
    "keys": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
}


@pytest.mark.parametrize("schema", WRITTEN.values(), ids=WRITTEN)
def test_structured_takes_schemas_as_libraries_write_them(deployed: Deployed, schema: dict[str, Any]) -> None:
    answer = deployed.post("structured", "/extract", {"input": TEXT, "schema": schema})
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json()["value"], schema)
    assert answer.json()["repaired"] is False


def test_structured_refuses_a_schema_that_leads_outside(deployed: Deployed) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "http://example.com/a.json"}}}
    refused = deployed.post("structured", "/extract", {"input": TEXT, "schema": schema})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_schema")
    assert "schema.properties.a.$ref` leads outside the schema" in refused.json()["detail"]


def test_structured_repairs_once(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer='{"topic": "weather", "days": -1}', times=1)
    answer = deployed.post("structured", "/extract", {"input": TEXT}).json()
    assert (answer["repaired"], answer["value"]["days"]) == (True, 5)


def test_structured_then_gives_up_with_the_violations(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer='{"topic": "weather", "days": -1}')
    before = len(deployed.inferences())
    refused = deployed.post("structured", "/extract", {"input": TEXT})
    assert (refused.status_code, refused.json()["code"]) == (422, "schema_violated")
    assert refused.json()["errors"] == [
        "quote is missing",
        'topic must be one of "delivery", "payment", "returns"',
        "days must be at least 0",
    ]
    assert len(deployed.inferences()) == before + 2


def test_structured_relies_on_models_that_can(deployed: Deployed) -> None:
    model = find_model(LARGE)
    assert model is not None
    assert model.takes_json_schema


def test_tools_query_the_database(deployed: Deployed) -> None:
    answer = deployed.post("tools", "/run", {"message": "What is the status of order 17?"}).json()
    assert [(step["tool"], step["arguments"]) for step in answer["steps"]] == [("order_status", {"number": 17})]
    assert "packed and waiting for the van" in answer["answer"]


def test_tools_call_allowed_hosts(deployed: Deployed) -> None:
    [step] = deployed.post("tools", "/run", {"message": "Is the tools service healthy and up?"}).json()["steps"]
    assert (step["tool"], step["result"]) == ("service_health", '{"ok":true,"service":"tools"}')


def test_tools_search_the_index(deployed: Deployed) -> None:
    [step] = deployed.post("tools", "/run", {"message": 'Find notes about the subject "parcels"'}).json()["steps"]
    assert (step["tool"], step["arguments"], step["result"]) == ("search_notes", {"subject": "parcels"}, "[]")


def test_tools_refuse_wrong_arguments_and_unknown_tools(deployed: Deployed) -> None:
    call = '{"name": "order_status", "arguments": {"number": "x"}}'
    deployed.fault(model=LARGE, answer=call, times=1)
    answer = deployed.post("tools", "/run", {"message": "Hello"}).json()
    assert answer["steps"] == []  # text is no call


def test_embed_gives_vectors(deployed: Deployed) -> None:
    found = deployed.post("embed", "/embed", {"texts": ["one", "two", "three"]}).json()
    assert (len(found["vectors"]), found["dimensions"]) == (3, 768)


def test_embed_keeps_finds_and_removes_texts(deployed: Deployed) -> None:
    items = [
        {"text": "Parcels arrive within five days.", "metadata": {"topic": "delivery"}},
        {"text": "Invoices are paid within a month.", "metadata": {"topic": "payment"}},
        {"text": "Parcels of the other tenant.", "namespace": "other"},
    ]
    made = deployed.post("embed", "/vectors", {"items": items})
    assert made.status_code == 201
    ids = made.json()["ids"]
    assert deployed.post("embed", "/vectors", {"items": items}).json()["ids"] == ids, "ids follow from the content"
    near = deployed.post("embed", "/search", {"query": "when does my parcel come", "top_k": 1}).json()["matches"]
    assert near[0]["metadata"] == {"topic": "delivery", "text": "Parcels arrive within five days."}
    filtered = {"query": "when does my parcel come", "filter": {"topic": "payment"}}
    assert [m["id"] for m in deployed.post("embed", "/search", filtered).json()["matches"]] == [ids[1]]
    inside = {"query": "parcel", "namespace": "other"}
    assert [m["id"] for m in deployed.post("embed", "/search", inside).json()["matches"]] == [ids[2]]
    deployed.call("embed", "DELETE", "/vectors", json={"ids": ids})
    assert deployed.post("embed", "/search", {"query": "parcel"}).json()["matches"] == []


def test_embed_cuts_long_texts_into_overlapping_chunks(deployed: Deployed) -> None:
    sentences = [f"Sentence number {n} tells about the delivery of parcels in week {n}." for n in range(60)]
    ids = deployed.post("embed", "/vectors", {"items": [{"text": " ".join(sentences)}]}).json()["ids"]
    assert len(ids) > 2
    query = {"query": "delivery of parcels", "top_k": 50}
    texts = [m["metadata"]["text"] for m in deployed.post("embed", "/search", query).json()["matches"]]
    assert all(any(s in text for text in texts) for s in sentences)
    assert sum(len(text) for text in texts) > len(" ".join(sentences)), "neighbours overlap"
    deployed.call("embed", "DELETE", "/vectors", json={"ids": ids})
