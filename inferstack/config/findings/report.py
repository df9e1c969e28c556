"""Findings by path into a stack's merged tree, which knows where each path stands."""

from __future__ import annotations

from typing import Any

from inferstack.config.findings.diagnostics import Place
from inferstack.config.findings.finding import Findings
from inferstack.config.tree import KeyPath, Node, locate


class Report:
    """Called by the checks; `severity` overrides the code's own."""

    def __init__(self, findings: Findings, root: Node) -> None:
        self._findings, self.root = findings, root

    def __call__(self, code: str, path: KeyPath, message: str, fix: str, severity: str | None = None) -> None:
        self._findings.add(code, locate(self.root, path), message, fix, severity)

    def in_file(self, code: str, place: Place, message: str, fix: str) -> None:
        """In another file than the stack's."""
        self._findings.add(code, place, message, fix)

    @property
    def findings(self) -> Findings:
        return self._findings

    def written(self, path: KeyPath) -> str | None:
        """The number at a path, as its file has it."""
        node = self.root
        for part in path:
            inside: Any = node.value
            found = inside.get(part) if isinstance(inside, dict) else None
            if isinstance(inside, list) and isinstance(part, int) and part < len(inside):
                found = inside[part]
            if found is None:
                return None
            node = found
        return node.written
