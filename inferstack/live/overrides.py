"""What a command decides for one stack: `inferstack:overrides` in its Pulumi.<stack>.yaml, which belongs into git."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from inferstack.config import OVERRIDES


def override(stack: str, root: Path, changes: dict[tuple[str, ...], Any]) -> Path:
    """Set values by path, null included; the file is replaced in one step."""
    file = root / f"Pulumi.{stack}.yaml"
    document = yaml.safe_load(file.read_text()) if file.is_file() else None
    data: dict[str, Any] = document if isinstance(document, dict) else {}
    over = data.setdefault("config", {}).setdefault(OVERRIDES, {})
    for path, value in changes.items():
        at = over
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(yaml.safe_dump(data, sort_keys=False))
    partial.replace(file)
    return file
