"""Which keys of the language's schema a stack uses: what a walk of both, side by side, comes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema

Key = tuple[str, str]  # the schema's name of an object (`` for the stack itself), and a key of it


def all_keys(schema: dict[str, Any]) -> set[Key]:
    found = {("", key) for key in schema["properties"]}
    found |= {(name, key) for name, part in schema["$defs"].items() for key in part.get("properties", {})}
    return {(name, key) for name, key in found if key != "for_each" or name == "Loop"}  # any entry may be a loop


def used_keys(schema: dict[str, Any], stack: Any) -> set[Key]:
    return set(_used(schema, schema, "", stack))


def _used(whole: dict[str, Any], part: Any, name: str, value: Any) -> Iterator[Key]:
    if not isinstance(part, dict):
        return
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        part = whole["$defs"][name]
    for way in part.get("anyOf", []):
        if jsonschema.Draft202012Validator({**way, "$defs": whole["$defs"]}).is_valid(value):
            yield from _used(whole, way, name, value)
    if isinstance(value, list):
        for item in value:
            yield from _used(whole, part.get("items"), name, item)
    if isinstance(value, dict):
        inside = part.get("properties", {})
        others = [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]
        for key, item in value.items():
            if key in inside:
                yield name, key
                yield from _used(whole, inside[key], name, item)
            else:
                for other in others:
                    yield from _used(whole, other, name, item)
