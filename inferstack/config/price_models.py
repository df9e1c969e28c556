"""`prices:` in a stack file: what models cost where the catalogue does not know it, or where a contract says otherwise."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from inferstack.catalog import Price
from inferstack.config._base import StrictModel
from inferstack.config.policy_models import Day

MOST_USD = 10_000  # for a million tokens, an image, a minute: beyond it somebody mistook the unit
Usd = Annotated[float, Field(ge=0, le=MOST_USD, allow_inf_nan=False, strict=False)]
# `openai/gpt-x`, the key of a provider of the stack's own and a model, or a model of Workers AI.
PricedName = Annotated[str, Field(pattern=r"^(@[a-z]+/[^/\s]+|[a-z0-9][a-z0-9-]*)/\S{1,200}$")]
UNITS = {
    "input": "per M input tokens",
    "cached_input": "per M cached input tokens",
    "output": "per M output tokens",
    "image": "per image",
    "audio_minute": "per audio minute",
    "characters": "per 1k characters",
    "request": "per request",
}


class PriceSpec(StrictModel):
    """Prices of one model, in US dollars."""

    input: Usd | None = None
    cached_input: Usd | None = None
    output: Usd | None = None
    image: Usd | None = None
    audio_minute: Usd | None = None
    characters: Usd | None = None
    request: Usd | None = None
    as_of: Day | None = None
    source: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> PriceSpec:
        if not self.prices:
            raise ValueError(f"a price has one of {', '.join(f'`{name}`' for name in UNITS)}")
        return self

    @property
    def prices(self) -> tuple[Price, ...]:
        """In the catalogue's units."""
        given = {unit: getattr(self, name) for name, unit in UNITS.items()}
        return tuple(Price(unit, usd) for unit, usd in given.items() if usd is not None)
