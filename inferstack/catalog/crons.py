"""Cron expressions as Cloudflare reads them; one reader for `check` and for the local Cloudflare.

The dialect is that of Cloudflare's own parser (github.com/cloudflare/saffron, `parse.rs`) and of its page on cron triggers:
five fields in UTC, weekdays 1 (Sunday) to 7 (Saturday), ranges that go over the end (`FRI-MON`, `22-2`), `L`, `W` and `#`.
Unix counts weekdays from 0, so no library fits.
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
MINUTE, HOUR, DAY, MONTH, WEEKDAY = range(5)
# Each stands alone in its field. The letters are capitals, as in Cloudflare's parser; names are not.
LAST_DAY = re.compile(r"L(?:-(?P<before>\d+))?(?P<working>W)?\Z")
WORKING_DAY = re.compile(r"(?P<day>\d+)W\Z")
LAST_WEEKDAY = re.compile(r"(?P<weekday>\w+)L\Z")
NTH_WEEKDAY = re.compile(r"(?P<weekday>\w+)#(?P<place>\d+)\Z")


class CronError(ValueError):
    """What is wrong with an expression."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a month: by number (None: all of them), or by one of the special forms."""

    numbers: frozenset[int] | None
    before_last: int | None = None  # so many days before the last one
    working: bool = False  # the nearest day from Monday to Friday

    def hold(self, moment: datetime) -> bool:
        last = calendar.monthrange(moment.year, moment.month)[1]
        if self.before_last is not None:
            wanted = {last - self.before_last}
        elif self.numbers is None:
            return True
        else:
            wanted = set(self.numbers)
        if self.working:
            wanted = {_nearest_working_day(moment, day, last) for day in wanted if 1 <= day <= last}
        return moment.day in wanted


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of a week: by number (None: all of them), of these the last or the nth of a month."""

    numbers: frozenset[int] | None
    last: bool = False
    nth: int | None = None

    def hold(self, moment: datetime) -> bool:
        if self.numbers is not None and moment.isoweekday() % 7 + 1 not in self.numbers:
            return False
        if self.last:
            return moment.day + 7 > calendar.monthrange(moment.year, moment.month)[1]
        return self.nth is None or (moment.day - 1) // 7 + 1 == self.nth


@dataclass(frozen=True, slots=True)
class Cron:
    """When a trigger fires."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None
    days: Days
    months: frozenset[int] | None
    weekdays: Weekdays

    def matches(self, moment: datetime) -> bool:
        plain = ((self.minutes, moment.minute), (self.hours, moment.hour), (self.months, moment.month))
        if any(wanted is not None and now not in wanted for wanted, now in plain):
            return False
        by_day, by_weekday = self.days.hold(moment), self.weekdays.hold(moment)
        # As in Unix: when both are given, either is enough. `*/2` is given, `*` alone is not.
        given = self.days != Days(None) and self.weekdays != Weekdays(None)
        return (by_day or by_weekday) if given else (by_day and by_weekday)


def parse(text: str) -> Cron:
    """Raises `CronError`."""
    if not text.isascii() or text != text.strip():
        raise CronError("a cron expression has no space around it, and no letters beyond those of English")
    fields = re.split(r"[ \t]+", text)
    if len(fields) != 5:
        raise CronError(f"a cron expression has five fields, this one {len(fields) if text else 0}")
    return Cron(
        _numbers(fields[MINUTE], MINUTE),
        _numbers(fields[HOUR], HOUR),
        _days(fields[DAY]),
        _numbers(fields[MONTH], MONTH),
        _weekdays(fields[WEEKDAY]),
    )


def _days(field: str) -> Days:
    if found := LAST_DAY.match(field):
        before = int(found["before"] or 0)
        if found["before"] is not None and not 1 <= before <= 30:
            raise CronError(f"`{field}` is no day of the month: `L-1` to `L-30` count back from the last one")
        return Days(None, before_last=before, working=bool(found["working"]))
    if found := WORKING_DAY.match(field):
        return Days(frozenset([_value(found["day"], DAY)]), working=True)
    if re.search("[LW]", field):
        raise CronError(f"`{field}` of days: what has `L` or `W` stands alone, as `L`, `LW`, `L-3`, `L-3W` or `15W`")
    return Days(_numbers(field, DAY))


def _weekdays(field: str) -> Weekdays:
    if field == "L":
        return Weekdays(frozenset([7]))
    if found := LAST_WEEKDAY.match(field):
        return Weekdays(frozenset([_value(found["weekday"], WEEKDAY)]), last=True)
    if found := NTH_WEEKDAY.match(field):
        if not 1 <= int(found["place"]) <= 5:
            raise CronError(f"`{field}` is no weekday: a month has at most five of each, `#1` to `#5`")
        return Weekdays(frozenset([_value(found["weekday"], WEEKDAY)]), nth=int(found["place"]))
    if re.search(r"L\b|#", field):
        raise CronError(f"`{field}` of weekdays: what has `L` or `#` stands alone, as `L`, `FRIL` or `MON#2`")
    return Weekdays(_numbers(field, WEEKDAY))


def _numbers(field: str, place: int) -> frozenset[int] | None:
    """The values of a list, and None for `*`."""
    if field == "*":
        return None
    parts = field.split(",")
    if parts[0].startswith("*") and not parts[0].startswith("*/"):
        raise CronError(f"`{field}` is no list: `*` stands alone, or with a step as `*/5`")
    return frozenset(value for part in parts for value in _part(part, place))


def _part(part: str, place: int) -> list[int]:
    name, low, high, _ = FIELDS[place]
    body, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= high - low):
        raise CronError(f"`{part}` is no step of a {name}: steps are 1 to {high - low}")
    first, dash, last = body.partition("-")
    # Behind a comma, Cloudflare's parser takes `*` for the least value and not for all.
    start = low if first == "*" else _value(first, place)
    end = _value(last, place) if dash else high if slash else start
    values = [*range(start, end + 1)] if start <= end else [*range(start, high + 1), *range(low, end + 1)]
    return values[:: int(step) if slash else 1]


def _value(text: str, place: int) -> int:
    name, low, high, names = FIELDS[place]
    value = names.get(text.upper(), int(text) if text.isdecimal() and len(text) < 10 else -1)
    if not low <= value <= high:
        hint = ", and Cloudflare counts from 1, Sunday, to 7, Saturday" if place == WEEKDAY else ""
        raise CronError(f"`{text}` is no {name}: they are {low} to {high}{hint}")
    return value


def _nearest_working_day(moment: datetime, day: int, last: int) -> int:
    """Monday to Friday, in the same month."""
    weekday = moment.replace(day=day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < last else day - 2
    return day
