"""`expect` names what is declared, and says what its models are priced by."""

from __future__ import annotations

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.priced import price_name, priced_model, without_price
from inferstack.config.spec import StackSpec

SECTIONS = ("workers", "models", "indexes", "databases", "buckets", "namespaces", "queues")
# A word of a price's unit, and the figure that it needs.
NEEDED = {
    "input tokens": "input_tokens",
    "characters": "characters",
    "audio minute": "audio_minutes",
    "tile": "tiles",
    "step": "steps",
    "MP": "images",
    "per image": "images",
    "output image tokens": "output_tokens",
}
LEAST = 0.0005  # US dollars for a million tokens: no provider asks for less, and a single token's price is below
TOKENS = ("input", "cached_input", "output")


def check(spec: StackSpec, report: Report) -> None:
    for section in SECTIONS:
        declared = getattr(spec, section)
        for key in getattr(spec.expect, section):
            if key not in declared:
                problem = f"`{key}` is not declared under `{section}:`{closest(key, declared)}"
                report("IS076", ("expect", section, key), problem, f"use a name that stands under `{section}:`")
    for key in spec.expect.logs:
        if key not in spec.workers:
            problem = f"`{key}` is not declared under `workers:`{closest(key, spec.workers)}"
            report("IS076", ("expect", "logs", key), problem, "name the Worker whose logs they are")
    datasets = {b.analytics for w in spec.workers.values() for b in w.bindings.values() if b.analytics}
    for key in spec.expect.analytics:
        if key not in datasets:
            problem = f"no Worker has the dataset `{key}`{closest(key, datasets)}"
            report("IS076", ("expect", "analytics", key), problem, "name one that a binding has as `analytics`")
    owners = {key: worker for key, worker in spec.workers.items() if worker.classes}
    for key in spec.expect.objects:
        if key not in owners:
            problem = f"Worker `{key}` has no classes of its own under `objects:`{closest(key, owners)}"
            report("IS076", ("expect", "objects", key), problem, "name the Worker whose classes they are")
    running = {key: worker for key, worker in spec.workers.items() if worker.own_workflows}
    for key in spec.expect.workflows:
        if key not in running:
            problem = f"Worker `{key}` has no classes of its own under `workflows:`{closest(key, running)}"
            report("IS076", ("expect", "workflows", key), problem, "name the Worker whose classes they are")
    for key, traffic in spec.expect.models.items():
        model = priced_model(spec, key) if key in spec.models else None
        units = [price.unit for price in model.prices if "cached" not in price.unit] if model else []
        asked = sorted({figure for word, figure in NEEDED.items() if any(word in unit for unit in units)})
        if asked and not any(getattr(traffic, figure) for figure in asked):
            problem = f"`{key}` is priced {', '.join(units)}; no such figure is given"
            report("IS078", ("expect", "models", key), problem, f"give {' and '.join(asked)}")
    _check_prices(spec, report)


def _check_prices(spec: StackSpec, report: Report) -> None:
    for key, price in spec.prices.items():
        for field in TOKENS:
            usd = getattr(price, field)
            if usd is not None and 0 < usd < LEAST:
                problem = f"{usd:g} USD for a million tokens is what lists have for a single one"
                report("IS125", ("prices", key, field), problem, f"write {usd * 1e6:g}, or 0 for what is free")
    for alias, share in without_price(spec):
        name = price_name(spec, share.alias)
        whose = f"`{alias}`" if share.alias == alias else f"`{share.alias}`, where calls of `{alias}` may go"
        problem = f"no price of `{name}` is known, the model of {whose}{closest(name, spec.prices)}"
        fix = f"add `prices: {{ {name}: {{ input: …, output: … }} }}`, US dollars for a million tokens"
        report("IS123", ("expect", "models", alias), problem, fix)
