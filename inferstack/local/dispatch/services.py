"""A dispatch namespace in workerd's configuration: a binding that finds Workers by name."""

from __future__ import annotations

from inferstack.local.runtime.literals import joined, literal

BINDING = "dispatch_namespace"
MODULE, FILE = "local:dispatch_namespace", "dispatch/namespace.js"


def designator(workers: dict[str, str]) -> str:
    """Of a namespace whose Workers answer as these services."""
    inner = [f"(name = {literal(name)}, service = {literal(service)})" for name, service in workers.items()]
    return f"wrapped = (moduleName = {literal(MODULE)}, innerBindings = [{joined(inner)}])"
