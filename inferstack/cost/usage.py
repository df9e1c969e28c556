"""What calls of models did cost, beside what was expected, and what explains the gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from inferstack import catalog
from inferstack.config import StackSpec, price_name, priced_model, shares
from inferstack.cost.lines import DAYS
from inferstack.cost.model_costs import model_lines

NOBODY = "(not said)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as a gateway or a Worker logged it; `usd` is None where no price is known.

    `counted` is false for what a gateway's log has, too: such a line tells of routes and tenants only.
    """

    at: datetime
    model: str
    tenant: str = NOBODY
    route: str = NOBODY
    tokens_in: int = 0
    tokens_out: int = 0
    cached: bool = False
    usd: float | None = None
    counted: bool = True
    logged_by: str = "gateway"


@dataclass(slots=True)
class Sum:
    """Calls of one model, tenant or route."""

    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def add(self, call: Call) -> None:
        self.calls += 1
        self.cached += call.cached
        self.tokens_in += call.tokens_in
        self.tokens_out += call.tokens_out
        self.usd += call.usd or 0.0
        self.unpriced += call.usd is None


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one model in a month: calls, the share that a cache answers, US dollars of one that the model answers."""

    calls: float
    cached: float
    usd_a_call: float | None

    @property
    def usd(self) -> float:
        return self.calls * (1 - self.cached) * (self.usd_a_call or 0.0)


@dataclass(frozen=True, slots=True)
class Gap:
    """A model's month as used less as expected; the three parts make up the whole."""

    model: str
    expected: float
    actual: float
    calls: float = 0.0
    cache: float = 0.0
    size: float = 0.0
    why: str = ""


@dataclass(slots=True)
class Usage:
    """All calls of a period of `days`."""

    stack: str
    since: datetime
    until: datetime
    calls: list[Call]
    notes: list[str] = field(default_factory=list)

    @property
    def days(self) -> float:
        """At least one: a few minutes say little of a month."""
        return max(1.0, (self.until - self.since).total_seconds() / 86_400)

    @property
    def counted(self) -> list[Call]:
        return [call for call in self.calls if call.counted]

    def a_month(self, usd: float) -> float:
        return usd / self.days * DAYS


def sums(calls: Iterable[Call], key: Callable[[Call], str]) -> dict[str, Sum]:
    """The dearest first."""
    found: dict[str, Sum] = {}
    for call in calls:
        found.setdefault(key(call), Sum()).add(call)
    return dict(sorted(found.items(), key=lambda each: (-each[1].usd, -each[1].calls, each[0])))


def expected(spec: StackSpec) -> dict[str, Expected]:
    """By the model's name as `prices:` has it; several aliases of one model together."""
    found: dict[str, list[tuple[float, float, float | None]]] = {}
    for alias, traffic in spec.expect.models.items():
        for share in shares(spec, alias) if alias in spec.models else ():
            model = priced_model(spec, share.alias)
            calls = traffic.requests * DAYS * share.part
            one = traffic.model_copy(update={"requests": 1 / DAYS, "cache_hits": 0})
            usd = sum(line.usd for line in model_lines("", "", model, one)) if model and model.prices else None
            if calls:
                found.setdefault(price_name(spec, share.alias), []).append((calls, traffic.cache_hits, usd))
    return {name: _together(parts) for name, parts in found.items()}


def _together(parts: list[tuple[float, float, float | None]]) -> Expected:
    calls = sum(part[0] for part in parts)
    asked = sum(count * (1 - cached) for count, cached, _ in parts)
    usd = sum(count * (1 - cached) * (each or 0.0) for count, cached, each in parts)
    known = all(each is not None for _, _, each in parts)
    return Expected(calls, 1 - asked / calls, (usd / asked if asked else 0.0) if known else None)


def gaps(spec: StackSpec, usage: Usage) -> list[Gap]:
    """The largest first."""
    used, plan = sums(usage.counted, lambda call: call.model), expected(spec)
    found = [_gap(name, plan.get(name), used.get(name), usage) for name in dict.fromkeys([*plan, *used])]
    return sorted(found, key=lambda gap: -abs(gap.actual - gap.expected))


def _gap(name: str, plan: Expected | None, used: Sum | None, usage: Usage) -> Gap:
    actual = usage.a_month(used.usd) if used else 0.0
    if used is not None and used.unpriced:
        why = f"{used.unpriced} of {used.calls} calls have no known price, or no tokens in the log"
        return Gap(name, plan.usd if plan else 0.0, actual, why=why)
    if plan is None:
        return Gap(name, 0.0, actual, why="not expected: a fallback, a route, or a line that `expect` lacks")
    if used is None:
        return Gap(name, plan.usd, 0.0, why="not used")
    if plan.usd_a_call is None:
        return Gap(name, 0.0, actual, why="expected, without a known price")
    calls, cached = usage.a_month(used.calls), used.cached / used.calls
    more = (calls - plan.calls) * (1 - plan.cached) * plan.usd_a_call
    cache = calls * (plan.cached - cached) * plan.usd_a_call
    return Gap(name, plan.usd, actual, more, cache, actual - plan.usd - more - cache, _words(plan, calls, cached))


def _words(plan: Expected, calls: float, cached: float) -> str:
    more = f"{calls / DAYS:,.0f} calls a day instead of {plan.calls / DAYS:,.0f}"
    return more + (f", {cached:.0%} from the cache instead of {plan.cached:.0%}" if cached or plan.cached else "")


def price_of_call(spec: StackSpec, name: str, tokens_in: int, tokens_out: int) -> float | None:
    """By tokens; None where the model's price is not known, or is not by tokens alone."""
    alias = next((alias for alias in spec.models if price_name(spec, alias) == name), None)
    outside = catalog.split_name(name)
    model = (
        priced_model(spec, alias) if alias else catalog.find_external(*outside) if outside else catalog.find_model(name)
    )
    counts = {"per M input tokens": tokens_in, "per M output tokens": tokens_out, "per M cached input tokens": 0}
    prices = model.prices_for(tokens_in) if model else []
    if not prices or any(price.unit not in counts for price in prices):
        return None
    return sum(price.usd * counts[price.unit] / 1e6 for price in prices)
