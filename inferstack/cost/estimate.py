"""What a stack would cost a month, from its `expect` figures and the catalogue's price lists.

A month is 30 days. Each line is one quantity times one price, before allowances; what a plan includes is a line of its
own, for the product as a whole, since Cloudflare counts allowances per account; so is what it rounds up. Taxes and the
account's other stacks are not in it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from inferstack import catalog
from inferstack.config import ModelTraffic, StackSpec

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
        per = f" / {_number(self.per)}" if self.per != 1 else ""
        return f"{_number(self.quantity)}{per} × {self.price:g} USD"


@dataclass(slots=True)
class Estimate:
    """All lines of a stack, and what could not be priced or does not fit the plan."""

    stack: str
    plan: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def resources(self) -> dict[str, float]:
        """US dollars a month by resource (or by product, for what a plan includes)."""
        found: dict[str, float] = {}
        for line in self.lines:
            found[line.resource] = found.get(line.resource, 0.0) + line.usd
        return found


def estimate(name: str, spec: StackSpec) -> Estimate:
    found = Estimate(name, spec.expect.plan)
    _models(found, spec)
    for add in (_workers, _indexes, _databases, _buckets, _namespaces, _queues, _objects, _workflows):
        before = len(found.lines)
        allowances = add(found, spec)
        _include(found, found.lines[before:], allowances)
        if add is _buckets:
            _round_up(found, found.lines[before:])
    if spec.expect.plan == "paid" and spec.workers:
        minimum = catalog.prices("workers")["paid_minimum_usd_month"]
        found.lines.append(Line("Workers", "account", "Workers Paid plan", 1, 1, minimum))
    return found


def monthly(name: str, spec: StackSpec) -> dict[str, float]:
    """US dollars a month by resource and in `total`, to the cent; empty when nothing is expected."""
    if not spec.expect.model_fields_set:
        return {}
    found = estimate(name, spec)
    return {key: round(usd, 2) for key, usd in {**found.resources(), "total": found.usd}.items()}


# item → (included in the paid plan a month, allowed on the free plan a month)
Allowances = dict[str, tuple[float, float]]


def _include(found: Estimate, lines: list[Line], allowances: Allowances) -> None:
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
                f"{first.product}: {_number(total)} {item} a month, the free plan serves {_number(free)}; "
                "beyond that requests fail: set `expect.plan: paid`"
            )
            allowed = total
        taken = -min(total, allowed)
        found.lines.append(Line(first.product, "account", item, taken, first.per, first.price))


def _round_up(found: Estimate, lines: list[Line]) -> None:
    """R2 bills whole units (a GB-month, a million operations) of an account's sum: 1.2 million are two."""
    for item in dict.fromkeys(line.item for line in lines):
        used = [line for line in lines if line.item == item]
        billed = round(sum(line.quantity / line.per for line in used), 9)  # without the noise of floats
        first, missing = used[0], math.ceil(billed) - billed
        _add(found, (first.product, "account"), f"{item}, rounded up", missing * first.per, first.per, first.price)


def _models(found: Estimate, spec: StackSpec) -> None:
    usd = 0.0  # of Workers AI, which has neurons for free
    for alias, traffic in spec.expect.models.items():
        model = spec.model_of(alias)
        if model is None:
            where = f"give its prices under `catalog: {{ {spec.models[alias].model}: … }}`"
            found.notes.append(f"models.{alias}: not of Workers AI, so without a price here; {where}")
            continue
        if not model.prices:
            found.notes.append(f"models.{alias}: the catalogue has no price for {model.name}")
        lines = _model_lines(_maker(spec, alias), f"models.{alias}", model, traffic)
        found.lines += lines
        usd += 0.0 if spec.models[alias].external else sum(line.usd for line in lines)
        cheaper = None if spec.models[alias].external else _cheaper(model, traffic)
        if cheaper is not None:
            found.notes.append(f"models.{alias}: {cheaper}")
    rates = catalog.prices("workers_ai")
    price = rates["per_1000_neurons_usd"]
    used, free = usd / price * 1000, rates["free_neurons_per_day"] * DAYS
    if found.plan == "free" and used > free:
        found.notes.append(
            f"Workers AI: about {_number(round(used))} neurons a month, the free plan serves {_number(free)}"
        )
    if used:
        taken = -min(used, free if found.plan == "paid" else used)
        found.lines.append(Line("Workers AI", "account", "free neurons", taken, 1000, price))


def _maker(spec: StackSpec, alias: str) -> str:
    declared = spec.models[alias]
    return declared.provider if declared.external else "Workers AI"


def _model_lines(product: str, resource: str, model: catalog.Model, traffic: ModelTraffic) -> list[Line]:
    calls = traffic.requests * DAYS * (1 - traffic.cache_hits)
    lines = []
    for price in model.prices:
        measured = _measure(price.unit, traffic)
        if measured is None or not calls:
            continue
        per_call, per = measured
        if per_call:
            item = re.sub(r"^per (M|1k) ", "", price.unit).removeprefix("per ")
            lines.append(Line(product, resource, f"{model.name} {item}", calls * per_call, per, price.usd))
    return lines


