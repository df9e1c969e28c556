"""Which items a question may be answered from: filters of both APIs, on an item's metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.ai_search.rules import bad
from inferstack.local.vectorize.filters import check_filter

LEGACY = {"eq": "$eq", "ne": "$ne", "gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte"}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$in": lambda value, wanted: value in wanted,
    "$nin": lambda value, wanted: value not in wanted,
    "$gt": lambda value, wanted: _ordered(value, wanted) and value > wanted,
    "$gte": lambda value, wanted: _ordered(value, wanted) and value >= wanted,
    "$lt": lambda value, wanted: _ordered(value, wanted) and value < wanted,
    "$lte": lambda value, wanted: _ordered(value, wanted) and value <= wanted,
}
Test = Callable[[Document], bool]


def filter_of(given: Any) -> Test | None:
    """From Vectorize's form, or from the older one of AutoRAG; None takes all. Raises `ApiError`."""
    if given in (None, {}):
        return None
    if isinstance(given, dict) and isinstance(given.get("type"), str):
        return _older(given, deep=False)
    try:
        conditions = check_filter(given)
    except ApiError as error:
        raise bad(f"filters: {error.message.removeprefix('invalid filter: ')}") from None
    return lambda metadata: all(
        OPERATORS[operator](metadata.get(key), wanted)
        for key, operators in conditions.items()
        for operator, wanted in operators.items()
    )


def _older(given: Document, deep: bool) -> Test:
    kind, inner = given["type"], given.get("filters")
    if kind in ("and", "or") and not deep:
        if not isinstance(inner, list) or not inner:
            raise bad(f"filters: {kind} needs a list of filters")
        tests = [_older(each if isinstance(each, dict) else {"type": ""}, deep=True) for each in inner]
        combined = all if kind == "and" else any
        return lambda metadata: combined(test(metadata) for test in tests)
    if kind not in LEGACY or not isinstance(given.get("key"), str):
        raise bad("filters: {type: eq, ne, gt, gte, lt or lte, key, value}, or {type: and or or, filters} of these")
    operator, key, wanted = OPERATORS[LEGACY[kind]], given["key"], given.get("value")
    if not isinstance(wanted, str | int | float | bool):
        raise bad("filters: value must be a text, a number or true or false")
    return lambda metadata: operator(metadata.get(key), wanted)


def _ordered(value: Any, wanted: Any) -> bool:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (value, wanted))
    return numbers or (isinstance(value, str) and isinstance(wanted, str))
