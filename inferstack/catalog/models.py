"""Workers AI models: task, dimensions, capabilities, prices, status. Data: `data/models.json`, with its sources inside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "models.json"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one `unit`, in the words of Cloudflare's API: `per M input tokens`, `per audio minute`, …

    With `above`, the whole request has this price when its prompt is longer than so many tokens.
    """

    unit: str
    usd: float
    above: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the catalogue. None stands for "not known", never for "no".

    `dimensions` is the length of its embedding vectors; `context_window` and `max_input_tokens` count tokens;
    `task` is Cloudflare's word (as `listed_task`), but `Decision` for what only decides, which it lists with chat models;
    `rate_limit` requests a minute and account. `json_mode` is how it takes a JSON schema: `bare`, `envelope`,
    `guided_json`, or `none`; `output_style` is `openai` where answers are chat completions. Dates are ISO dates.
    """

    name: str
    task: str
    status: str
    dimensions: int | None = None
    context_window: int | None = None
    max_input_tokens: int | None = None
    input_style: str | None = None
    output_style: str | None = None
    streaming: bool = False
    function_calling: bool = False
    json_mode: str | None = None
    batch: bool = False
    lora: bool = False
    vision: bool = False
    reasoning: bool = False
    paid_plan_only: bool = False
    prices: tuple[Price, ...] = ()
    rate_limit: int | None = None
    planned_deprecation: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    successor: str | None = None
    listed_task: str | None = None
    note: str | None = None
    source: str = "Cloudflare"

    @property
    def removed(self) -> bool:
        return self.status == "removed"

    @property
    def says_as_openai(self) -> bool:
        """Whether it answers with a chat completion."""
        return (self.output_style or self.input_style) == "openai"

    @property
    def takes_json_schema(self) -> bool | None:
        """Whether JSON mode is there; None where neither the API nor the documentation says."""
        return None if self.json_mode is None else self.json_mode != "none"

    def price(self, *words: str) -> float | None:
        """US dollars for one unit whose name has all of `words`; None where no such price is known."""
        for entry in self.prices_for():
            if all(word in entry.unit for word in words) and ("cached" in entry.unit) == ("cached" in words):
                return entry.usd
        return None

    def prices_for(self, prompt_tokens: float = 0) -> list[Price]:
        """One for each unit, for a request with a prompt of this length."""
        held: dict[str, Price] = {}
        for price in sorted(self.prices, key=lambda each: each.above):
            if price.above == 0 or prompt_tokens > price.above:
                held[price.unit] = price
        return [held[unit] for unit in dict.fromkeys(price.unit for price in self.prices) if unit in held]


class Catalog:
    """Models by name."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.name: model for model in models}

    def find(self, name: str) -> Model | None:
        return self._models.get(name)

    def names(self) -> list[str]:
        return sorted(self._models)

    def all(self) -> list[Model]:
        return [self._models[name] for name in self.names()]

    def alternatives(self, model: Model) -> list[Model]:
        """Live models that can stand where `model` stands: same task, same dimensions, no known capability lost.

        The catalogue's sources name no successors, so this is what follows from what is known of both.
        """
        return [other for other in self.all() if _replaces(other, model)]

    def instead_of(self, model: Model) -> Model | None:
        """The cheapest of the alternatives."""
        return min(self.alternatives(model), key=lambda other: (_input_price(other), other.name), default=None)


def _replaces(other: Model, model: Model) -> bool:
    return (
        other.status == "live"
        and other.name != model.name
        and other.task == model.task
        and other.dimensions == model.dimensions
        and other.function_calling >= model.function_calling
        and _sees_as(other, model)
        and _special(other) == _special(model)
        and (other.context_window or 0) >= (model.context_window or 0)
        and not other.paid_plan_only
        and bool(other.prices)
    )


def _sees_as(other: Model, model: Model) -> bool:
    """Who only chats is not sent to a model that was made to read images: it pays for what it does not use."""
    return other.vision == model.vision if model.task == "Text Generation" else other.vision >= model.vision


def _special(model: Model) -> str:
    """What tells models of one task apart: a guard judges texts and does not answer, a reranker compares two."""
    return next((word for word in ("guard", "rerank") if word in model.name), "")


def _input_price(model: Model) -> float:
    return model.price("input") or (model.prices[0].usd if model.prices else float("inf"))


def _model(entry: Mapping[str, Any]) -> Model:
    """A model from an entry in the form of `data/models.json`."""
    modes = entry.get("json_mode") or {}
    listed = "bare" if modes.get("docs_list") else None
    return Model(
        name=entry["name"],
        task="Decision" if entry.get("decision") else entry["task"],
        listed_task=entry["task"],
        status=entry.get("status", "live"),
        dimensions=entry.get("output_dimensions"),
        context_window=entry.get("context_window"),
        max_input_tokens=entry.get("max_input_tokens"),
        input_style=entry.get("input_style"),
        output_style=entry.get("output_style", entry.get("input_style")),
        streaming=bool(entry.get("streaming")),
        function_calling=bool(entry.get("function_calling")),
        json_mode=modes.get("response_format") or listed,
        batch=bool(entry.get("async_queue") or entry.get("batch_in_docs")),
        lora=bool(entry.get("lora")),
        vision=bool(entry.get("vision")),
        reasoning=bool(entry.get("reasoning")),
        paid_plan_only=bool(entry.get("require_workers_paid")),
        prices=tuple(Price(price["unit"], price["price"]) for price in entry.get("price") or ()),
        rate_limit=entry.get("rate_limit_rpm"),
        planned_deprecation=entry.get("planned_deprecation_date"),
        first_seen=entry.get("first_seen"),
        last_seen=entry.get("last_seen"),
        note=entry.get("note"),
    )


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


@cache
def builtin() -> Catalog:
    """Cloudflare's models, as of the date in the data file."""
    return Catalog(_model(entry) for entry in _data()["models"])


def sources() -> dict[str, Any]:
    """Where the data is from: `retrieved` (ISO date) and `sources`."""
    about: dict[str, Any] = _data()["about"]
    return about


def find_model(name: str) -> Model | None:
    return builtin().find(name)


def model_names() -> list[str]:
    return builtin().names()
