"""What a template says of itself in its template.yaml: what it needs, its options, its shared modules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Template:
    """`bindings` by name and kind, `options` with their defaults, `modules` of `worker_src/`."""

    name: str
    summary: str
    models: tuple[str, ...]
    bindings: dict[str, str]
    secrets: tuple[str, ...]
    options: dict[str, Any]
    modules: tuple[str, ...]
    streams: bool
    consumes: bool


Templates = dict[str, Template | None]  # by the name that a Worker gives; None where there is none


def template_names(root: Path) -> list[str]:
    return sorted(file.parent.name for file in (root / "templates").glob("*/template.yaml"))


def find_template(name: str, root: Path) -> Template | None:
    file = root / "templates" / name / "template.yaml"
    return _read(name, file, file.stat().st_mtime_ns) if file.is_file() else None


@cache
def _read(name: str, file: Path, changed: int) -> Template:  # noqa: ARG001 - a changed file is read again
    data: dict[str, Any] = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    needs = data.get("needs", {})
    return Template(
        name=name,
        summary=data.get("summary", ""),
        models=tuple(needs.get("models", ())),
        bindings=dict(needs.get("bindings", {})),
        secrets=tuple(needs.get("secrets", ())),
        options=dict(data.get("options", {})),
        modules=tuple(data.get("modules", ())),
        streams=bool(data.get("streams", False)),
        consumes=bool(data.get("consumes", False)),
    )
