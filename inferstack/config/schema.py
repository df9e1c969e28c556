"""The JSON Schema (draft 2020-12) of a stack file, for editors.

A file may be one of several that make a stack, so nothing is required, null is allowed wherever a key can be taken
back, `${NAME}` may stand for any single value, and an entry may be a loop.
"""

from __future__ import annotations

from typing import Any

from inferstack import catalog
from inferstack.config._joining import FOR_EACH
from inferstack.config.descriptions import DESCRIPTIONS
from inferstack.config.spec import StackSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = {"type": "string", "pattern": r"\$\{"}
EXAMPLES = {
    ("ModelSpec", "model"): "@cf/baai/bge-base-en-v1.5",
    ("StackSpec", "environment"): "prod",
    ("WorkerSpec", "compatibility_date"): "2026-06-01",
    ("WorkerSpec", "secrets"): {"API_TOKEN": "env:RAG_API_TOKEN"},
    ("IndexSpec", "metadata"): {"topic": "string"},
}


def json_schema() -> dict[str, Any]:
    schema = StackSpec.model_json_schema()
    definitions = schema.pop("$defs")
    for name, definition in [("StackSpec", schema), *definitions.items()]:
        _describe(name, definition)
    base = {"type": "array", "items": {"type": "string"}}
    schema["properties"]["extends"] = {
        "description": "Files that this one builds on, relative to it; later ones win.",
        "anyOf": [{"type": "string"}, base],
    }
    schema["properties"]["parameters"] = {
        "description": "Values of the project's own, for `${param.name}` and `for_each`; text, numbers, lists, mappings.",
        "type": "object",
    }
    _loop(schema, definitions)
    names = definitions["ModelSpec"]["properties"]["model"]
    names["anyOf"] = [{"enum": catalog.model_names()}, {"type": "string"}]
    names.pop("type", None)
    return {"$schema": DIALECT, "title": "inferstack stack", **schema, "$defs": definitions}


def _loop(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Entries of mappings and lists may go through something; keys with `${` in them are names that a loop makes."""
    source = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number", "boolean"]}}]}
    description = (
        "Makes an entry for each of a list or mapping: a parameter by its name, or a list; of several, by pairs."
    )
    key = {"description": description, "anyOf": [*source["anyOf"], {"type": "object", "additionalProperties": source}]}
    definitions["ForEach"] = key
    key = {"$ref": "#/$defs/ForEach"}
    value = {"description": "What an entry is that is no mapping, such as a text."}
    definitions["Loop"] = {
        "description": "An entry that stands for several: its own keys besides, or `value` alone.",
        "type": "object",
        "properties": {FOR_EACH: {"description": description, **key}, "value": value},
        "required": [FOR_EACH, "value"],
        "additionalProperties": False,
    }
    looped = {"$ref": "#/$defs/Loop"}
    for definition in [schema, *list(definitions.values())]:
        for entry in definition.get("properties", {}).values():
            for choice in entry.get("anyOf", []):
                _loop_in(choice, key, looped, definitions)


def _loop_in(holder: dict[str, Any], key: Any, looped: Any, definitions: dict[str, Any]) -> None:
    """A list, or a mapping of names that the project chooses."""
    inside = holder.get("patternProperties") or {}
    if isinstance(more := holder.get("additionalProperties"), dict):
        inside = {"": more}
    if holder.get("type") == "array" and "items" in holder:
        inside = {"": {"anyOf": [holder["items"]]}}
        holder["items"] = inside[""]
    for entry in list(inside.values()):
        choices = entry.pop("anyOf", None) or [dict(entry), {"type": "null"}]
        entry.clear()
        for each in [choice for choice in choices if "$ref" in choice]:
            of = definitions[each["$ref"].rpartition("/")[2]]
            if "properties" in of and not of.get("title"):
                of["properties"].setdefault(FOR_EACH, key)
        entry["anyOf"] = [*choices, looped]
    if "patternProperties" in holder:
        holder["patternProperties"] |= {r"\$\{": next(iter(inside.values()))}
    if "propertyNames" in holder:
        holder["propertyNames"] = {"anyOf": [holder["propertyNames"], VARIABLE]}


def _describe(name: str, definition: dict[str, Any]) -> None:
    definition.pop("required", None)
    definition.pop("title", None)
    for key, entry in definition.get("properties", {}).items():
        entry.pop("title", None)
        described: dict[str, Any] = {"description": DESCRIPTIONS[name][key]}
        if (name, key) in EXAMPLES:
            described["examples"] = [EXAMPLES[name, key]]
        definition["properties"][key] = described | _open(entry)


def _open(entry: dict[str, Any]) -> dict[str, Any]:
    """Let null and `${NAME}` stand where the value stands."""
    default = {"default": entry.pop("default")} if "default" in entry else {}
    if "additionalProperties" in entry and isinstance(entry["additionalProperties"], dict):
        entry["additionalProperties"] = {"anyOf": [entry["additionalProperties"], {"type": "null"}]}
    if "patternProperties" in entry:
        opened = {
            pattern: {"anyOf": [value, {"type": "null"}]} for pattern, value in entry["patternProperties"].items()
        }
        entry["patternProperties"] = opened
    choices = entry.pop("anyOf", None) or [dict(entry)]
    if len(choices) == 1:
        entry.clear()
    return {**default, "anyOf": [*(c for c in choices if c != {"type": "null"}), VARIABLE, {"type": "null"}], **entry}
