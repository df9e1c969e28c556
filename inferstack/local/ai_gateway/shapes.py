"""What a gateway's rules and a route's elements look like: kept only so, since every later request goes by them.

Fields by the API's own document (cloudflare-python 5.9.0, `ai_gateway`), which calls some of them any object; what it leaves
open is open here. Retries: five at most (developers.cloudflare.com/ai-gateway/configuration/request-handling, 2026-11).
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

from inferstack.local._envelope import ApiError
from inferstack.local.request_checks import place_of

ELEMENTS = ("start", "conditional", "percentage", "rate", "rate_limit", "model", "end")
TEXTS = {"type": "array", "items": {"type": "string"}}
ACTION = {"enum": ["BLOCK", "FLAG"]}
MOST = 31 * 86_400  # seconds of a window
POLICY = {
    "type": "object",
    "required": ["id", "action", "profiles"],
    "properties": {
        "id": {"type": "string"},
        "action": ACTION,
        "enabled": {"type": "boolean"},
        "check": {"type": "array", "items": {"enum": ["REQUEST", "RESPONSE"]}},
        "profiles": TEXTS,
    },
}
DLP = {
    "type": "object",
    "properties": {
        "enabled": {"type": "boolean"},
        "action": ACTION,
        "profiles": TEXTS,
        "policies": {"type": "array", "items": POLICY},
    },
}
OUTPUT = {
    "anyOf": [
        {"type": "string"},
        {"type": "object", "required": ["elementId"], "properties": {"elementId": {"type": "string"}}},
    ]
}
SECONDS = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST}
PROPERTIES: dict[str, dict[str, Any]] = {
    "model": {
        "required": ["model"],
        "properties": {
            "model": {"type": "string"},
            "provider": {"type": "string"},
            "retries": {"type": "number", "minimum": 0, "maximum": 5},
            "timeout": {"type": "number", "minimum": 0},
        },
    },
    "rate": {
        "required": ["limit"],
        "properties": {
            "limit": {"type": "number", "minimum": 0},
            "key": {"type": "string"},
            "limitType": {"type": "string"},
            "technique": {"enum": ["fixed", "sliding"]},
            "window": SECONDS,
            "interval": SECONDS,
        },
    },
    "conditional": {
        "properties": {name: {"type": ["object", "string"]} for name in ("conditions", "condition")},
    },
}
PROPERTIES["rate_limit"] = PROPERTIES["rate"]
SHARES = {"propertyNames": {"pattern": r"^([0-9]{1,3}(\.[0-9]{1,9})?%|else)$"}, "minProperties": 1}
ELEMENT = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {
        "id": {"type": "string"},
        "type": {"enum": list(ELEMENTS)},
        "outputs": {"type": "object", "additionalProperties": OUTPUT},
        "properties": {"type": "object"},
    },
    "allOf": [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": kind}}},
            "then": {
                "required": ["properties"] if "required" in rules else [],
                "properties": {"properties": rules},
            },
        }
        for kind, rules in PROPERTIES.items()
    ]
    + [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": "percentage"}}},
            "then": {"required": ["outputs"], "properties": {"outputs": SHARES}},
        }
    ],
}
_DLP = jsonschema_rs.Draft202012Validator(DLP, mask="the value")
_ELEMENTS = jsonschema_rs.Draft202012Validator({"type": "array", "minItems": 1, "items": ELEMENT}, mask="the value")


def check_dlp(value: Any) -> None:
    """Raises `ApiError`."""
    _check("dlp", _DLP, value)


def check_elements(elements: Any) -> list[dict[str, Any]]:
    """A route's graph: known types, unique ids, one start, an end, and outputs that lead to elements."""
    if not isinstance(elements, list) or not elements:
        raise ApiError(400, 7001, "elements: must be a non-empty list")
    _check("elements", _ELEMENTS, [_without_null(element) for element in elements])
    ids = [element["id"] for element in elements]
    if len(set(ids)) != len(ids):
        raise ApiError(400, 7001, "elements: each needs an id of its own")
    for element in elements:
        for name, output in (element.get("outputs") or {}).items():
            target = output.get("elementId") if isinstance(output, dict) else output
            if target not in ids:
                raise ApiError(400, 7001, f"elements: output {name!r} of {element['id']!r} leads to unknown {target!r}")
        if element["type"] == "conditional":
            _check_condition(element)
    if sum(element["type"] == "start" for element in elements) != 1:
        raise ApiError(400, 7001, "elements: exactly one of type start is needed")
    return elements


def _check_condition(element: dict[str, Any]) -> None:
    properties = element.get("properties") or {}
    found = properties.get("conditions") or properties.get("condition") or {}
    try:
        read = json.loads(found) if isinstance(found, str) else found
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise ApiError(400, 7001, f"elements: the conditions of {element['id']!r} must be an object of tests by field")


def _without_null(element: Any) -> Any:
    return {k: v for k, v in element.items() if v is not None} if isinstance(element, dict) else element


def _check(name: str, validator: Any, value: Any) -> None:
    error = next(validator.iter_errors(value), None)
    if error is not None:
        raise ApiError(400, 7001, f"{name}{place_of(error)}: {error.message[:300]}")