def _measure(unit: str, traffic: ModelTraffic) -> tuple[float, float] | None:
    """What one call takes of a price's unit, and how many of them the price is for."""
    images = traffic.images
    known: dict[str, tuple[float, float]] = {
        "per M input tokens": (traffic.input_tokens * (1 - traffic.cached_input), 1e6),
        "per M cached input tokens": (traffic.input_tokens * traffic.cached_input, 1e6),
        "per M output tokens": (traffic.output_tokens, 1e6),
        "per 1k characters": (traffic.characters, 1e3),
        "per audio minute": (traffic.audio_minutes, 1),
        "per inference request": (1, 1),
        "per 512x512 tile": (images * traffic.tiles, 1),
        "per 512 by 512 tile": (images * traffic.tiles, 1),
        "per output 512x512 tile": (images * traffic.tiles, 1),
        "per output 512x512 tile, per step": (images * traffic.tiles * traffic.steps, 1),
        "per input 512x512 tile": (images * traffic.input_tiles, 1),
        "per input 512x512 tile, per step": (images * traffic.input_tiles * traffic.steps, 1),
        "per step": (images * traffic.steps, 1),
        "per first MP (1024x1024)": (images, 1),
        "per subsequent MP": (images * max(0.0, traffic.tiles / 4 - 1), 1),
        "per input image MP": (images * traffic.input_tiles / 4, 1),
    }
    return known.get(unit)


def _cheaper(model: catalog.Model, traffic: ModelTraffic) -> str | None:
    """The cheapest live model of equal task, dimensions and capabilities, when it is cheaper for this traffic."""

    def usd(candidate: catalog.Model) -> float:
        return sum(line.usd for line in _model_lines("", "", candidate, traffic))

    now = usd(model)
    best = min(catalog.builtin().alternatives(model), key=lambda other: (usd(other), other.name), default=None)
    if best is None or not now or usd(best) >= now:
        return None
    return f"{best.name} does the same task for {usd(best):,.2f} instead of {now:,.2f} USD"


