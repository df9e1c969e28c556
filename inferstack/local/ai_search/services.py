"""AI Search in workerd's configuration: one Worker that has the bindings' methods, told by `props` who asks."""

from __future__ import annotations

import json
from pathlib import Path

from inferstack.local._store import Document
from inferstack.local.runtime.literals import literal

FRONT = Path(__file__).parent / "front.js"
SERVICE, DOOR, DATE = "ai-search", "ai-search-door", "2026-06-01"
AI, INSTANCE, NAMESPACE = "ai", "ai_search", "ai_search_namespace"
KINDS = (AI, INSTANCE, NAMESPACE)
ENTRYPOINTS = {AI: "Ai", INSTANCE: "Instance", NAMESPACE: "Namespace"}
DEFAULT = "namespaces/default"


def place_front(folder: Path) -> str:
    """The file, and the service; its door to this project's own process is `DOOR`."""
    (folder / "ai_search.js").write_bytes(FRONT.read_bytes())
    module = '(name = "ai_search.js", esModule = embed "ai_search.js")'
    door = f'(name = "BINDINGS", service = "{DOOR}")'
    return f'(name = "{SERVICE}", worker = (modules = [{module}], compatibilityDate = "{DATE}", bindings = [{door}]))'


def designator(account: str, binding: Document) -> str:
    """Of the service behind a binding of one of `KINDS`."""
    props = literal(json.dumps({"account": account, "scope": _scope(binding)}))
    return f'(name = "{SERVICE}", entrypoint = "{ENTRYPOINTS[binding["type"]]}", props = (json = {props}))'


def _scope(binding: Document) -> str:
    """The path below which the binding may ask."""
    if binding["type"] == INSTANCE:
        return f"namespaces/{binding.get('namespace') or 'default'}/instances/{binding['instance_name']}"
    return f"namespaces/{binding['namespace']}" if binding["type"] == NAMESPACE else DEFAULT
