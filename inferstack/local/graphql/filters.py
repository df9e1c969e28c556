"""Filters of a dataset: `name`, `name_geq` and so on, `AND` and `OR`.

Operators: https://developers.cloudflare.com/analytics/graphql-api/features/filtering/ (2026-04-23).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from inferstack.local.graphql.refusals import Path, bad_arguments

DEEPEST, MOST = 10, 500  # of conditions; unsourced
TEXT, TIME, DATE = "text", "time", "date"  # what a dimension holds; times and dates are texts of ISO 8601
Wanted = Callable[[Mapping[str, Any]], bool]
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "geq": operator.ge,
    "leq": operator.le,
    "neq": operator.ne,
    "gt": operator.gt,
    "lt": operator.lt,
}
LISTS, PATTERNS = ("in", "notin"), ("like", "notlike")


def wanted(given: Any, kinds: Mapping[str, str], of: str, path: Path, depth: int = 0) -> Wanted:
    """Whether a row with these dimensions is wanted. Raises `Refused`."""
    if depth == 0 and _count(given, 0) > MOST:
        raise bad_arguments(of, f"a filter has not more than {MOST} conditions", path)
    if not isinstance(given, dict) or depth > DEEPEST:
        raise bad_arguments(of, f"a filter must be an object, not more than {DEEPEST} deep", path)
    tests: list[Wanted] = []
    for key, value in given.items():
        if key in ("AND", "OR"):
            if not isinstance(value, list):
                raise bad_arguments(of, f"{key} must be a list of filters", path)
            tests.append(_joined(key, [wanted(each, kinds, of, path, depth + 1) for each in value]))
        else:
            tests.append(_test(key, value, kinds, of, path))
    return lambda row: all(test(row) for test in tests)


def _count(given: Any, depth: int) -> int:
    if depth > DEEPEST or not isinstance(given, dict):
        return 1
    inner = [each for key in ("AND", "OR") if isinstance(given.get(key), list) for each in given[key]]
    return len(given) + sum(_count(each, depth + 1) for each in inner)


def _joined(how: str, tests: list[Wanted]) -> Wanted:
    if how == "AND":
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)


def _test(key: str, value: Any, kinds: Mapping[str, str], of: str, path: Path) -> Wanted:
    name, _, kind_of_test = (key, "", "") if key in kinds else key.rpartition("_")
    known = kind_of_test in (*COMPARED, *LISTS, *PATTERNS)
    if name not in kinds or not known:
        raise bad_arguments(of, f'unknown filter "{key[:100]}"', path)
    try:
        if kind_of_test in LISTS:
            if not isinstance(value, list):
                raise TypeError("a list")
            among = {_read(each, kinds[name]) for each in value}
            return lambda row: (_read(row[name], kinds[name]) in among) is (kind_of_test == "in")
        if kind_of_test in PATTERNS:
            pattern = str(_read(value, TEXT))
            return lambda row: _like(str(row[name]), pattern) is (kind_of_test == "like")
        compare, right = COMPARED[kind_of_test], _read(value, kinds[name])
        return lambda row: compare(_read(row[name], kinds[name]), right)
    except (TypeError, ValueError, OverflowError):
        what = "a list of them" if kind_of_test in LISTS else f"a {kinds[name]}"
        raise bad_arguments(of, f'"{key}" must be {what}', path) from None


def _read(value: Any, kind: str) -> str | float:
    """Something to compare with others of its kind. Raises `TypeError`, `ValueError` or `OverflowError`."""
    if not isinstance(value, str):
        raise TypeError(kind)
    if kind == TIME:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(date.fromisoformat(value[:10]).toordinal()) if kind == DATE else value


def _like(text: str, pattern: str) -> bool:
    """`%` stands for any text; found part by part, so that no pattern is slow."""
    first, *parts = pattern.split("%")
    if not parts:
        return text == first
    if not text.startswith(first):
        return False
    place = len(first)
    for part in parts[:-1]:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - place >= len(parts[-1]) and text.endswith(parts[-1])
