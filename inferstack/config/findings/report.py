"""Findings by path into a stack's merged tree, which knows where each path stands."""

from __future__ import annotations

from inferstack.config.findings.finding import Findings
from inferstack.config.tree import KeyPath, Node, locate


class Report:
    """Called by the checks; `severity` overrides the code's own."""

    def __init__(self, findings: Findings, root: Node) -> None:
        self._findings, self._root = findings, root

    def __call__(self, code: str, path: KeyPath, message: str, fix: str, severity: str | None = None) -> None:
        self._findings.add(code, locate(self._root, path), message, fix, severity)
