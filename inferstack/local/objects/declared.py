"""`exports` of an upload, Cloudflare's declarative form of migrations (2026-06-30): what is due follows from what is there."""

from __future__ import annotations

from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.objects.state import Space

KIND = "durable-object"
STORAGE = {"sqlite": "new_sqlite_classes", "legacy-kv": "new_classes"}
NEEDS = {
    "created": "storage",
    "deleted": "",
    "renamed": "renamed_to",
    "transferred": "transferred_to",
    "expecting-transfer": "transfer_from",
}


def read_exports(body: Any) -> Document:
    """Those of Durable Objects, each checked for its shape; raises `ApiError`."""
    if body is None:
        return {}
    if not isinstance(body, dict) or not all(isinstance(each, dict) for each in body.values()):
        raise ApiError(400, 10021, "`exports` must be an object of objects")
    found = {name: each for name, each in body.items() if each.get("type") == KIND}
    for name, each in found.items():
        state = each.get("state") or "created"
        if state not in NEEDS:
            raise ApiError(400, 10021, f"`exports.{name}.state` must be one of: {', '.join(NEEDS)}")
        if NEEDS[state] and not isinstance(each.get(NEEDS[state]), str):
            raise ApiError(400, 10021, f"`exports.{name}` must have a valid `{NEEDS[state]}` specified")
        if each.get("storage") not in (None, *STORAGE):
            raise ApiError(400, 10021, f"`exports.{name}.storage` must be one of: {', '.join(STORAGE)}")
    return found


def due(exports: Document, spaces: list[Space], script: str) -> list[Document]:
    """As the steps of `migrations`."""
    there = {space.class_name for space in spaces if space.script == script}
    step: dict[str, list[Any]] = {}
    for name, each in exports.items():
        state = each.get("state") or "created"
        if state == "renamed" and name in there:
            step.setdefault("renamed_classes", []).append({"from": name, "to": each["renamed_to"]})
        elif state == "deleted" and name in there:
            step.setdefault("deleted_classes", []).append(name)
        elif state == "expecting-transfer" and name not in there:
            move = {"from": name, "from_script": each["transfer_from"], "to": name}
            step.setdefault("transferred_classes", []).append(move)
    moved = {move["to"] for move in step.get("renamed_classes", [])}
    for name, each in exports.items():
        if (each.get("state") or "created") == "created" and name not in there | moved:
            step.setdefault(STORAGE[each["storage"]], []).append(name)
    return [step] if step else []
