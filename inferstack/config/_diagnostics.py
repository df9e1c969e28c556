"""Findings on stack files: where, what is wrong, the line itself, how to fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column count from 1."""

    file: Path
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One wrong thing."""

    place: Place
    message: str
    fix: str
    severity: str = "error"


def closest(name: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, or nothing."""
    import difflib  # only a wrong name needs it

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""


def format_findings(findings: list[Finding], root: Path) -> str:
    """All findings by place, then one count."""
    ordered = sorted(set(findings), key=lambda f: (f.place, f.message))
    parts = [_format(finding, root) for finding in ordered]
    files = sorted({_shown(f.place.file, root) for f in ordered})
    plural = "" if len(ordered) == 1 else "s"
    return "\n".join([*parts, f"{len(ordered)} error{plural} in {', '.join(files)}"])


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _format(finding: Finding, root: Path) -> str:
    place = finding.place
    head = f"{_shown(place.file, root)}:{place.line}:{place.column}: {finding.severity}: {finding.message}"
    lines = [head]
    try:
        text = place.file.read_text().splitlines()[place.line - 1]
        number = f"{place.line:>5} | "
        lines += [f"{number}{text}", " " * (len(number) + place.column - 1) + "^"]
    except (OSError, IndexError, UnicodeDecodeError):
        pass
    return "\n".join([*lines, f"  fix: {finding.fix}"])
