"""Metadata filters (facts `ai-binding.md` §2): which operators exist, and what they may be given."""

from __future__ import annotations

import json
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local.vectorize.limits import FILTER_BYTES, FILTER_KEY

INVALID = 40028
ORDER = ("$lt", "$lte", "$gt", "$gte")

Conditions = dict[str, dict[str, Any]]  # by property, then by operator


def check_filter(given: Any) -> Conditions:
    """The filter with every bare value spelled out as `$eq`; raises what Vectorize answers on a bad one."""
    if not isinstance(given, dict) or not given:
        raise ApiError(400, INVALID, "invalid filter: must be a non-empty object")
    if len(json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode()) >= FILTER_BYTES:
        raise ApiError(400, INVALID, f"invalid filter: must be smaller than {FILTER_BYTES} bytes")
    return {key: _conditions(key, value) for key, value in given.items()}


def _conditions(key: str, value: Any) -> dict[str, Any]:
    if not key or len(key) > FILTER_KEY or key.startswith("$") or '"' in key or "|" in key:
        raise ApiError(400, INVALID, f"invalid filter: bad key {key!r}")
    conditions = value if isinstance(value, dict) else {"$eq": value}
    if len(conditions) != 1 and not (len(conditions) == 2 and set(conditions) <= set(ORDER)):
        raise ApiError(400, INVALID, f"invalid filter: bad combination of operators for {key!r}")
    for operator, operand in conditions.items():
        if operator in ("$eq", "$ne"):
            fits = _plain(operand)
        elif operator in ("$in", "$nin"):
            fits = isinstance(operand, list) and all(_plain(each) for each in operand)
        else:
            fits = operator in ORDER and isinstance(operand, str | int | float) and not isinstance(operand, bool)
        if not fits:
            raise ApiError(400, INVALID, f"invalid filter: bad operator or operand for {key!r}: {operator}")
    return conditions


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
