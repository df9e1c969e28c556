"""Cron expressions as Cloudflare reads them; one reader for `check` and for the local Cloudflare.

The dialect is that of Cloudflare's own parser (github.com/cloudflare/saffron) and of its page on cron triggers: five
fields in UTC, weekdays 1 (Sunday) to 7 (Saturday), `L`, `W` and `#`. Unix counts weekdays from 0, so no library fits.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime

MONTHS = {
    name: place
    for place, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
DAYS = {name: place for place, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("weekday", 1, 7, DAYS),
)


class CronError(ValueError):
    """What is wrong with an expression."""


@dataclass(frozen=True, slots=True)
class Cron:
    """When a trigger fires."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: tuple[str, ...]
    months: frozenset[int]
    weekdays: tuple[str, ...]

    def matches(self, moment: datetime) -> bool:
        if moment.minute not in self.minutes or moment.hour not in self.hours or moment.month not in self.months:
            return False
        by_day = any(_day(part, moment) for part in self.days)
        by_weekday = any(_weekday(part, moment) for part in self.weekdays)
        # As in Unix: when both are given, either is enough.
        free = "*" in (self.days[0][0], self.weekdays[0][0])
        return (by_day and by_weekday) if free else (by_day or by_weekday)


def parse(text: str) -> Cron:
    """Raises `CronError`."""
    fields = text.upper().split()
    if len(fields) != 5 or not text.isascii():
        raise CronError(f"a cron expression has five fields, this one {len(fields)}")
    minutes, hours, months = (_plain(fields[place], place) for place in (0, 1, 3))
    days, weekdays = tuple(fields[2].split(",")), tuple(fields[4].split(","))
    for part in days:
        if not re.fullmatch(r"L(W|-([1-9]|[12]\d|30))?|([1-9]|[12]\d|3[01])W", part):
            _range(part, 2)
    for part in weekdays:
        special = re.fullmatch(r"(\w+?)(L|#[1-5])", part)
        if part == "L":
            continue
        if special:
            _value(special[1], 4)
        else:
            _range(part, 4)
    return Cron(minutes, hours, days, months, weekdays)


def _plain(field: str, place: int) -> frozenset[int]:
    return frozenset(value for part in field.split(",") for value in _range(part, place))


def _range(part: str, place: int) -> range:
    _, low, high, _ = FIELDS[place]
    body, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= high):
        raise CronError(f"`{part}` is no step of a {FIELDS[place][0]}")
    if body == "*":
        first, last = low, high
    elif "-" in body:
        first, last = (_value(end, place) for end in body.split("-", 1))
    else:
        first = _value(body, place)
        last = high if slash else first
    if first > last:
        raise CronError(f"`{part}` runs backwards")
    return range(first, last + 1, int(step) if slash else 1)


def _value(text: str, place: int) -> int:
    name, low, high, names = FIELDS[place]
    value = names.get(text, int(text) if text.isdecimal() and len(text) <= 2 else -1)
    if not low <= value <= high:
        hint = ", and Cloudflare counts from 1, Sunday, to 7, Saturday" if place == 4 else ""
        raise CronError(f"`{text}` is no {name}: they are {low} to {high}{hint}")
    return value


def _day(part: str, moment: datetime) -> bool:
    last = calendar.monthrange(moment.year, moment.month)[1]
    if part in ("L", "LW") or part.startswith("L-"):
        wanted = last - (int(part[2:]) if part.startswith("L-") else 0)
        return moment.day == (_nearest_weekday(moment, last, last) if part == "LW" else wanted)
    if part.endswith("W"):
        wanted = int(part[:-1])
        return wanted <= last and moment.day == _nearest_weekday(moment, wanted, last)
    return moment.day in _range(part, 2)


def _nearest_weekday(moment: datetime, day: int, last: int) -> int:
    """Monday to Friday, in the same month."""
    weekday = moment.replace(day=day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < last else day - 2
    return day


def _weekday(part: str, moment: datetime) -> bool:
    today = moment.isoweekday() % 7 + 1
    if part == "L":
        return today == 7
    if special := re.fullmatch(r"(\w+?)(L|#([1-5]))", part):
        if today != _value(special[1], 4):
            return False
        last = calendar.monthrange(moment.year, moment.month)[1]
        return moment.day + 7 > last if special[2] == "L" else (moment.day - 1) // 7 + 1 == int(special[3])
    return today in _range(part, 4)
