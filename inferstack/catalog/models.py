"""Workers AI models: task, dimensions, capabilities, status. Data: `data/models.json`, with its sources inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "models.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the catalogue.

    `dimensions` is the length of its embedding vectors, `context_window` counts tokens; both None where not known.
    """

    name: str
    task: str
    status: str
    dimensions: int | None
    context_window: int | None
    input_style: str | None
    streaming: bool
    function_calling: bool

    @property
    def removed(self) -> bool:
        return self.status == "removed"


@cache
def _all() -> dict[str, Model]:
    entries = json.loads(DATA.read_text())["models"]
    return {
        entry["name"]: Model(
            name=entry["name"],
            task=entry["task"],
            status=entry["status"],
            dimensions=entry.get("output_dimensions"),
            context_window=entry.get("context_window"),
            input_style=entry.get("input_style"),
            streaming=bool(entry.get("streaming")),
            function_calling=bool(entry.get("function_calling")),
        )
        for entry in entries
    }


def find_model(name: str) -> Model | None:
    return _all().get(name)


def model_names() -> list[str]:
    return sorted(_all())
