"""`inferstack models plan`: which models of a stack go, when, what stands in for them, what that costs and changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from inferstack import catalog
from inferstack.config import (
    ModelTraffic,
    StackSpec,
    check_stack,
    find_template,
    format_findings,
    outside_name,
    priced_model,
)
from inferstack.config.checks.workers import can
from inferstack.cost.model_costs import model_lines
from inferstack.errors import ConfigError
from inferstack.text import table

REMOVED = "IS047"
MILLION_IN, A_TENTH_OUT = 1e6, 1e5  # what two models are compared by where nothing is expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One alias whose model goes. `by` replaces it, `differences` say what that changes; None where nothing can.

    `by_hand` is why it cannot be written into the file alone. Costs are USD a month, or of a million tokens in and a tenth
    of that out where nothing is expected; None where no price is known.
    """

    alias: str
    model: str
    gone: str
    late: bool
    source: str
    by: str | None = None
    usd: float | None = None
    usd_by: float | None = None
    expected: bool = False
    differences: tuple[str, ...] = ()
    by_hand: str | None = None


def plan(stack: str, root: Path, today: date | None = None) -> list[Step]:
    """Those that are gone first, then by their day. Raises `StackNotFound` and `ConfigError`."""
    spec, day = readable(stack, root), today or datetime.now(UTC).date()
    found = [step for alias in spec.models if (step := _step(spec, alias, root, day)) is not None]
    return sorted(found, key=lambda step: (not step.late, step.gone, step.alias))


def readable(stack: str, root: Path) -> StackSpec:
    """As `load_stack`, but for removed models: they are what a plan is for."""
    checked = check_stack(stack, root)
    wrong = [finding for finding in checked.findings if finding.severity == "error" and finding.code != REMOVED]
    if checked.declared is None or wrong:
        raise ConfigError(format_findings(checked.findings, root))
    return checked.declared


def _step(spec: StackSpec, alias: str, root: Path, day: date) -> Step | None:
    model = priced_model(spec, alias)
    if model is None or not (model.removed or model.planned_deprecation):
        return None
    gone = model.planned_deprecation or f"last seen {model.last_seen or 'long ago'}"
    late = model.removed or (model.planned_deprecation or "") <= day.isoformat()
    about: dict[str, Any] = {
        "alias": alias,
        "model": _name(spec, alias, model),
        "gone": gone,
        "late": late,
        "source": model.source,
    }
    other = _successor(spec, alias, model, root)
    indexes = [key for key, index in spec.indexes.items() if index.model == alias]
    if indexes:
        about["by_hand"] = (
            f"index {', '.join(indexes)} holds its vectors, and another model's mean something else: declare the new model, "
            "name it in `beside` of the index, then `inferstack reindex`"
        )
    if other is None:
        why = "no live model of the catalogue does the same with no less; `inferstack models --task` lists others"
        return Step(**about) if indexes else Step(**{**about, "by_hand": why})
    usd, usd_by, expected = _costs(spec, alias, model, other)
    return Step(
        **about, by=other.name, usd=usd, usd_by=usd_by, expected=expected, differences=tuple(_differences(model, other))
    )


def _name(spec: StackSpec, alias: str, model: catalog.Model) -> str:
    outside = outside_name(spec, alias)
    return "/".join(outside) if outside else model.name


def _successor(spec: StackSpec, alias: str, model: catalog.Model, root: Path) -> catalog.Model | None:
    """What the provider names, followed until one stays; of Workers AI, which names none, the cheapest that can all."""
    outside, needed = outside_name(spec, alias), set(_needed(spec, alias, root))
    if outside is None:
        able = [other for other in catalog.builtin().alternatives(model) if all(can(other, word) for word in needed)]
        able = [other for other in able if not other.planned_deprecation and other.streaming >= model.streaming]
        return min(able, key=lambda other: (_usd(other, _traffic(spec, alias)) or 0.0, other.name), default=None)
    seen, found = {model.name}, model
    while found.successor and found.successor not in seen:
        seen.add(found.successor)
        following = catalog.find_external(outside[0], found.successor)
        if following is None:
            return None
        found = following
    fits = found is not model and found.task == model.task and all(can(found, word) for word in needed)
    return found if fits and not found.planned_deprecation else None


