"""The pages under docs/ that follow from the code: findings, the reference of the stack language, its JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inferstack.author.template_docs import templates_page
from inferstack.config import CODES, FOR_EACH, json_schema
from inferstack.shipped import HOME

LOOP = {"$ref": "#/$defs/Loop"}
MARK = "<!-- made by `inferstack docs`; do not edit -->"


def pages() -> dict[str, str]:
    """Text by path under docs/."""
    schema = json_schema()
    return {
        "findings.md": _findings(),
        "reference.md": _reference(schema),
        "templates.md": f"{MARK}\n{templates_page(HOME)}",
        "stack.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n",
    }


def write(root: Path) -> list[str]:
    """The paths that changed."""
    changed = []
    for name, text in pages().items():
        file = root / "docs" / name
        file.parent.mkdir(exist_ok=True)
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)
            changed.append(f"docs/{name}")
    return changed


def _findings() -> str:
    lines = [MARK, "# Findings", "", "What `inferstack check` can say. `inferstack explain IS045` tells one.", ""]
    lines += ["| code | finding | severity | why |", "| --- | --- | --- | --- |"]
    lines += [f"| {code} | {found.title} | {found.severity} | {found.why} |" for code, found in sorted(CODES.items())]
    return "\n".join(lines) + "\n"


def _reference(schema: dict[str, Any]) -> str:
    lines = [MARK, "# Reference of the stack language", ""]
    lines += ["Every key of a stack file. The guide is [config.md](config.md).", ""]
    lines += _section("The file", schema)
    for name, definition in sorted(schema["$defs"].items()):
        if definition.get("properties"):
            lines += _section(name, definition)
    return "\n".join(lines)


def _section(title: str, definition: dict[str, Any]) -> list[str]:
    lines = [f"## {title}", ""]
    lines += [definition["description"].split("\n\n")[0].replace("\n", " "), ""] if "description" in definition else []
    lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key, entry in definition["properties"].items():
        if key == FOR_EACH and title != "Loop":
            continue
        default = json.dumps(entry["default"], ensure_ascii=False) if entry.get("default") is not None else ""
        lines.append(f"| `{key}` | {_kind(entry)} | {f'`{default}`' if default else ''} | {entry['description']} |")
    return [*lines, ""]


def _kind(entry: dict[str, Any]) -> str:
    """A value's type in words, with a link where it is a mapping of its own."""
    if "$ref" in entry:
        name = entry["$ref"].split("/")[-1]
        if name == "ForEach":
            return "text, a list, or a mapping of names to them"
        return f"[{name}](#{name.lower()})"
    if "enum" in entry:
        listed = entry["enum"]
        return ", ".join(f"`{item}`" for item in listed) if len(listed) < 15 else "a name of the catalogue"
    if "const" in entry:
        return f"`{json.dumps(entry['const'])}`"
    if "anyOf" in entry:
        kinds = [c for c in entry["anyOf"] if c.get("type") != "null" and c.get("pattern") != r"\$\{" and c != LOOP]
        return " or ".join(dict.fromkeys(_kind(kind) for kind in kinds))
    inside = entry.get("additionalProperties") or next(iter(entry.get("patternProperties", {}).values()), None)
    if entry.get("type") == "object":
        return f"mapping of names to {_kind(inside)}" if isinstance(inside, dict) and inside else "mapping"
    if entry.get("type") == "array":
        return f"list of {_kind(entry.get('items', {}))}"
    bounds = [f"≥ {entry['minimum']}"] if "minimum" in entry else []
    bounds += [f"≤ {entry['maximum']}"] if "maximum" in entry else []
    kind = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true, false"}
    return " ".join([kind.get(entry.get("type", ""), "any value"), *bounds])
