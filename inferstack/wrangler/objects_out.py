"""Durable Objects in wrangler's words: bindings, and the migrations that lead to the classes as they are.

`migrations`, not the newer `exports`: every wrangler reads them.
"""

from __future__ import annotations

from typing import Any

from inferstack.config import StackSpec


def objects_of(spec: StackSpec, key: str) -> dict[str, Any]:
    worker = spec.workers[key]
    bindings = []
    for name, each in worker.bound_objects.items():
        other = {"script_name": spec.name_of("workers", each.worker)} if each.worker else {}
        bindings.append({"name": name, "class_name": each.class_name, **other})
    found: dict[str, Any] = {"durable_objects": {"bindings": bindings}} if bindings else {}
    migrations = list(_migrations(spec, key))
    return found | ({"migrations": migrations} if migrations else {})


def _migrations(spec: StackSpec, key: str) -> list[dict[str, Any]]:
    """The first makes the classes under their first names; the second moves and deletes."""
    first: dict[str, list[Any]] = {}
    second: dict[str, list[Any]] = {}
    own = {each.class_name: each for each in spec.workers[key].objects.values() if each.worker is None}
    for name, each in own.items():
        former = each.renamed_from or name
        if each.transferred_from:
            script = spec.name_of("workers", each.transferred_from)
            second.setdefault("transferred_classes", []).append({"from": former, "from_script": script, "to": name})
            continue
        kind = "new_sqlite_classes" if each.storage == "sqlite" else "new_classes"
        first.setdefault(kind, []).append(former)
        if each.renamed_from:
            second.setdefault("renamed_classes", []).append({"from": former, "to": name})
        if each.deleted:
            second.setdefault("deleted_classes", []).append(name)
    steps = [step for step in (first, second) if step]
    return [{"tag": f"v{number}", **step} for number, step in enumerate(steps, 1)]
