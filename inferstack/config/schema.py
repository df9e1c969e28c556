"""The JSON Schema (draft 2020-12) of a stack file, for editors.

A file may be one of several that make a stack, so nothing is required, null is allowed wherever a key can be taken
back, and `${NAME}` may stand for any single value.
"""

from __future__ import annotations

from typing import Any

from inferstack import catalog
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
    names = definitions["ModelSpec"]["properties"]["model"]
    names["anyOf"] = [{"enum": catalog.model_names()}, {"type": "string"}]
    names.pop("type", None)
    return {"$schema": DIALECT, "title": "inferstack stack", **schema, "$defs": definitions}


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
