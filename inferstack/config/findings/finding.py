"""Collecting findings: severity comes from the code unless a check knows better."""

from __future__ import annotations

import re
from typing import Any

from inferstack.config._hidden import Hidden
from inferstack.config.findings.codes import CODES
from inferstack.config.findings.diagnostics import Finding, Place

# Of control, of lines and of direction: in a message they would steer the terminal, show text that is not there, or begin a
# line of their own, where programs read one finding a line.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
MOST = 100  # findings of one stack


class TooMany(Exception):
    """Enough is wrong; looking further would cost time and help nobody."""


def _seen(text: str) -> str:
    return UNSEEN.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


class Findings(list[Finding]):
    """All findings of one run. What came out of environment variables is shown by the variable's name."""

    def __init__(self) -> None:
        super().__init__()
        self._hidden = Hidden()

    def hide(self, name: str, value: str) -> None:
        self._hidden.add(name, value)

    def named(self, value: Any) -> Any:
        """A value of the stack; by the variable's name what came out of one."""
        text = "" if isinstance(value, bool) or value is None else str(value)
        shown = self._hidden.conceal(f"`{text}`")[1:-1]  # quoted: alone, a short value is hidden too
        return value if shown == text or isinstance(value, dict | list) else shown

    def add(self, code: str, place: Place, message: str, fix: str, severity: str | None = None) -> None:
        """Raises `TooMany` after a hundred."""
        message, fix = (_seen(self._hidden.conceal(text)) for text in (message, fix))
        self.append(Finding(code, place, message, fix, severity or CODES[code].severity))
        if len(self) == MOST:
            first = Place(place.file, 1, 1)
            text = f"there are more findings than the {MOST} shown"
            self.append(Finding("IS020", first, text, "correct these, then run again", CODES["IS020"].severity))
            raise TooMany

    @property
    def wrong(self) -> bool:
        return any(finding.severity == "error" for finding in self)
