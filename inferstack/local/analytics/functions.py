"""Functions of Analytics Engine's SQL that SQLite lacks: times, conditions in aggregates, and a few of texts."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw

TIME = "%Y-%m-%d %H:%M:%S"
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)  # weeks begin with one


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(str(value).replace("T", " ").removesuffix("Z")).replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.strftime(TIME)


def _interval(text: str) -> tuple[int, str]:
    number, unit = str(text).split()
    unit = unit.lower().removesuffix("s")
    if unit not in SECONDS and unit not in MONTHS:
        raise ValueError(f"`{unit}` is no unit of an INTERVAL: one of {', '.join([*SECONDS, *MONTHS])}")
    return int(number), unit


def _shifted(value: Any, by: str) -> str:
    number, unit = _interval(by)
    moment = _moment(value)
    if unit in SECONDS:
        return _written(moment + timedelta(seconds=number * SECONDS[unit]))
    months = moment.year * 12 + moment.month - 1 + number * MONTHS[unit]
    year, month = months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return _written(moment.replace(year=year, month=month, day=day))


def _start(value: Any, by: str) -> str:
    """Where the interval begins that holds a time."""
    number, unit = _interval(by)
    moment = _moment(value)
    if number < 1:
        raise ValueError("an INTERVAL is at least 1")
    if unit in SECONDS:
        length, first = number * SECONDS[unit], MONDAY if unit == "week" else datetime(1970, 1, 1, tzinfo=UTC)
        return _written(first + timedelta(seconds=(moment - first) // timedelta(seconds=length) * length))
    months = (moment.year * 12 + moment.month - 1) // (number * MONTHS[unit]) * number * MONTHS[unit]
    return _written(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC))


SCALARS: dict[str, tuple[Any, int]] = {
    "now": (lambda: _written(datetime.now(UTC)), 0),
    "today": (lambda: _written(datetime.now(UTC))[:10], 0),
    "toDateTime": (lambda value: _written(_moment(value)), 1),
    "toUnixTimestamp": (lambda value: int(_moment(value).timestamp()), 1),
    "toStartOfInterval": (_start, 2),
    "toStartOfMinute": (lambda value: _start(value, "1 minute"), 1),
    "toStartOfFiveMinutes": (lambda value: _start(value, "5 minute"), 1),
    "toStartOfFifteenMinutes": (lambda value: _start(value, "15 minute"), 1),
    "toStartOfHour": (lambda value: _start(value, "1 hour"), 1),
    "toStartOfDay": (lambda value: _start(value, "1 day"), 1),
    "toStartOfMonth": (lambda value: _start(value, "1 month"), 1),
    "toStartOfYear": (lambda value: _start(value, "1 year"), 1),
    "time_shifted": (_shifted, 2),
    "intDiv": (lambda a, b: int(a // b), 2),
    "toString": (str, 1),
    "empty": (lambda text: int(text == ""), 1),
    "startsWith": (lambda text, part: int(str(text).startswith(str(part))), 2),
    "endsWith": (lambda text, part: int(str(text).endswith(str(part))), 2),
}


class _If:
    """An aggregate over the rows that a condition holds for."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, *given: Any) -> None:
        value, condition = (1, given[0]) if len(given) == 1 else given
        if condition:
            self.values.append(value)


def add_functions(connection: apsw.Connection) -> None:
    for name, (function, arguments) in SCALARS.items():
        connection.create_scalar_function(name, function, arguments)
    ends: dict[str, tuple[Any, int]] = {
        "countIf": (lambda found: len(found.values), 1),
        "sumIf": (lambda found: sum(found.values), 2),
        "avgIf": (lambda found: sum(found.values) / len(found.values) if found.values else None, 2),
    }
    for name, (end, arguments) in ends.items():

        def begun(end: Any = end) -> tuple[_If, Any, Any]:
            return _If(), _If.step, end

        connection.create_aggregate_function(name, begun, arguments)
