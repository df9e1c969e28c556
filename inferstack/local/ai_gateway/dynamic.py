"""Dynamic routes: a walk through a route's graph to the first model that answers. Shapes: facts `api.md`, AI Gateway."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from inferstack.local._store import Document
from inferstack.local.ai.run import Answer, InferenceError
from inferstack.local.ai_gateway.limits import Windows, cost_cents

MOST_STEPS = 64
Call = Callable[[str, str, dict[str, Any]], Awaitable[Answer]]  # provider, model, inputs
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$in": lambda value, wanted: value in wanted,
    "$nin": lambda value, wanted: value not in wanted,
    "$gt": lambda value, wanted: value is not None and bool(value > wanted),
    "$gte": lambda value, wanted: value is not None and bool(value >= wanted),
    "$lt": lambda value, wanted: value is not None and bool(value < wanted),
    "$lte": lambda value, wanted: value is not None and bool(value <= wanted),
}


@dataclass(frozen=True, slots=True)
class Routed:
    """The answer of a route, who gave it, and after how many steps."""

    answer: Answer
    provider: str
    model: str
    step: int


class RouteEnded(Exception):
    """The graph came to its end without a model."""


async def walk(
    route: Document, call: Call, windows: Windows, inputs: dict[str, Any], metadata: dict[str, Any]
) -> Routed:
    """Raises the last `InferenceError` when every model failed, `RouteEnded` when none was asked."""
    elements = {e["id"]: e for e in route["elements"]}
    element = next(e for e in elements.values() if e["type"] == "start")
    error: InferenceError | None = None
    budgets: list[str] = []
    for step in range(MOST_STEPS):
        if element["type"] == "end":
            break
        way = "next"
        properties = element.get("properties") or {}
        if element["type"] == "model":
            provider, model = properties.get("provider", "workers-ai"), properties["model"]
            try:
                answer = await _attempts(call, provider, model, inputs, int(properties.get("retries") or 0))
            except InferenceError as failed:
                error, way = failed, "fallback"
            else:
                for key in budgets:
                    windows.add(key, cost_cents(provider, model, answer.usage))
                return Routed(answer, provider, model, step)
        elif element["type"] == "percentage":
            way = _draw(element["outputs"])
        elif element["type"] == "conditional":
            way = "true" if _holds(properties, metadata) else "false"
        elif element["type"] in ("rate", "rate_limit"):
            way = _count(f"{route['id']}\0{element['id']}", properties, windows, metadata, budgets)
        output = (element.get("outputs") or {}).get(way)
        if not output:  # an element may lead nowhere
            break
        element = elements[output["elementId"] if isinstance(output, dict) else output]
    raise error or RouteEnded


async def _attempts(call: Call, provider: str, model: str, inputs: dict[str, Any], retries: int) -> Answer:
    for _ in range(retries):
        try:
            return await call(provider, model, inputs)
        except InferenceError:
            continue
    return await call(provider, model, inputs)


def _count(element: str, properties: Document, windows: Windows, metadata: dict[str, Any], budgets: list[str]) -> str:
    """Requests are counted here; what they cost when the answer is there, for the keys in `budgets`."""
    key = f"{element}\0{_value(metadata, properties.get('key', ''))}"
    window = properties.get("window") or properties.get("interval") or 60
    over = windows.total(key, window, properties.get("technique", "sliding")) >= properties["limit"]
    if over:
        return "fallback"
    if properties.get("limitType") == "cost":
        budgets.append(key)
    else:
        windows.add(key, 1)
    return "success"


def _draw(outputs: dict[str, Any]) -> str:
    """One of `"10%"`, `"50%"`, `"else"`, by chance."""
    point = random.uniform(0, 100)  # noqa: S311 - traffic split, not a secret
    for name in outputs:
        if name.endswith("%"):
            point -= float(name[:-1])
            if point < 0:
                return name
    return "else" if "else" in outputs else next(iter(outputs))


def _holds(properties: Document, metadata: dict[str, Any]) -> bool:
    """`{"metadata.plan": {"$eq": "free"}}`, all of them."""
    conditions = properties.get("conditions") or properties.get("condition") or {}
    if isinstance(conditions, str):
        conditions = json.loads(conditions)
    for path, test in conditions.items():
        value = _value(metadata, path)
        tests = test if isinstance(test, dict) else {"$eq": test}
        if not all(_passes(name, value, wanted) for name, wanted in tests.items()):
            return False
    return True


def _passes(name: str, value: Any, wanted: Any) -> bool:
    try:
        return name in TESTS and TESTS[name](value, wanted)
    except TypeError:  # a number beside a text
        return False


def _value(metadata: dict[str, Any], path: str) -> Any:
    return metadata.get(path.removeprefix("metadata."))
