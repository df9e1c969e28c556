"""Findings on stack files: a stable code, where, what is wrong, the line itself, how to fix it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from inferstack.config.findings.codes import CODES
from inferstack.config.paths import foreign

FORMATS = ("text", "json", "github", "sarif")
LONGEST_LINE = 160  # characters of a line that are shown


class Place(NamedTuple):
    """Line and column count from 1."""

    file: Path
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One wrong thing; `severity` is `error` or `warning`."""

    code: str
    place: Place
    message: str
    fix: str
    severity: str


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing."""
    import difflib  # only a wrong name needs it

    near = difflib.get_close_matches(name[:200], list(known), n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""


def lacking(whose: str, kind: str, name: str, known: Iterable[str]) -> str:
    """That `whose` has no such thing, and which it has: the message for a name on the command line."""
    there = list(known)
    fix = f"one of: {', '.join(there)}" if there else f"declare a {kind} in the stack file first"
    return f"{whose} has no {kind} `{name}`{closest(name, there)}\n  fix: {fix}"


def format_findings(findings: Iterable[Finding], root: Path, kind: str = "text") -> str:
    """All findings by place; as text with the lines and a count, JSON, GitHub annotations or SARIF 2.1.0."""
    ordered = sorted(set(findings), key=lambda f: (f.place, f.code, f.message))
    if kind == "json":
        return json.dumps([_plain(finding, root) for finding in ordered], indent=2)
    if kind == "github":
        return "\n".join(_annotation(finding, root) for finding in ordered)
    if kind == "sarif":
        return json.dumps(_sarif(ordered, root), indent=2)
    lines_of: dict[Path, list[str]] = {}
    for finding in ordered:
        if finding.code == "IS030" or foreign(finding.place.file, root):  # the line may hold the secret itself
            _lines(finding.place.file, lines_of)[finding.place.line - 1 : finding.place.line] = [""]
    parts = [_text(finding, root, lines_of) for finding in ordered]
    return "\n".join([*parts, _count(ordered, root)])


def _count(findings: list[Finding], root: Path) -> str:
    files = sorted({_shown(f.place.file, root) for f in findings})
    said = []
    for severity in ("error", "warning"):
        number = sum(f.severity == severity for f in findings)
        if number:
            said.append(f"{number} {severity}{'' if number == 1 else 's'}")
    return f"{' and '.join(said)} in {', '.join(files)}"


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _lines(file: Path, lines_of: dict[Path, list[str]]) -> list[str]:
    if file not in lines_of:
        try:
            lines_of[file] = file.read_text(errors="replace").split("\n")
        except OSError:
            lines_of[file] = []
    return lines_of[file]


def _text(finding: Finding, root: Path, lines_of: dict[Path, list[str]]) -> str:
    place = finding.place
    lines = [
        f"{_shown(place.file, root)}:{place.line}:{place.column}: {finding.severity}[{finding.code}]: {finding.message}"
    ]
    text = "".join(_lines(place.file, lines_of)[place.line - 1 : place.line]).rstrip("\r")
    if text and place.column <= LONGEST_LINE:
        number = f"{place.line:>5} | "
        cut = text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…"
        lines += [f"{number}{cut}", " " * (len(number) + place.column - 1) + "^"]
    return "\n".join([*lines, f"  fix: {finding.fix}"])


def _plain(finding: Finding, root: Path) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": _shown(finding.place.file, root),
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
        "fix": finding.fix,
    }


def _annotation(finding: Finding, root: Path) -> str:
    text = f"{finding.message} (fix: {finding.fix})".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = f"file={_shown(finding.place.file, root)},line={finding.place.line},col={finding.place.column}"
    return f"::{finding.severity} {place},title={finding.code}::{text}"


def _sarif(findings: list[Finding], root: Path) -> dict[str, Any]:
    rules = [
        {"id": code, "shortDescription": {"text": CODES[code].title}, "fullDescription": {"text": CODES[code].why}}
        for code in sorted({finding.code for finding in findings})
    ]
    results = [
        {
            "ruleId": finding.code,
            "level": finding.severity,
            "message": {"text": f"{finding.message} (fix: {finding.fix})"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _shown(finding.place.file, root)},
                        "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
                    }
                }
            ],
        }
        for finding in findings
    ]
    driver = {"name": "inferstack", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
