"""Which models an alias's calls go to, in which share, and what those models cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from inferstack import catalog
from inferstack.config.spec import StackSpec

Why = Literal["answers", "condition", "limit", "fallback"]


@dataclass(frozen=True, slots=True)
class Share:
    """`part` (0 to 1) of an alias's calls goes to `alias`; 0 where only the day itself shows how much."""

    alias: str
    part: float
    why: Why


def shares(spec: StackSpec, alias: str) -> list[Share]:
    """Where calls of an alias go: itself, or the models of its route; then what stands in when those fail."""
    declared = spec.models[alias]
    gateway = spec.gateways.get(declared.gateway or "")
    route = gateway.routes.get(declared.route or "") if gateway else None
    if route is None:
        found = [Share(alias, 1.0, "answers")]
    else:
        split = [Share(each.model, each.percent / 100, "answers") for each in route.split]
        rest = 1 - sum(each.part for each in split)
        found = [*split, Share(route.models[0], rest, "answers")]
        found += [Share(name, 0, "condition") for each in route.conditions for name in each.models]
        found += [Share(name, 0, "limit") for each in route.limits for name in each.models]
        found += [Share(name, 0, "fallback") for name in route.models[1:]]
    found += [Share(name, 0, "fallback") for name in declared.fallbacks]
    return [each for each in found if each.alias in spec.models]


def outside_name(spec: StackSpec, alias: str) -> tuple[str, str] | None:
    """Provider and model, when it is not one of Workers AI; `env.AI.run` takes `openai/gpt-x`, too."""
    declared = spec.models[alias]
    if declared.external:
        return declared.provider, declared.model
    named = None if declared.model in spec.catalog else catalog.split_name(declared.model)
    return named if named and catalog.is_provider(named[0]) else None


def price_name(spec: StackSpec, alias: str) -> str:
    """How `prices:` calls the model of an alias."""
    outside = outside_name(spec, alias)
    return "/".join(outside) if outside else spec.models[alias].model


def priced_model(spec: StackSpec, alias: str) -> catalog.Model | None:
    """The model of an alias with its prices: as `prices:` says, else the stack's own catalogue, else ours."""
    declared, outside, name = spec.models[alias], outside_name(spec, alias), price_name(spec, alias)
    own = spec.catalog.get(declared.model)
    found: catalog.Model | None
    if own is not None:
        found = own.as_model(declared.model)
    elif outside is not None:
        found = None if outside[0] in spec.providers else catalog.find_external(*outside)
    else:
        found = catalog.find_model(declared.model)
    given = _given(spec, name)
    if given is None:
        return found
    if found is None:
        return catalog.Model(name=declared.model, task="Text Generation", status="live", prices=given)
    said = {price.unit for price in given}
    return replace(found, prices=(*given, *(price for price in found.prices if price.unit not in said)))


def _given(spec: StackSpec, name: str) -> tuple[catalog.Price, ...] | None:
    """`xai/…` and `grok/…` are the same provider."""
    for key, price in spec.prices.items():
        if key == name or _as_slug(key) == _as_slug(name):
            return price.prices
    return None


def _as_slug(name: str) -> str:
    provider, _, model = name.partition("/")
    return f"{catalog.slug(provider)}/{model}"


def has_price(spec: StackSpec, alias: str) -> bool:
    model = priced_model(spec, alias)
    return model is not None and bool(model.prices)


def without_price(spec: StackSpec) -> Iterator[tuple[str, Share]]:
    """Aliases with expected calls, and what those reach that has no price."""
    for alias, traffic in spec.expect.models.items():
        if alias in spec.models and traffic.requests:
            yield from ((alias, share) for share in shares(spec, alias) if not has_price(spec, share.alias))


def maker(spec: StackSpec, alias: str) -> str:
    """Who bills it: `Workers AI`, or the provider."""
    outside = outside_name(spec, alias)
    return "Workers AI" if outside is None else outside[0]
