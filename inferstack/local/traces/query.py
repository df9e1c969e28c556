"""The query language of Workers Observability over events: filters, full-text search, calculations with groups and series.

Source: the API's own document, `POST /accounts/{account_id}/workers/observability/telemetry/query`. Values that it leaves open
(how buckets are laid) are this module's.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document

CODE = 10021
BUCKETS = 30
DEEPEST = 5
SIGNS = {"=": "eq", "!=": "neq", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
WORDS = {"does_not_include": "not_includes", "match_regex": "regex", "does_not_exist": "is_null"}
PERCENTILE = re.compile(r"p(001|01|05|10|25|75|90|95|99|999)\Z")
Test = Callable[[Document], bool]
Numbers = Callable[[list[float]], float]


def value_of(event: Document, key: str) -> Any:
    """`$metadata.service`, `$workers.outcome`, or an attribute of the source by its own name, which may hold dots."""
    head, _, rest = key.partition(".")
    if head in ("$metadata", "$workers"):
        found: Any = event[head]
        for part in rest.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found
    return event["source"].get(key.removeprefix("source."), event.get(key) if key == "timestamp" else None)


def test_of(parameters: Document) -> Test:
    """Whether an event is meant. Raises `ApiError` for what is no filter."""
    if not isinstance(parameters, dict):
        raise ApiError(400, CODE, "parameters: must be an object")
    wanted = _group(parameters.get("filters") or [], parameters.get("filterCombination") or "and")
    needle = parameters.get("needle")
    if not needle:
        return wanted
    value = needle.get("value") if isinstance(needle, dict) else None
    if not isinstance(value, str):
        raise ApiError(400, CODE, "parameters.needle.value: must be a text")
    pattern = _pattern(
        value if needle.get("isRegex") else re.escape(value), 0 if needle.get("matchCase") else re.IGNORECASE
    )
    return lambda event: wanted(event) and any(pattern.search(text) for text in _texts(event))


def _texts(event: Document) -> Iterable[str]:
    yield from (v for v in event["$metadata"].values() if isinstance(v, str))
    yield from (str(v) for v in event["source"].values())


def _group(filters: Any, combination: str, depth: int = 0) -> Test:
    if not isinstance(filters, list) or depth > DEEPEST:
        raise ApiError(400, CODE, f"parameters.filters: must be a list, and no deeper than {DEEPEST}")
    tests = [_filter(each, depth) for each in filters]
    either = str(combination).lower() == "or" and tests
    return (lambda event: any(t(event) for t in tests)) if either else (lambda event: all(t(event) for t in tests))


def _filter(given: Any, depth: int) -> Test:
    if not isinstance(given, dict):
        raise ApiError(400, CODE, "parameters.filters: each must be an object")
    if given.get("kind") == "group":
        return _group(given.get("filters"), given.get("filterCombination") or "and", depth + 1)
    key, operation = given.get("key"), str(given.get("operation")).lower()
    operation = SIGNS.get(operation, WORDS.get(operation, operation))
    value = given.get("value")
    if not isinstance(key, str) or operation not in OPERATIONS:
        raise ApiError(400, CODE, f"parameters.filters: {str(operation)[:40]} on {str(key)[:80]} is no filter")
    if operation == "regex":
        _pattern(str(value), 0)
    compare = OPERATIONS[operation]
    return lambda event: compare(value_of(event, key), value)


def _pattern(text: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise ApiError(400, CODE, f"{text[:80]!r} is no regular expression: {error}") from None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def both(found: Any, value: Any) -> bool:
        try:
            return found is not None and compare(float(found), float(value))
        except (TypeError, ValueError):
            return False

    return both


def _among(found: Any, value: Any) -> bool:
    return str(found) in [each.strip() for each in str(value).split(",")]


def _same(found: Any, value: Any) -> bool:
    return bool(found == value) or (found is not None and str(found) == str(value))


OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "includes": lambda found, value: str(value) in str(found or ""),
    "not_includes": lambda found, value: str(value) not in str(found or ""),
    "starts_with": lambda found, value: str(found or "").startswith(str(value)),
    "ends_with": lambda found, value: str(found or "").endswith(str(value)),
    "regex": lambda found, value: bool(re.search(str(value), str(found or ""))),
    "exists": lambda found, _: found is not None,
    "is_null": lambda found, _: found is None,
    "in": _among,
    "not_in": lambda found, value: not _among(found, value),
    "eq": _same,
    "neq": lambda found, value: not _same(found, value),
    "gt": _ordered(lambda a, b: a > b),
    "gte": _ordered(lambda a, b: a >= b),
    "lt": _ordered(lambda a, b: a < b),
    "lte": _ordered(lambda a, b: a <= b),
}
NUMBERS: dict[str, Numbers] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": statistics.fmean,
    "median": statistics.median,
    "stddev": statistics.pstdev,
    "variance": statistics.pvariance,
}


@dataclass(frozen=True, slots=True)
class Calculation:
    """One figure over events: an operator, the key of its values, and the name it goes by."""

    operator: str
    key: str
    alias: str

    @classmethod
    def read(cls, given: Any) -> Calculation:
        operator = str(given.get("operator")).lower() if isinstance(given, dict) else ""
        operator = {"count_distinct": "uniq"}.get(operator, operator)
        known = operator in ("count", "uniq") or operator in NUMBERS or PERCENTILE.match(operator)
        key = given.get("key") if isinstance(given, dict) else None
        if not known or (operator != "count" and not isinstance(key, str)):
            raise ApiError(
                400, CODE, f"parameters.calculations: {operator[:40] or 'each'} needs an operator and its key"
            )
        return cls(operator, key or "", str(given.get("alias") or ""))

    def of(self, events: list[Document]) -> float:
        if self.operator == "count":
            return len(events)
        found = [value_of(event, self.key) for event in events]
        if self.operator == "uniq":
            return len({str(value) for value in found if value is not None})
        numbers = [float(v) for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
        if not numbers:
            return 0
        percentile = PERCENTILE.match(self.operator)
        if percentile is None:
            return float(NUMBERS[self.operator](numbers))
        digits = percentile[1]
        share = int(digits) / (1000 if len(digits) == 3 else 100)
        return sorted(numbers)[min(int(share * len(numbers)), len(numbers) - 1)]


def calculated(parameters: Document, events: list[Document], span: tuple[int, int], buckets: int) -> list[Document]:
    """Aggregates by group, and their course in time."""
    keys = [str(group.get("value")) for group in parameters.get("groupBys") or [] if isinstance(group, dict)]
    groups: dict[tuple[Any, ...], list[Document]] = {}
    for event in events:
        groups.setdefault(tuple(value_of(event, key) for key in keys), []).append(event)
    answers = []
    for calculation in map(Calculation.read, parameters.get("calculations") or [{"operator": "count"}]):
        shown = [_aggregate(calculation, keys, group, found) for group, found in groups.items()]
        most = int(parameters.get("limit") or 100)
        aggregates = sorted(shown, key=lambda each: -each["value"])[:most]
        series = _series(calculation, keys, groups, span, buckets)
        answer: Document = {"calculation": calculation.operator, "aggregates": aggregates, "series": series}
        answers.append(answer | ({"alias": calculation.alias} if calculation.alias else {}))
    return answers


def _aggregate(calculation: Calculation, keys: list[str], group: tuple[Any, ...], events: list[Document]) -> Document:
    known = [{"key": key, "value": value if value is not None else ""} for key, value in zip(keys, group, strict=True)]
    count = len(events)
    return {
        "count": count,
        "interval": 1,
        "sampleInterval": 1,
        "value": calculation.of(events),
        **({"groups": known} if keys else {}),
    }


def _series(
    calculation: Calculation,
    keys: list[str],
    groups: dict[tuple[Any, ...], list[Document]],
    span: tuple[int, int],
    buckets: int,
) -> list[Document]:
    start, end = span
    width = max((end - start) / buckets, 1)
    cells: dict[int, dict[tuple[Any, ...], list[Document]]] = {}
    for group, events in groups.items():
        for event in events:
            place = min(int((event["timestamp"] - start) / width), buckets - 1)
            cells.setdefault(place, {}).setdefault(group, []).append(event)
    series = []
    for place in range(buckets):
        at = datetime.fromtimestamp((start + place * width) / 1000, UTC)
        data = [_aggregate(calculation, keys, group, found) for group, found in cells.get(place, {}).items()]
        series.append({"time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "data": data})
    return series
