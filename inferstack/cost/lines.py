"""What an estimate is made of: lines of quantity and price, allowances that a plan includes, units that are rounded up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

DAYS = 30


@dataclass(frozen=True, slots=True)
class Line:
    """`usd` = `quantity` / `per` × `price`; a negative quantity is what the plan includes. Quantities are a month's."""

    product: str
    resource: str
    item: str
    quantity: float
    per: float
    price: float

    @property
    def usd(self) -> float:
        return self.quantity / self.per * self.price

    @property
    def basis(self) -> str:
        per = f" / {number(self.per)}" if self.per != 1 else ""
        return f"{number(self.quantity)}{per} × {self.price:g} USD"


@dataclass(slots=True)
class Estimate:
    """All lines of a stack, and what could not be priced or does not fit the plan.

    `unpriced` are resources with traffic whose price nobody knows: `usd` lacks them. `sources` says of models of other
    providers where their prices are from.
    """

    stack: str
    plan: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    day: date = field(default_factory=lambda: datetime.now(UTC).date(), compare=False)

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def resources(self) -> dict[str, float]:
        """US dollars a month by resource (or by product, for what a plan includes)."""
        found: dict[str, float] = {}
        for line in self.lines:
            found[line.resource] = found.get(line.resource, 0.0) + line.usd
        return found


# item → (included in the paid plan a month, allowed on the free plan a month)
Allowances = dict[str, tuple[float, float]]


def include(found: Estimate, lines: list[Line], allowances: Allowances) -> None:
    """Take off what the plan includes, once per item of a product."""
    for item, (paid, free) in allowances.items():
        used = [line for line in lines if line.item == item]
        total = sum(line.quantity for line in used)
        allowed = paid if found.plan == "paid" else free
        if total == 0:
            continue
        first = used[0]
        if found.plan == "free" and total > free:
            found.notes.append(
                f"{first.product}: {number(total)} {item} a month, the free plan serves {number(free)}; "
                "beyond that requests fail: set `expect.plan: paid`"
            )
            allowed = total
        taken = -min(total, allowed)
        found.lines.append(Line(first.product, "account", item, taken, first.per, first.price))


def round_up(found: Estimate, lines: list[Line]) -> None:
    """R2 bills whole units (a GB-month, a million operations) of an account's sum: 1.2 million are two."""
    for item in dict.fromkeys(line.item for line in lines):
        used = [line for line in lines if line.item == item]
        billed = round(sum(line.quantity / line.per for line in used), 9)  # without the noise of floats
        first, missing = used[0], math.ceil(billed) - billed
        add(found, (first.product, "account"), f"{item}, rounded up", missing * first.per, first.per, first.price)


def add(found: Estimate, at: tuple[str, str], item: str, quantity: float, per: float, price: float) -> None:
    if quantity:
        found.lines.append(Line(*at, item, quantity, per, price))


def number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
