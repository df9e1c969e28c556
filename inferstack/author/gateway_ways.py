"""Which models of a route a call reaches by its metadata: conditions, then limits, then shares, then the order of fallback."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from inferstack.config import RouteSpec, StackSpec

When = Literal["first", "on failure", "above a limit"]


@dataclass(frozen=True, slots=True)
class Way:
    """A model that may answer; `part` (0 to 1) of the calls reach it first."""

    alias: str
    when: When
    part: float = 0.0


@dataclass(slots=True)
class Ways:
    """What a route does with one call, and where it leads."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)

    def told(self, what: str, outcome: str, detail: str, refusal: dict[str, int] | None = None) -> None:
        self.steps.append({"what": what, "outcome": outcome, "detail": detail, "refusal": refusal})

    def chain(self, aliases: list[str], part: float = 1.0, when: When = "first") -> None:
        """The first of them, and those that stand in for it."""
        for place, alias in enumerate(aliases):
            later: When = "on failure" if when == "first" else when
            self.ways.append(Way(alias, when if place == 0 else later, part if place == 0 else 0.0))


def ways(spec: StackSpec, alias: str, metadata: dict[str, str]) -> Ways:
    """Of a model's calls: of its route, where it has one; then what its Worker asks when all of that failed."""
    declared, found = spec.models[alias], Ways()
    gateway = spec.gateways.get(declared.gateway or "")
    route = gateway.routes.get(declared.route or "") if gateway else None
    if route is None:
        found.chain([alias])
    else:
        _walk(found, route, metadata)
    found.ways += [Way(name, "on failure") for name in declared.fallbacks]
    return found


def _walk(found: Ways, route: RouteSpec, metadata: dict[str, str]) -> None:
    for condition in route.conditions:
        tests = {name: [wanted] if isinstance(wanted, str) else wanted for name, wanted in condition.metadata.items()}
        told = " and ".join(f"{name} is {' or '.join(wanted)}" for name, wanted in tests.items())
        if all(metadata.get(name) in wanted for name, wanted in tests.items()):
            found.told("condition", "leads away", f"{told}: to {', then '.join(condition.models)}")
            found.chain(condition.models)
            return
        found.told("condition", "passes", f"{told}: does not hold")
    beyond = Ways()
    for limit in route.limits:
        most = f"{limit.usd:g} USD" if limit.usd is not None else f"{limit.requests} requests"
        told = f"{most} in {limit.interval} s for each `{limit.by}`, here `{metadata.get(limit.by, 'none')}`"
        then = f"; above: {', then '.join(limit.models)}" if limit.models else ""
        found.told("limit", "depends", told + then, None if limit.models else {"status": 429, "code": 2003})
        beyond.chain(limit.models, 0.0, "above a limit")
    for share in route.split:
        found.ways.append(Way(share.model, "first", share.percent / 100))
    if route.split:
        shares = ", ".join(f"{share.percent} % to {share.model}" for share in route.split)
        found.told("split", "depends", f"{shares}, the rest to {route.models[0]}")
    found.chain(route.models, 1 - sum(share.percent for share in route.split) / 100)
    found.ways += beyond.ways