def _workers(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("workers")
    for key, traffic in spec.expect.workers.items():
        requests = traffic.requests * DAYS
        found.lines.append(
            Line("Workers", f"workers.{key}", "requests", requests, 1e6, rates["requests"]["per_million_usd"])
        )
        at, cpu = ("Workers", f"workers.{key}"), requests * traffic.cpu_ms
        _add(found, at, "CPU milliseconds", cpu, 1e6, rates["cpu_ms"]["per_million_usd"])
    _instances(found, spec)
    per_day = _leading_number(rates["requests"]["free"])
    # On the free plan CPU time is bounded per invocation, not per month.
    return {
        "requests": (rates["requests"]["paid_included_month"], per_day * DAYS),
        "CPU milliseconds": (rates["cpu_ms"]["paid_included_month"], float("inf")),
    }


def _instances(found: Estimate, spec: StackSpec) -> None:
    """Of workflows: billed as Workers, whose requests and CPU time they share."""
    rates = catalog.prices("workers")
    for key, traffic in spec.expect.workflows.items():
        at, made = ("Workers", f"workers.{key}"), traffic.instances * DAYS
        _add(found, at, "requests", made, 1e6, rates["requests"]["per_million_usd"])
        _add(found, at, "CPU milliseconds", made * traffic.cpu_ms, 1e6, rates["cpu_ms"]["per_million_usd"])


def _workflows(found: Estimate, spec: StackSpec) -> Allowances:
    """What instances hold; `_instances` has the rest."""
    storage = catalog.prices("workflows")["storage_gb"]
    for key, traffic in spec.expect.workflows.items():
        _add(found, ("Workflows", f"workers.{key}"), "GB stored", traffic.storage_gb, 1, storage["per_gb_month_usd"])
    return {"GB stored": (storage["paid_included"], storage["free"])}


def _indexes(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("vectorize")
    queried, stored = rates["queried_dimensions"], rates["stored_dimensions"]
    for key, traffic in spec.expect.indexes.items():
        dimensions = spec.dimensions_of(key)
        if dimensions is None:
            found.notes.append(f"indexes.{key}: the dimensions are not known")
            continue
        vectors = traffic.queries * DAYS + traffic.vectors
        at = ("Vectorize", f"indexes.{key}")
        found.lines.append(Line(*at, "queried dimensions", vectors * dimensions, 1e6, queried["per_million_usd"]))
        found.lines.append(
            Line(*at, "stored dimensions", traffic.vectors * dimensions, 1e8, stored["per_100_million_usd"])
        )
    return {
        "queried dimensions": (queried["paid_included_month"], queried["free_month"]),
        "stored dimensions": (stored["paid_included"], stored["free"]),
    }


def _databases(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("d1")
    read, written, storage = rates["rows_read"], rates["rows_written"], rates["storage_gb"]
    for key, traffic in spec.expect.databases.items():
        at = ("D1", f"databases.{key}")
        _add(found, at, "rows read", traffic.rows_read * DAYS, 1e6, read["per_million_usd"])
        _add(found, at, "rows written", traffic.rows_written * DAYS, 1e6, written["per_million_usd"])
        _add(found, at, "GB stored", traffic.storage_gb, 1, storage["per_gb_month_usd"])
    return {
        "rows read": (read["paid_included_month"], _leading_number(read["free"]) * DAYS),
        "rows written": (written["paid_included_month"], _leading_number(written["free"]) * DAYS),
        "GB stored": (storage["paid_included"], storage["free"]),
    }


def _buckets(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("r2")
    storage, a, b = rates["storage_gb_month"], rates["class_a_million"], rates["class_b_million"]
    for key, traffic in spec.expect.buckets.items():
        infrequent = spec.buckets[key].storage_class == "InfrequentAccess"
        kind, at = "infrequent_usd" if infrequent else "standard_usd", ("R2", f"buckets.{key}")
        mark = " (infrequent access)" if infrequent else ""
        _add(found, at, "GB stored" + mark, traffic.storage_gb, 1, storage[kind])
        _add(found, at, "class A operations" + mark, traffic.writes * DAYS, 1e6, a[kind])
        _add(found, at, "class B operations" + mark, traffic.reads * DAYS, 1e6, b[kind])
        if infrequent:
            _add(found, at, "GB retrieved" + mark, traffic.retrieved_gb * DAYS, 1, rates["retrieval_gb"][kind])
        if infrequent and traffic.reads and not traffic.retrieved_gb:
            found.notes.append(
                f"buckets.{key}: infrequent access bills each GB read, and none is expected; give `retrieved_gb`"
            )
    return {  # the allowance is for Standard storage only
        "GB stored": (storage["free"], storage["free"]),
        "class A operations": (a["free"], a["free"]),
        "class B operations": (b["free"], b["free"]),
    }


def _namespaces(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("kv")
    for key, traffic in spec.expect.namespaces.items():
        at = ("KV", f"namespaces.{key}")
        for item in ("reads", "writes", "deletes", "lists"):
            _add(found, at, item, getattr(traffic, item) * DAYS, 1e6, rates[item]["per_million_usd"])
        _add(found, at, "GB stored", traffic.storage_gb, 1, rates["storage_gb"]["per_gb_month_usd"])
    included = {
        item: (rates[item]["paid_included_month"], rates[item]["free_day"] * DAYS)
        for item in ("reads", "writes", "deletes", "lists")
    }
    return included | {"GB stored": (rates["storage_gb"]["paid_included"], rates["storage_gb"]["free"])}


def _queues(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("queues")["operations"]
    for key, traffic in spec.expect.queues.items():
        # A delivered message is written, read and deleted; a retry reads it once more.
        operations = traffic.messages * DAYS * (3 + traffic.retries)
        _add(found, ("Queues", f"queues.{key}"), "operations", operations, 1e6, rates["per_million_usd"])
    return {"operations": (rates["paid_included_month"], rates["free_day"] * DAYS)}


def _objects(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("durable_objects")
    requests, duration, stored = rates["requests"], rates["duration_gb_s"], rates["sqlite"]
    for key, traffic in spec.expect.objects.items():
        at = ("Durable Objects", f"workers.{key}")
        calls = (traffic.requests + traffic.messages / rates["messages_per_request"]) * DAYS
        _add(found, at, "requests", calls, 1e6, requests["per_million_usd"])
        seconds = traffic.active_seconds * DAYS * rates["memory_gb"]  # billed for all of it, whatever is used
        _add(found, at, "GB-seconds", seconds, 1e6, duration["per_million_usd"])
        _add(found, at, "rows read", traffic.rows_read * DAYS, 1e6, stored["rows_read"]["per_million_usd"])
        _add(found, at, "rows written", traffic.rows_written * DAYS, 1e6, stored["rows_written"]["per_million_usd"])
        _add(found, at, "GB stored", traffic.storage_gb, 1, stored["storage_gb"]["per_gb_month_usd"])
        if any(each.storage == "legacy-kv" for each in spec.workers[key].classes.values()):
            found.notes.append(f"objects.{key}: priced as SQLite; the older storage is billed by units of 4 KB")
    metered = {"requests": requests, "GB-seconds": duration}
    metered |= {"rows read": stored["rows_read"], "rows written": stored["rows_written"]}
    included = {item: (rate["paid_included_month"], rate["free_day"] * DAYS) for item, rate in metered.items()}
    return included | {"GB stored": (stored["storage_gb"]["paid_included"], stored["storage_gb"]["free"])}


def _add(found: Estimate, at: tuple[str, str], item: str, quantity: float, per: float, price: float) -> None:
    if quantity:
        found.lines.append(Line(*at, item, quantity, per, price))


def _leading_number(text: str) -> float:
    """`5,000,000/day` → 5000000."""
    match = re.match(r"[\d,]+", text)
    if match is None:
        raise ValueError(f"no number in {text!r}")
    return float(match.group().replace(",", ""))


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
