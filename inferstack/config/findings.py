"""Collecting findings: severity comes from the code unless a check knows better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferstack.config._diagnostics import Finding, Place
from inferstack.config.codes import CODES

if TYPE_CHECKING:
    from inferstack.config.tree import KeyPath, Node


class Findings(list[Finding]):
    """All findings of one run."""

    def add(self, code: str, place: Place, message: str, fix: str, severity: str | None = None) -> None:
        self.append(Finding(code, place, message, fix, severity or CODES[code].severity))

    @property
    def wrong(self) -> bool:
        return any(finding.severity == "error" for finding in self)


class Report:
    """Findings by path into one stack's merged data."""

    def __init__(self, findings: Findings, root: Node) -> None:
        self._findings, self._root = findings, root

    def __call__(self, code: str, path: KeyPath, message: str, fix: str, severity: str | None = None) -> None:
        from inferstack.config.tree import locate

        self._findings.add(code, locate(self._root, path), message, fix, severity)
