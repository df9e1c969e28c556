"""Which files of cases a project has."""

from __future__ import annotations

from pathlib import Path

from inferstack.errors import ConfigError

FOLDER = "evals"


def files_of(root: Path, given: list[Path]) -> list[Path]:
    """Those named, else all of the project. Raises `ConfigError` where there are none."""
    found = given or sorted((root / FOLDER).glob("*.yaml"))
    if not found:
        example = "worker: rag\n    cases: [{ name: lost, body: { question: … }, contains: [fifty] }]"
        raise ConfigError(
            f"there are no evaluations: no file {FOLDER}/*.yaml\n  fix: write one, such as\n    {example}"
        )
    return found


def any_in(root: Path) -> bool:
    return any((root / FOLDER).glob("*.yaml"))
