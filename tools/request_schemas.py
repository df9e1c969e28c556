"""Writes what requests of the v4 API must look like, for the local Cloudflare: `inferstack/local/requests.json`.

From `tests/data/openapi-subset.json`: query parameters and JSON bodies by method and path, prose and defaults left out.
What is null counts as left out, as Cloudflare's handlers take it; what a body adds is ignored there and here.

    python tools/request_schemas.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TARGET = ROOT / "tests" / "data" / "openapi-subset.json", ROOT / "inferstack" / "local" / "requests.json"
JSON_KINDS = ("application/json", "application/merge-patch+json")
# Where the documentation takes what the description does not: a share of traffic may be 0.
LOOSER = {"percentage": "minimum"}
# A lifecycle rule without a prefix is of all objects: wrangler 4.164 sends `conditions: {}` (2026-11).
OPTIONAL = {"r2.lifecycle_update_params.RuleConditions"}
KEPT = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "required")
# Models' inputs have schemas and codes of their own (catalog, ai/limits.py).
# Parameters of D1's statements are told as texts and are any JSON (wrangler sends numbers).
LEFT_OUT = (
    "/accounts/{}/ai/run/",
    "/accounts/{}/ai/v1/",
    "/accounts/{}/d1/database/{}/query",
    "/accounts/{}/d1/database/{}/raw",
)


def main() -> None:
    document = json.loads(SOURCE.read_text())
    reader = Reader(document["components"]["schemas"])
    operations = {}
    for path, methods in document["paths"].items():
        key = re.sub(r"\{\w+\}", "{}", path)
        if not key.startswith(LEFT_OUT):
            for method, operation in methods.items():
                if found := reader.operation(operation):
                    operations[f"{method.upper()} {key}"] = found
    about = document["info"] | {"made_by": "tools/request_schemas.py"}
    content = {"about": about, "operations": operations, "schemas": dict(sorted(reader.used.items()))}
    TARGET.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


class Reader:
    """`used` are the named schemas that the operations refer to."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self.used: dict[str, Any] = {}

    def operation(self, operation: dict[str, Any]) -> dict[str, Any]:
        given = operation.get("parameters", [])
        query = {p["name"]: self.read(p["schema"]) for p in given if p["in"] == "query" and p.get("schema")}
        # Bounds of a query are the handlers': each has a code of its own.
        query = {n: {k: v for k, v in q.items() if k in ("type", "enum")} for n, q in query.items() if "type" in q}
        content = operation.get("requestBody", {}).get("content", {})
        bodies = [content[kind]["schema"] for kind in JSON_KINDS if kind in content]
        body = self.read(bodies[0]) if bodies and len(content) == 1 else {}
        return ({"query": query} if query else {}) | ({"body": body} if body else {})

    def read(self, schema: Any) -> dict[str, Any]:
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            if name not in self.used:
                self.used[name] = {}
                self.used[name] = self.read(self._schemas[name])
                if name in OPTIONAL:
                    self.used[name].pop("required")
            return {"$ref": f"#/$defs/{name}"}
        kept = {key: schema[key] for key in KEPT if key in schema}
        for key in ("anyOf", "oneOf"):
            if key in schema:
                parts = _without_kinds([self.read(part) for part in schema[key]])
                kept |= parts[0] if len(parts) == 1 else {"anyOf": parts}
        if "items" in schema:
            kept["items"] = self.read(schema["items"])
        if isinstance(schema.get("additionalProperties"), dict):
            kept["additionalProperties"] = self.read(schema["additionalProperties"])
        if "properties" in schema:
            kept["properties"] = {name: self.read(part) for name, part in schema["properties"].items()}
            for name, bound in LOOSER.items():
                kept["properties"].get(name, {}).pop(bound, None)
        return kept


def _without_kinds(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several kinds of objects, such as bindings by type, are any object: that none of forty fits helps nobody, and the
    handlers tell them apart."""
    parts = [part for part in parts if part.get("type") != "null"]
    objects = [part for part in parts if part.get("type") == "object" or "$ref" in part]
    return parts if len(objects) < 2 else [{"type": "object"}, *(part for part in parts if part not in objects)]


if __name__ == "__main__":
    main()