def _needed(spec: StackSpec, alias: str, root: Path) -> Iterator[str]:
    """What templates do with the model: abilities by role, those of options that are on, too."""
    for worker in spec.workers.values():
        template = find_template(worker.template, root) if worker.template else None
        for role, used in worker.models.items() if template else ():
            if used == alias and template is not None:
                yield from template.abilities.get(role, ())
                for name, roles in template.abilities_if.items():
                    yield from roles.get(role, ()) if worker.options.get(name) else ()


def _traffic(spec: StackSpec, alias: str) -> ModelTraffic:
    plain = ModelTraffic(requests=1 / 30, input_tokens=MILLION_IN, output_tokens=A_TENTH_OUT)
    return spec.expect.models.get(alias, plain)


def _costs(
    spec: StackSpec, alias: str, model: catalog.Model, other: catalog.Model
) -> tuple[float | None, float | None, bool]:
    traffic = _traffic(spec, alias)
    return _usd(model, traffic), _usd(other, traffic), alias in spec.expect.models


def _usd(model: catalog.Model, traffic: ModelTraffic) -> float | None:
    lines = model_lines("", "", model, traffic)
    return sum(line.usd for line in lines) if lines or (model.prices and not traffic.requests) else None


def _differences(model: catalog.Model, other: catalog.Model) -> Iterator[str]:
    if model.context_window != other.context_window:
        windows = [f"{each.context_window:,}" if each.context_window else "unknown" for each in (model, other)]
        yield f"context window {windows[0]} → {windows[1]} tokens"
    flags = {
        "streams": (model.streaming, other.streaming),
        "calls functions": (model.function_calling, other.function_calling),
        "takes a JSON schema": (bool(model.takes_json_schema), bool(other.takes_json_schema)),
        "reads images": (model.vision, other.vision),
        "reasons": (model.reasoning, other.reasoning),
        "runs in batches": (model.batch, other.batch),
    }
    for words, (before, after) in flags.items():
        if before != after:
            yield f"{words}: {'no longer' if before else 'new'}"
    if other.paid_plan_only and not model.paid_plan_only:
        yield "is served on Workers Paid only"


def show_plan(stack: str, steps: list[Step], style: str) -> str:
    """`style` is `table` or `json`."""
    if style == "json":
        return json.dumps({"version": 1, "stack": stack, "steps": [asdict(step) for step in steps]}, indent=2)
    if not steps:
        return f"{stack}: no model of it is announced to go, as far as the catalogue knows"
    rows: list[tuple[str, ...]] = [("MODEL", "GOES", "BY", "USD", "DIFFERENCES")]
    rows += [_row(step) for step in steps]
    notes = [f"- models.{step.alias}: {step.by_hand}" for step in steps if step.by_hand]
    written = [step for step in steps if step.by and not step.by_hand]
    tail = [f"`inferstack models plan {stack} --fix` writes {len(written)} of them into the stack"] if written else []
    unit = "USD a month by `expect`; where it has no line, of a million tokens in and a tenth of that out"
    return "\n".join([*table(rows), *notes, unit, *tail])


def _row(step: Step) -> tuple[str, ...]:
    gone = f"{step.gone}{' (past)' if step.late and step.gone[:1].isdigit() else ''}"
    costs = [f"{usd:,.2f}" if usd is not None else "unknown" for usd in (step.usd, step.usd_by)]
    price = f"{costs[0]} → {costs[1]}" if step.by else ""
    return (f"{step.alias}: {step.model}", gone, step.by or "-", price, "; ".join(step.differences) or "none known")
