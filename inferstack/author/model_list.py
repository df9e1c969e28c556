"""`inferstack models`: the catalogue, filtered, and one model in full."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from inferstack import catalog
from inferstack.catalog import Model
from inferstack.config import closest
from inferstack.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is asked of a model; None asks nothing. `max_price` is US dollars for a million input tokens."""

    task: str | None = None
    dimensions: int | None = None
    max_price: float | None = None
    min_context: int | None = None
    json_mode: bool = False
    tools: bool = False
    streaming: bool = False
    batch: bool = False
    vision: bool = False
    removed: bool = False

    def passes(self, model: Model) -> bool:
        price = model.price("input tokens")
        return (
            (self.removed or not model.removed)
            and (self.task is None or _same(self.task, model.task))
            and (self.dimensions is None or model.dimensions == self.dimensions)
            and (self.max_price is None or (price is not None and price <= self.max_price))
            and (self.min_context is None or (model.context_window or 0) >= self.min_context)
            and (not self.json_mode or bool(model.takes_json_schema))
            and (not self.tools or model.function_calling)
            and (not self.streaming or model.streaming)
            and (not self.batch or model.batch)
            and (not self.vision or model.vision)
        )


def _same(asked: str, task: str) -> bool:
    def plain(text: str) -> str:
        return text.lower().replace("-", " ").replace("_", " ")

    return plain(asked) in plain(task)


def listing(wanted: Filter, kind: str) -> str:
    """A table or JSON; raises `ConfigError` when a task is asked for that no model has."""
    tasks = sorted({model.task for model in catalog.builtin().all()})
    if wanted.task is not None and not any(_same(wanted.task, task) for task in tasks):
        raise ConfigError(f"no model has the task `{wanted.task}`\n  fix: one of: {', '.join(tasks)}")
    found = sorted(filter(wanted.passes, catalog.builtin().all()), key=lambda m: (m.task, m.name))
    if kind == "json":
        return json.dumps([asdict(model) for model in found], indent=2)
    width = max((len(model.name) for model in found), default=0)
    lines = [f"{model.name:{width}}  {_summary(model)}" for model in found]
    about = catalog.sources()
    return "\n".join([*lines, f"{len(found)} of {len(catalog.model_names())} models, as read on {about['retrieved']}"])


def _summary(model: Model) -> str:
    parts = [model.task]
    parts += [f"{model.dimensions} dimensions"] if model.dimensions else []
    parts += [f"{model.context_window:,} tokens"] if model.context_window else []
    parts += [name for name, has in _abilities(model).items() if has]
    parts += [", ".join(f"{price.usd:g} USD {price.unit}" for price in model.prices[:2])] if model.prices else []
    parts += ["REMOVED"] if model.removed else []
    return " · ".join(parts)


def _abilities(model: Model) -> dict[str, bool]:
    return {
        "streaming": model.streaming,
        "tools": model.function_calling,
        "json": bool(model.takes_json_schema),
        "vision": model.vision,
        "batch": model.batch,
    }


def details(name: str, kind: str) -> str:
    """Everything the catalogue knows of one model, or of `provider/model`; raises `ConfigError` for an unknown name."""
    outside = catalog.split_name(name)
    model = catalog.find_external(*outside) if outside else catalog.find_model(name)
    if model is None and outside is not None and catalog.is_provider(outside[0]):
        near = closest(outside[1], [each.name for each in catalog.external_models(outside[0])])
        fix = "a stack says what it costs under `prices:`"
        raise ConfigError(f"no price of `{outside[1]}` of {outside[0]} is known{near}\n  fix: {fix}")
    if model is None:
        near = closest(name, catalog.model_names())
        raise ConfigError(f"there is no model `{name}`{near}\n  fix: `inferstack models` lists them")
    if kind == "json":
        return json.dumps(asdict(model), indent=2)
    shown = {key: value for key, value in asdict(model).items() if value not in (None, False, ()) and key != "prices"}
    lines = [f"{key.replace('_', ' '):20} {value if value is not True else 'yes'}" for key, value in shown.items()]
    for price in model.prices:
        beyond = f", for prompts above {price.above:,} tokens" if price.above else ""
        lines.append(f"{'price':20} {price.usd:g} USD {price.unit}{beyond}")
    if model.removed and (other := catalog.builtin().instead_of(model)):
        lines.append(f"{'instead':20} {other.name} (same task, cheapest with no less)")
    return "\n".join(lines)
