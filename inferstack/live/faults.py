"""`inferstack local fault`: plan faults of the running local Cloudflare, list them, clear them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferstack.config import text_given, yaml_values
from inferstack.errors import ConfigError
from inferstack.local import control


def add(folder: Path, fault: dict[str, Any], file: Path | None) -> int:
    """From the command line, or a YAML file with one fault or a list; returns how many. All of a file or none."""
    faults = [fault] if file is None else _read(file)
    for entry in faults:
        if not isinstance(entry, dict) or not {"path", "model", "product"} & set(entry):
            raise ConfigError("a fault names what it meets: a path of the API, a model, or a product of a binding")
    for entry in faults:
        control(folder, "POST", "faults", entry)
    return len(faults)


def planned(folder: Path) -> list[dict[str, Any]]:
    """Without the fields that say nothing."""
    faults = control(folder, "GET", "faults")["faults"]
    return [{key: value for key, value in fault.items() if value not in (None, "")} for fault in faults]


def clear(folder: Path) -> None:
    control(folder, "DELETE", "faults")


def _read(file: Path) -> list[Any]:
    text = text_given(file, "name a readable file of faults, in YAML or JSON")
    try:
        data = yaml_values(text)
    except ValueError as error:
        raise ConfigError(f"{file} cannot be read: {error}\n  fix: write a list of faults in YAML") from None
    return data if isinstance(data, list) else [data]
