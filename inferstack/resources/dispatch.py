"""Dispatch namespaces of Workers for Platforms: what `dispatch_namespaces:` in a stack file become."""

from __future__ import annotations

import pulumi

from inferstack.resources.context import Context
from inferstack.resources.official import WorkersForPlatformsDispatchNamespace


def dispatch_namespace(key: str, context: Context, parent: pulumi.Resource) -> WorkersForPlatformsDispatchNamespace:
    """It holds what customers uploaded, so that it is kept as data is."""
    inputs = {"accountId": context.account_id, "name": context.spec.name_of("dispatch_namespaces", key)}
    return WorkersForPlatformsDispatchNamespace(key, inputs, context.keep(key, parent))
