"""JSON Schemas of a tool's arguments: what a Worker or a client would refuse, by place. The Worker follows draft 2020-12
(worker_src/frame/foreign_schema.js); this reads what people get wrong, without a library (0.1 s to import)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inferstack.config.findings.diagnostics import closest
from inferstack.config.tree import KeyPath

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
Fault = tuple[KeyPath, str, str]
DEEPEST = 50


def faults(schema: dict[str, Any]) -> Iterator[Fault]:
    if schema.get("type") != "object":
        yield (), "arguments are an object: `input` has another type, or none", "add `type: object`"
    yield from _faults(schema, (), 0)


def _faults(schema: Any, path: KeyPath, depth: int) -> Iterator[Fault]:
    if isinstance(schema, bool) or depth > DEEPEST:
        return
    if not isinstance(schema, dict):
        yield path, "a schema is a mapping", "such as { type: string }"
        return
    types = schema.get("type")
    for name in types if isinstance(types, list) else [types]:
        if name is not None and name not in TYPES:
            problem = f"`{name}` is no type of JSON Schema{closest(str(name), TYPES)}"
            yield (*path, "type"), problem, f"one of: {', '.join(TYPES)}"
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield (*path, "enum"), "`enum` lists at least one value", "list the values"
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict):
        yield (*path, "properties"), "`properties` is a mapping of names to schemas", "write `name: { type: string }`"
        properties = {}
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield (*path, "required"), "`required` is a list of names", "such as [number]"
        required = []
    for name in required:
        if name not in properties:
            problem = f"`{name}` is required and not declared{closest(name, properties)}"
            yield (*path, "required"), problem, f"declare `{name}` under `properties`"
    for name, part in properties.items():
        yield from _faults(part, (*path, "properties", name), depth + 1)
    for key in ("items", "additionalProperties", "not"):
        if key in schema:
            yield from _faults(schema[key], (*path, key), depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        parts = schema.get(key, [])
        for place, part in enumerate(parts) if isinstance(parts, list) else ():
            yield from _faults(part, (*path, key, place), depth + 1)
