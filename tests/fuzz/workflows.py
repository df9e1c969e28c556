"""Workflows for the fuzz: the OpenAPI subset has none of their paths. Source: cloudflare-python 5.9.0 `resources/workflows`."""

from __future__ import annotations

from typing import Any

CLASS = """import { WorkflowEntrypoint } from "cloudflare:workers";
export class Odd extends WorkflowEntrypoint { async run(event, step) { return step.do("one", async () => 1); } }
"""
A = "/accounts/{account_id}/workflows"
ONE = A + "/{workflow_name}"
INSTANCE = ONE + "/instances/{instance_id}"
TEXT = {"type": "string"}
PAGES = ["page", "per_page"]


def _of(query: list[str] | None = None, body: dict[str, Any] | None = None) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query"} for name in query or []]
    content = {"requestBody": {"content": {"application/json": {"schema": body}}}} if body else {}
    return {"parameters": parameters, **content}


CREATE = {"type": "object", "properties": {"instance_id": TEXT, "params": {"type": "object"}}}
STEPS = {"type": "object", "properties": {"steps": {"type": "integer"}}}
PUT = {
    "type": "object",
    "properties": {"script_name": {"enum": ["odd"]}, "class_name": {"enum": ["Odd"]}, "limits": STEPS},
    "required": ["script_name", "class_name"],
}
STATUS = {"type": "object", "properties": {"status": {"enum": ["resume", "pause", "terminate", "restart"]}}}
PATHS: dict[str, dict[str, Any]] = {
    A: {"get": _of([*PAGES, "search"])},
    ONE: {"get": _of(), "put": _of(body=PUT), "delete": _of()},
    ONE + "/versions": {"get": _of(PAGES)},
    ONE + "/versions/{version_id}": {"get": _of()},
    ONE + "/instances": {
        "get": _of([*PAGES, "status", "date_start", "date_end"]),
        "post": _of(body=CREATE),
    },
    ONE + "/instances/batch": {"post": _of(body={"type": "array", "items": CREATE})},
    INSTANCE: {"get": _of()},
    INSTANCE + "/status": {"patch": _of(body=STATUS)},
    INSTANCE + "/events/{event_type}": {"post": _of(body={"type": "object"})},
}
