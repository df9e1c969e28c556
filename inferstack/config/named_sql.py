"""Queries of D1 with named parameters, as tools of a template have them: `:name` is an argument, `$tenant` who asks.

D1 takes numbered ones only; worker_src/features/named_sql.js reads them the same way.
"""

from __future__ import annotations

import re

# Texts, quoted names and comments hold no parameters.
_PARTS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)|([:$])([A-Za-z_]\w*)",
    re.DOTALL | re.ASCII,
)
CALLER = ("$tenant", "$caller")


def numbered(query: str) -> tuple[str, list[str]]:
    """The query with `?1`, `?2`, …, and the names in that order, each with its sign."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        name = found[1] + found[2]
        if name not in names:
            names.append(name)
        return f"?{names.index(name) + 1}"

    return _PARTS.sub(number, query), names
