"""Whether a stack keeps its budget: an estimate that lacks a price keeps none."""

from __future__ import annotations

from dataclasses import dataclass

from inferstack.config import StackSpec, budget_severity
from inferstack.cost.estimate import estimate


@dataclass(frozen=True, slots=True)
class Breach:
    """`severity` is `error` or `warning`; `code` that of the finding."""

    code: str
    problem: str
    fix: str
    severity: str


def breach_of(name: str, spec: StackSpec) -> Breach | None:
    """None for a stack within its budget, without one, or excepted from it."""
    severity = budget_severity(spec)
    if spec.budget is None or severity == "off":
        return None
    found, most = estimate(name, spec), spec.budget.monthly_usd
    if found.usd > most:
        problem = f"the estimate is {found.usd:,.2f} USD a month, the budget {most:,.2f}"
        return Breach("IS077", problem, f"see `inferstack cost {name}`; raise the one or lower the other", severity)
    if found.unpriced:
        what = ", ".join(dict.fromkeys(found.unpriced))
        problem = f"nobody knows whether {most:,.2f} USD a month suffice: {what} has no known price"
        return Breach("IS124", problem, "give what it costs under `prices:`, or take a model with a price", severity)
    return None
