"""Collecting findings: severity comes from the code unless a check knows better."""

from __future__ import annotations

from inferstack.config._hidden import Hidden
from inferstack.config.findings.codes import CODES
from inferstack.config.findings.diagnostics import Finding, Place

MOST = 100  # findings of one stack


class TooMany(Exception):
    """Enough is wrong; looking further would cost time and help nobody."""


class Findings(list[Finding]):
    """All findings of one run. What came out of environment variables is shown by the variable's name."""

    def __init__(self) -> None:
        super().__init__()
        self._hidden = Hidden()

    def hide(self, name: str, value: str) -> None:
        self._hidden.add(name, value)

    def add(self, code: str, place: Place, message: str, fix: str, severity: str | None = None) -> None:
        """Raises `TooMany` after a hundred."""
        message, fix = self._hidden.conceal(message), self._hidden.conceal(fix)
        self.append(Finding(code, place, message, fix, severity or CODES[code].severity))
        if len(self) == MOST:
            first = Place(place.file, 1, 1)
            text = f"there are more findings than the {MOST} shown"
            self.append(Finding("IS020", first, text, "correct these, then run again", CODES["IS020"].severity))
            raise TooMany

    @property
    def wrong(self) -> bool:
        return any(finding.severity == "error" for finding in self)
