"""Rows of a dataset, grouped by the dimensions that are asked, ordered and cut: what a dataset's field is answered."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferstack.local.graphql.filters import Wanted, wanted
from inferstack.local.graphql.reading import Asked
from inferstack.local.graphql.refusals import Refused, bad_arguments, unknown_field

MOST_ROWS = 10_000  # of an answer; Cloudflare's `maxPageSize` of these datasets
QUANTILE = re.compile(r"(\w+)P(25|50|75|90|95|99|999)")
DIMENSIONS, COUNT, TYPE = "dimensions", "count", "__typename"
SAMPLED = "sampleInterval"  # an average of all datasets; here nothing is sampled
ORDER = re.compile(r"(?:(sum|avg|max|min|quantiles)_)?(\w+)_(ASC|DESC)")
ARGUMENTS = ("limit", "filter", "orderBy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`count` things that happened with these dimensions, and the sums of their figures."""

    dimensions: Mapping[str, str]
    figures: Mapping[str, float]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """`dimensions` by name, with their kinds of `filters.py`; `figures` by the aggregate that has them.

    `facts` is told which rows are wanted, by their dimensions, so that none is measured that is not.
    """

    dimensions: Mapping[str, str]
    figures: Mapping[str, Sequence[str]]
    facts: Callable[[Wanted], Awaitable[list[Fact]]]


@dataclass(slots=True)
class _Group:
    facts: list[Fact] = field(default_factory=list)

    def value(self, aggregate: str, name: str) -> float | int:
        quantile = QUANTILE.fullmatch(name) if aggregate == "quantiles" else None
        if quantile is not None:
            values = sorted(fact.figures[quantile[1]] for fact in self.facts)
            share = float(f"0.{quantile[2]}")
            return values[max(0, math.ceil(share * len(values)) - 1)]
        if name == COUNT:
            return sum(fact.count for fact in self.facts)
        if name == SAMPLED:
            return 1
        values = [fact.figures[name] for fact in self.facts]
        if aggregate == "avg":
            return round(sum(values) / self.value("", COUNT), 6)
        if aggregate == "sum":
            total = sum(values)
            return total if isinstance(total, int) else round(total, 6)
        edge: Callable[[list[float]], float] = max if aggregate == "max" else min
        return edge(values)


async def answered(dataset: Dataset, asked: Asked) -> list[dict[str, Any]]:
    """The rows of a dataset's field. Raises `Refused`."""
    _check(dataset, asked)
    limit, orders = _limit(asked), _orders(dataset, asked)
    keep = wanted(asked.arguments.get("filter", {}), dataset.dimensions, asked.name, asked.path)
    named = [each.name for of in asked.fields if of.name == DIMENSIONS for each in of.fields if each.name != TYPE]
    by = list(dict.fromkeys([*named, *(name for aggregate, name, _ in orders if aggregate == DIMENSIONS)]))
    groups: dict[tuple[str, ...], _Group] = {}
    for fact in await dataset.facts(keep):
        groups.setdefault(tuple(fact.dimensions[name] for name in by), _Group()).facts.append(fact)
    rows = sorted(groups.items(), key=lambda item: item[0])
    for aggregate, name, falling in reversed(orders):
        rows.sort(key=lambda item: _ordered(item, aggregate, name, by), reverse=falling)
    return [_shown(asked, dict(zip(by, key, strict=True)), group) for key, group in rows[:limit]]


def _ordered(item: tuple[tuple[str, ...], _Group], aggregate: str, name: str, by: list[str]) -> Any:
    key, group = item
    return key[by.index(name)] if aggregate == DIMENSIONS else group.value(aggregate, name)


def _shown(asked: Asked, dimensions: dict[str, str], group: _Group) -> dict[str, Any]:
    row: dict[str, Any] = {}
    kind = f"Account{asked.name[0].upper()}{asked.name[1:]}"
    for of in asked.fields:
        if of.name == TYPE:
            row[of.key] = kind
        elif of.name == COUNT:
            row[of.key] = group.value("", COUNT)
        elif of.name == DIMENSIONS:
            known = dimensions | {TYPE: f"{kind}Dimensions"}
            row[of.key] = {each.key: known[each.name] for each in of.fields}
        else:
            typed = f"{kind}{of.name.capitalize()}"
            row[of.key] = {e.key: typed if e.name == TYPE else group.value(of.name, e.name) for e in of.fields}
    return row


def _check(dataset: Dataset, asked: Asked) -> None:
    """That there are only fields which the dataset has."""
    for name in asked.arguments:
        if name not in ARGUMENTS:
            raise bad_arguments(asked.name, f'unknown arg "{name[:100]}"', asked.path)
    if not asked.fields:
        raise Refused("object field must have selections", asked.path)
    for of in asked.fields:
        if of.arguments:
            raise bad_arguments(of.name[:100], "it takes none", of.path)
        if of.name in (TYPE, COUNT):
            _check_scalar(of)
            continue
        known = dataset.dimensions if of.name == DIMENSIONS else dataset.figures.get(of.name)
        if known is None:
            raise unknown_field(of.name, asked.path, [COUNT, DIMENSIONS, *dataset.figures])
        if not of.fields:
            raise Refused("object field must have selections", of.path)
        for each in of.fields:
            if each.name != TYPE and not _has(of.name, known, each.name):
                raise unknown_field(each.name, of.path, [*known])
            _check_scalar(each)


def _check_scalar(asked: Asked) -> None:
    if asked.fields:
        raise Refused("scalar fields must have no selections", asked.path)
    if asked.arguments:
        raise bad_arguments(asked.name, "it takes none", asked.path)


def _has(aggregate: str, known: Mapping[str, str] | Sequence[str], name: str) -> bool:
    found = QUANTILE.fullmatch(name) if aggregate == "quantiles" else None
    return (found[1] if found else "" if aggregate == "quantiles" else name) in known


def _limit(asked: Asked) -> int:
    limit = asked.arguments.get("limit", MOST_ROWS)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ROWS:
        raise Refused(f"limit must be positive number and not greater than {MOST_ROWS}", asked.path)
    return limit


def _orders(dataset: Dataset, asked: Asked) -> list[tuple[str, str, bool]]:
    """Aggregate, name, and whether the greatest comes first."""
    given = asked.arguments.get("orderBy") or []
    orders = []
    for each in given if isinstance(given, list) else [given]:
        found = ORDER.fullmatch(each) if isinstance(each, str) else None
        aggregate, name = (found[1] or "", found[2]) if found else ("", "")
        if not aggregate and name in dataset.dimensions:
            aggregate = DIMENSIONS
        counted = not aggregate and name == COUNT
        known = aggregate == DIMENSIONS or (
            bool(aggregate) and _has(aggregate, dataset.figures.get(aggregate, ()), name)
        )
        if found is None or not (known or counted):
            raise bad_arguments(asked.name, f'unknown orderBy "{str(each)[:100]}"', asked.path)
        orders.append((aggregate, name, found[3] == "DESC"))
    return orders
