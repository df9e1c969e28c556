"""What calls of models cost: of Workers AI, of other providers, behind routes that share them out."""

from __future__ import annotations

import re

from inferstack import catalog
from inferstack.config import ModelTraffic, Share, StackSpec, maker, price_name, priced_model, shares
from inferstack.cost.lines import DAYS, Estimate, Line, number

OTHERWISE = {
    "condition": "requests whose metadata says so go to",
    "limit": "what is beyond a limit of its route goes to",
}


def add_models(found: Estimate, spec: StackSpec) -> None:
    usd = 0.0  # of Workers AI, which has neurons for free
    for alias, traffic in spec.expect.models.items():
        if alias not in spec.models:
            continue
        for share in shares(spec, alias):
            name, model = price_name(spec, share.alias), priced_model(spec, share.alias)
            if share.why in OTHERWISE:
                where = f"{OTHERWISE[share.why]} `{name}`"
                found.notes.append(f"models.{alias}: {where}; how many, nobody says, so they are priced as the others")
            if model is None or not model.prices:
                if share.part and traffic.requests:
                    _unpriced(found, alias, name)
                continue
            if not share.part:
                continue
            usd += _guards(found, spec, spec.models[alias].gateway, share, f"models.{alias}", traffic)
            product = maker(spec, share.alias)
            lines = model_lines(product, f"models.{alias}", model, traffic, share.part)
            found.lines += lines
            if not lines and traffic.requests * (1 - traffic.cache_hits):
                found.unpriced.append(f"models.{alias}")
                units = ", ".join(dict.fromkeys(price.unit for price in model.prices))
                found.notes.append(f"models.{alias}: {name} is priced {units}; no such figure is given")
            if product == "Workers AI":
                usd += sum(line.usd for line in lines)
                _name_cheaper(found, alias, model, traffic)
            else:
                _credits(found, spec, share, lines)
                found.sources[name] = f"`prices:` of `{found.stack}`" if name in spec.prices else model.source
    _take_neurons(found, usd)


def call_usd(spec: StackSpec, gateway: str | None, alias: str, traffic: ModelTraffic) -> float | None:
    """US dollars of one call that comes through `gateway` and that this model answers: its tokens, the guards' and the
    fee on credits. None where no price is known, or where nothing in `traffic` is what it is priced by."""
    model = priced_model(spec, alias)
    one = traffic.model_copy(update={"requests": 1, "cache_hits": 0})
    product, share = maker(spec, alias), Share(alias, 1.0, "answers")
    found = Estimate("", "paid")
    found.lines += model_lines(product, alias, model, one) if model else []
    if not found.lines:
        return None
    if product != "Workers AI":
        _credits(found, spec, share, list(found.lines))
    _guards(found, spec, gateway, share, alias, one)
    return found.usd / DAYS


def _guards(
    found: Estimate, spec: StackSpec, key: str | None, share: Share, resource: str, traffic: ModelTraffic
) -> float:
    """A gateway's guardrails read each prompt and answer with a model of Workers AI, which is billed like any other."""
    gateway = spec.gateways.get(key or "")
    if gateway is None or gateway.guardrails is None:
        return 0.0
    guard = catalog.find_model(catalog.prices("ai_gateway")["guardrails"]["model"])
    read = traffic.input_tokens * bool(gateway.guardrails.prompt) + traffic.output_tokens * bool(
        gateway.guardrails.response
    )
    calls = traffic.model_copy(update={"input_tokens": read, "output_tokens": 0, "cached_input": 0})
    lines = model_lines("Workers AI", resource, guard, calls, share.part) if guard else []
    found.lines += lines
    return sum(line.usd for line in lines)


def _credits(found: Estimate, spec: StackSpec, share: Share, lines: list[Line]) -> None:
    """Cloudflare bills `provider/model` of `env.AI.run` itself, and takes a fee on the credits that pay it."""
    fee = catalog.prices("ai_gateway")["unified_billing_fee"]
    declared = spec.models[share.alias]
    resource = lines[0].resource if lines else ""
    usd = sum(line.usd for line in lines)
    gateway = spec.gateways.get(declared.gateway or "")
    if not declared.external and usd:
        found.lines.append(Line("AI Gateway", resource, "fee on credits", usd, 1, fee))
    elif gateway is not None and usd and declared.provider not in (*spec.providers, *gateway.keys):
        found.notes.append(f"{resource}: with Unified Billing instead of a key, {fee:.0%} come on top")


def _unpriced(found: Estimate, alias: str, name: str) -> None:
    found.unpriced.append(f"models.{alias}")
    fix = f"give it under `prices: {{ {name}: {{ input: …, output: … }} }}`"
    found.notes.append(f"models.{alias}: no price of {name} is known, so the total lacks it; {fix}")


def _name_cheaper(found: Estimate, alias: str, model: catalog.Model, traffic: ModelTraffic) -> None:
    cheaper = _cheaper(model, traffic)
    if cheaper is not None:
        found.notes.append(f"models.{alias}: {cheaper}")


def _take_neurons(found: Estimate, usd: float) -> None:
    """Workers AI's free ones, of an account."""
    rates = catalog.prices("workers_ai")
    price = rates["per_1000_neurons_usd"]
    used, free = usd / price * 1000, rates["free_neurons_per_day"] * DAYS
    if found.plan == "free" and used > free:
        found.notes.append(
            f"Workers AI: about {number(round(used))} neurons a month, the free plan serves {number(free)}"
        )
    if used:
        taken = -min(used, free if found.plan == "paid" else used)
        found.lines.append(Line("Workers AI", "account", "free neurons", taken, 1000, price))


def model_lines(
    product: str, resource: str, model: catalog.Model, traffic: ModelTraffic, part: float = 1.0
) -> list[Line]:
    """Of a month's calls, less those that the gateway's cache answers; `part` is the share that this model gets."""
    calls = traffic.requests * DAYS * (1 - traffic.cache_hits) * part
    lines = []
    for price in model.prices_for(traffic.input_tokens):
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
        "per M output image tokens": (traffic.output_tokens, 1e6),
        "per 1k characters": (traffic.characters, 1e3),
        "per audio minute": (traffic.audio_minutes, 1),
        "per inference request": (1, 1),
        "per request": (1, 1),
        "per image": (images, 1),
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
        return sum(line.usd for line in model_lines("", "", candidate, traffic))

    now = usd(model)
    best = min(catalog.builtin().alternatives(model), key=lambda other: (usd(other), other.name), default=None)
    if best is None or not now or usd(best) >= now:
        return None
    return f"{best.name} does the same task for {usd(best):,.2f} instead of {now:,.2f} USD"
