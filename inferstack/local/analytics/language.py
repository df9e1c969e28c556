"""What of Analytics Engine's SQL SQLite does not read: intervals, the form of the answer, SHOW TABLES."""

from __future__ import annotations

import re
from dataclasses import dataclass

FORMATS = ("JSON", "JSONEachRow", "TabSeparated")
FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*\Z", re.IGNORECASE)
TABLES = re.compile(r"\s*SHOW\s+TABLES\s*\Z", re.IGNORECASE)
# What is shifted stands before the sign: a name, or a call without calls in it.
SIGNED = r"(?P<of>[\w.]+(?:\([^()]*\))?)\s*(?P<sign>[-+])\s*"
INTERVAL = r"\bINTERVAL\s+'?(?P<{0}>\d+)'?\s+(?P<{1}>[A-Za-z]+)"
WORD = re.compile(
    rf"(?P<text>'(?:[^']|'')*')|(?P<name>\"[^\"]*\")|{SIGNED}{INTERVAL.format('n', 'unit')}"
    rf"|{INTERVAL.format('alone', 'alone_unit')}",
    re.IGNORECASE,
)


class Unread(ValueError):
    """What of a query is not understood."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and how its answer is written."""

    sql: str
    form: str
    shows_tables: bool = False


def read(text: str) -> Asked:
    """Raises `Unread`."""
    text = text.strip().removesuffix(";").rstrip()
    form = "JSON"
    if found := FORMAT.search(text):
        known = next((each for each in FORMATS if each.lower() == found[1].lower()), None)
        if known is None:
            raise Unread(f"FORMAT {found[1]} is none of {', '.join(FORMATS)}")
        text, form = text[: found.start()], known
    if TABLES.match(text):
        return Asked("", form, shows_tables=True)
    if not re.match(r"\s*(SELECT|WITH)\b", text, re.IGNORECASE):
        raise Unread("only SELECT and SHOW TABLES are allowed")
    return Asked(WORD.sub(_rewritten, text), form)


def _rewritten(match: re.Match[str]) -> str:
    if match["text"] or match["name"]:
        return match.group()
    if match["alone"]:
        return f"'{match['alone']} {match['alone_unit']}'"
    return f"time_shifted({match['of']}, '{match['sign']}{match['n']} {match['unit']}')"
