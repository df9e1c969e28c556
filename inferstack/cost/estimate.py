"""What a stack would cost a month, from its `expect` figures and the catalogue's price lists.

A month is 30 days. Each line is one quantity times one price, before allowances; what a plan includes is a line of its
own, for the product as a whole, since Cloudflare counts allowances per account; so is what it rounds up. Taxes and the
account's other stacks are not in it.
"""

from __future__ import annotations

from datetime import date

from inferstack.config import StackSpec
from inferstack.cost.engine_costs import add_comparison
from inferstack.cost.lines import DAYS, Estimate, Line
from inferstack.cost.model_costs import add_models
from inferstack.cost.product_costs import add_products

__all__ = ["DAYS", "Estimate", "Line", "estimate", "monthly"]


def estimate(name: str, spec: StackSpec, day: date | None = None) -> Estimate:
    """By the prices of a day, else of today: Cloudflare announces some that begin later."""
    found = Estimate(name, spec.expect.plan)
    found.day = day or found.day
    add_models(found, spec)
    add_products(found, spec)
    add_comparison(found, spec)
    found.notes = list(dict.fromkeys(found.notes))
    return found


def monthly(name: str, spec: StackSpec) -> dict[str, float]:
    """US dollars a month by resource and in `total`, to the cent; empty when nothing is expected."""
    if not spec.expect.model_fields_set:
        return {}
    found = estimate(name, spec)
    return {key: round(usd, 2) for key, usd in {**found.resources(), "total": found.usd}.items()}
