"""Values between JSON and SQLite, as D1 turns them."""

from __future__ import annotations

import math
from typing import Any

from inferstack.local._bytes import whole

LARGEST_WHOLE = 2**53


class Unsupported(Exception):
    """D1 has no type for the value."""


def bindable(value: Any) -> Any:
    """Raises `Unsupported`. JavaScript knows one kind of number, and D1 binds each as a real: `?1 / 2` of 3 is 1.5."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return _real(value)
    if isinstance(value, float) or value is None:
        return value
    if isinstance(value, list) and all(type(item) is int and 0 <= item <= 255 for item in value):
        return bytes(value)
    shown = ",".join(map(str, value)) if isinstance(value, list) else "[object Object]"
    raise Unsupported(f"D1_TYPE_ERROR: Type 'object' not supported for value '{whole(shown)[:100]}'")


def readable(value: Any) -> Any:
    """JSON has neither bytes nor infinity."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return int(value)  # as JSON of JavaScript has it
    return value


def _real(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
