"""`catalog:` in a stack file: models that Cloudflare's list does not have, such as private ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inferstack import catalog

Task = Literal[
    "Automatic Speech Recognition",
    "Decision",
    "Image Classification",
    "Image-to-Text",
    "Object Detection",
    "Summarization",
    "Text Classification",
    "Text Embeddings",
    "Text Generation",
    "Text-to-Image",
    "Text-to-Speech",
    "Translation",
]


class OwnModel(BaseModel):
    """A model by its properties, in the catalogue's words. `prices` in US dollars by unit (`per M input tokens`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    task: Task
    dimensions: Annotated[int, Field(ge=1)] | None = None
    context_window: Annotated[int, Field(ge=1)] | None = None
    streaming: bool = False
    function_calling: bool = False
    json_mode: Literal["bare", "envelope", "guided_json", "none"] | None = None
    batch: bool = False
    vision: bool = False
    paid_plan_only: bool = False
    prices: dict[str, Annotated[float, Field(ge=0)]] = {}
    planned_deprecation: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None

    def as_model(self, name: str) -> catalog.Model:
        known: dict[str, Any] = self.model_dump(exclude={"prices"})
        prices = tuple(catalog.Price(unit, usd) for unit, usd in self.prices.items())
        return catalog.Model(name=name, status="live", source="this project", prices=prices, **known)
