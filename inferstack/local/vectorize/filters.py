"""Metadata filters (facts `ai-binding.md` §2): which operators exist and what they match."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from inferstack.local._envelope import ApiError

INVALID = 40028
LONGEST_FILTER = 2048  # bytes of compact JSON
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
}


def check_filter(given: Any) -> dict[str, dict[str, Any]]:
    """The filter with every bare value spelled out as `$eq`; raises what Vectorize answers on a bad one."""
    if not isinstance(given, dict) or not given:
        raise ApiError(400, INVALID, "invalid filter: must be a non-empty object")
    if len(json.dumps(given, separators=(",", ":")).encode()) >= LONGEST_FILTER:
        raise ApiError(400, INVALID, f"invalid filter: must be smaller than {LONGEST_FILTER} bytes")
    return {key: _conditions(key, value) for key, value in given.items()}


def _conditions(key: str, value: Any) -> dict[str, Any]:
    if not key or len(key) > 512 or key.startswith("$") or '"' in key or "|" in key:
        raise ApiError(400, INVALID, f"invalid filter: bad key {key!r}")
    conditions = value if isinstance(value, dict) else {"$eq": value}
    if len(conditions) != 1 and not (len(conditions) == 2 and set(conditions) <= set(ORDER)):
        raise ApiError(400, INVALID, f"invalid filter: bad combination of operators for {key!r}")
    for operator, operand in conditions.items():
        if operator in ("$eq", "$ne"):
            fits = operand is None or isinstance(operand, str | int | float | bool)
        elif operator in ("$in", "$nin"):
            fits = isinstance(operand, list)
        else:
            fits = operator in ORDER and isinstance(operand, str | int | float) and not isinstance(operand, bool)
        if not fits:
            raise ApiError(400, INVALID, f"invalid filter: bad operator or operand for {key!r}: {operator}")
    return conditions


def matches(conditions: dict[str, dict[str, Any]], indexed: dict[str, Any]) -> bool:
    """Whether a vector's indexed metadata meets every condition."""
    return all(_holds(op, indexed.get(key), want) for key, ops in conditions.items() for op, want in ops.items())


def _holds(operator: str, value: Any, wanted: Any) -> bool:
    if operator == "$eq":
        return bool(value == wanted)
    if operator == "$ne":
        return bool(value != wanted)
    if operator == "$in":
        return value in wanted
    if operator == "$nin":
        return value not in wanted
    if not isinstance(value, str | int | float) or isinstance(value, str) != isinstance(wanted, str):
        return False
    return ORDER[operator](value, wanted)
