"""Durable Objects: what `objects:` of a Worker becomes: bindings, and the migrations that its version carries.

Migrations are no state that a program can declare: Cloudflare refuses one that was applied before, and a new version
with new code would carry the old one again. So `ObjectMigrations` asks, whenever a version is about to be made, which
classes the Worker has, and what it gives out goes into the version.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pulumi

from inferstack.config import StackSpec
from inferstack.resources.context import Context
from inferstack.resources.own import ObjectMigrations


def object_bindings(spec: StackSpec, key: str) -> list[dict[str, Any]]:
    found = []
    for name, each in spec.workers[key].bound_objects.items():
        binding = {"name": name, "type": "durable_object_namespace", "className": each.class_name}
        if each.worker is not None:
            binding["scriptName"] = spec.name_of("workers", each.worker)
        found.append(binding)
    return found


def object_migrations(
    key: str, context: Context, version: dict[str, Any], parent: pulumi.Resource, shell: pulumi.Resource
) -> pulumi.Output[Any] | None:
    """What the version must carry; None for a Worker that never had a class of its own."""
    spec, name = context.spec, f"{key}-objects"
    worker = spec.workers[key]
    classes = []
    for each in worker.classes.values():
        former = {"renamedFrom": each.renamed_from} if each.renamed_from else {}
        if each.transferred_from:
            former["fromScript"] = spec.name_of("workers", each.transferred_from)
        classes.append({"name": each.class_name, "storage": each.storage, **former})
    deleted = sorted({each.class_name for each in worker.objects.values() if each.deleted})
    if not classes and not deleted:
        return None
    content = pulumi.Output.json_dumps(version, sort_keys=True).apply(_digest)
    inputs = {
        "accountId": context.account_id,
        "scriptName": spec.name_of("workers", key),
        "classes": sorted(classes, key=lambda one: one["name"]),
        "deleted": deleted,
        "content": content,
    }
    # Where classes hold data, what goes with the Worker is protected; once all are deleted nothing is left to protect.
    kept = context.keep(name, parent) if classes else pulumi.ResourceOptions(parent=parent)
    after = pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[shell]))
    return ObjectMigrations(name, inputs, after).migrations


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
