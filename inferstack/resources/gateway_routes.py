"""The graph of a dynamic route, as AI Gateway takes it. Element shapes: facts `api.md`, AI Gateway."""

from __future__ import annotations

from typing import Any

from inferstack.config import RouteSpec, StackSpec

CENTS = 100  # AI Gateway counts money in US cents
Element = dict[str, Any]


def route_elements(route: RouteSpec, spec: StackSpec) -> list[Element]:
    """Start, the conditions, the limits, the shares of traffic, then the models in order of fallback."""
    chain, main = _chain("model", route.models, route, spec)
    side: list[Element] = []
    steps: list[tuple[str, list[Element]]] = []  # the id that leads into a step, and its elements
    for place, condition in enumerate(route.conditions):
        entry, models = _chain(f"when-{place}", condition.models, route, spec)
        tests = {f"metadata.{name}": _test(value) for name, value in condition.metadata.items()}
        element = {"id": f"when-{place}", "type": "conditional", "properties": {"conditions": tests}}
        steps.append((f"when-{place}", [{**element, "outputs": _outputs({"true": entry, "false": NEXT})}]))
        side += models
    for place, limit in enumerate(route.limits):
        entry, models = _chain(f"limit-{place}", limit.models, route, spec)
        counted = ("count", limit.requests) if limit.usd is None else ("cost", limit.usd * CENTS)
        properties = {"key": f"metadata.{limit.by}", "limitType": counted[0], "limit": counted[1]}
        element = {"id": f"limit-{place}", "type": "rate", "properties": {**properties, "window": limit.interval}}
        steps.append((f"limit-{place}", [{**element, "outputs": _outputs({"success": NEXT, "fallback": entry})}]))
        side += models
    if route.split:
        shares = {f"{share.percent}%": f"split-{share.model}" for share in route.split}
        split = {"id": "split", "type": "percentage", "outputs": _outputs({**shares, "else": NEXT})}
        models = [_model(f"split-{share.model}", share.model, route, spec, chain) for share in route.split]
        steps.append(("split", [split, *models]))
    entries = [entry for entry, _ in steps] + [chain]
    start = {"id": "start", "type": "start", "outputs": _outputs({"next": entries[0]})}
    linked = [_link(e, entries[place + 1]) for place, (_, part) in enumerate(steps) for e in part]
    return [start, *linked, *side, *main, {"id": "end", "type": "end", "outputs": {}}]


NEXT = "\0next"  # stands for the step that follows


def _link(element: Element, following: str) -> Element:
    outputs = {
        name: {"elementId": following if to["elementId"] == NEXT else to["elementId"]}
        for name, to in element["outputs"].items()
    }
    return {**element, "outputs": outputs}


def _chain(prefix: str, aliases: list[str], route: RouteSpec, spec: StackSpec) -> tuple[str, list[Element]]:
    """The id that leads into models in order of fallback, and their elements."""
    ids = [f"{prefix}-{alias}" for alias in aliases] + ["end"]
    return ids[0], [_model(ids[at], alias, route, spec, ids[at + 1]) for at, alias in enumerate(aliases)]


def _model(identifier: str, alias: str, route: RouteSpec, spec: StackSpec, fallback: str) -> Element:
    declared = spec.models[alias]
    properties = {"provider": spec.provider_name(declared.provider), "model": declared.model}
    limits = {"timeout": route.timeout_ms, "retries": route.retries}
    outputs = _outputs({"success": "end", "fallback": fallback})
    return {"id": identifier, "type": "model", "outputs": outputs, "properties": {**properties, **limits}}


def _test(value: str | list[str]) -> dict[str, Any]:
    return {"$in": value} if isinstance(value, list) else {"$eq": value}


def _outputs(to: dict[str, str]) -> dict[str, Any]:
    return {name: {"elementId": identifier} for name, identifier in to.items()}
