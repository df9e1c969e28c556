"""Workflows: what `workflows:` of a Worker becomes: bindings, and a resource for each class of its own."""

from __future__ import annotations

from typing import Any

import pulumi

from inferstack.config import StackSpec
from inferstack.resources.context import Context
from inferstack.resources.official import Workflow


def workflow_bindings(spec: StackSpec, key: str) -> list[dict[str, Any]]:
    """`className` and `scriptName` are left out: the name alone leads there, and the class may change under it."""
    named = {name: spec.workflow_name(key, name) for name in spec.workers[key].workflows}
    return [{"name": name, "type": "workflow", "workflowName": called} for name, called in named.items()]


def add_workflows(key: str, context: Context, parent: pulumi.Resource, deployment: pulumi.Resource) -> None:
    """Once the version that exports the class is live: Cloudflare looks for it there."""
    spec = context.spec
    for name, each in spec.workers[key].own_workflows.items():
        inputs = {
            "accountId": context.account_id,
            "workflowName": spec.workflow_name(key, name),
            "scriptName": spec.name_of("workers", key),
            "className": each.class_name,
            "limits": {"steps": each.steps} if each.steps else None,
        }
        after = pulumi.ResourceOptions(depends_on=[deployment])
        options = pulumi.ResourceOptions.merge(context.keep(f"{key}-{name}", parent), after)
        Workflow(f"{key}-{name}", inputs, options)
