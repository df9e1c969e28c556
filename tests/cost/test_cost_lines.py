"""Each line of an estimate for itself: how many, of what, at which price; what a plan includes; what is told beside it."""

from __future__ import annotations

from typing import Any

import pytest

from inferstack.config import StackSpec
from inferstack.cost.estimate import DAYS, Estimate, Line, estimate, monthly

MODELS = {
    "bge": "@cf/baai/bge-base-en-v1.5",
    "chat": "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    "cached": "@cf/deepseek-ai/deepseek-v4-flash-0731",
    "speak": "@cf/deepgram/aura-1",
    "hear": "@cf/openai/whisper",
    "see": "@cf/microsoft/resnet-50",
    "draw": "@cf/black-forest-labs/flux-1-schnell",
    "phoenix": "@cf/leonardo/phoenix-1.0",
    "dev": "@cf/black-forest-labs/flux-2-dev",
    "klein": "@cf/black-forest-labs/flux-2-klein-4b",
    "mega": "@cf/black-forest-labs/flux-2-klein-9b",
}


def estimated(expect: dict[str, Any], **more: Any) -> Estimate:
    models = {alias: {"model": name} for alias, name in MODELS.items()}
    data = {"environment": "test", "target": "local", "models": models, "expect": expect, **more}
    return estimate("s", StackSpec.model_validate(data))


def used(found: Estimate) -> list[tuple[str, str, float, float, float]]:
    """The lines before allowances: resource, item, quantity, for how many the price is, price."""
    lines = [line for line in found.lines if line.quantity > 0]
    return [(line.resource, line.item, pytest.approx(line.quantity), line.per, line.price) for line in lines]


def included(found: Estimate) -> dict[str, float]:
    return {line.item: -line.quantity for line in found.lines if line.quantity < 0}


# Traffic of one call, and the lines of 1,000 calls a day (30,000 a month): item, quantity, per, price.
CALLS: dict[str, tuple[str, dict[str, float], list[tuple[str, float, float, float]]]] = {
    "tokens in": ("bge", {"input_tokens": 100}, [("input tokens", 3e6, 1e6, 0.0666)]),
    "tokens in and out": (
        "chat",
        {"input_tokens": 10, "output_tokens": 5},
        [("input tokens", 3e5, 1e6, 0.293), ("output tokens", 1.5e5, 1e6, 2.253)],
    ),
    "only tokens out": ("chat", {"output_tokens": 5}, [("output tokens", 1.5e5, 1e6, 2.253)]),
    "a quarter of the tokens kept by the model": (
        "cached",
        {"input_tokens": 100, "cached_input": 0.25},
        [("input tokens", 2.25e6, 1e6, 0.44), ("cached input tokens", 7.5e5, 1e6, 0.014)],
    ),
    "four of five calls kept by the gateway": (
        "bge",
        {"input_tokens": 100, "cache_hits": 0.8},
        [("input tokens", 6e5, 1e6, 0.0666)],
    ),
    "all calls kept by the gateway": ("bge", {"input_tokens": 100, "cache_hits": 1}, []),
    "characters": ("speak", {"characters": 200}, [("characters", 6e6, 1e3, 0.015)]),
    "minutes": ("hear", {"audio_minutes": 2}, [("audio minute", 60000, 1, 0.000453)]),
    "requests": ("see", {}, [("inference request", 30000, 1, 2.51e-06)]),
    "tiles and steps": (
        "draw",
        {"images": 2, "tiles": 4, "steps": 5},
        [("512x512 tile", 240000, 1, 5.28e-05), ("step", 300000, 1, 0.0001056)],
    ),
    "tiles by another name": (
        "phoenix",
        {"images": 2, "tiles": 3},
        [("512 by 512 tile", 180000, 1, 0.00583)],
    ),
    "tiles in and out, each step": (
        "dev",
        {"images": 2, "tiles": 4, "input_tiles": 3, "steps": 5},
        [
            ("input 512x512 tile, per step", 900000, 1, 0.00021),
            ("output 512x512 tile, per step", 1200000, 1, 0.00041),
        ],
    ),
    "tiles in and out": (
        "klein",
        {"images": 2, "tiles": 4, "input_tiles": 3},
        [("input 512x512 tile", 180000, 1, 5.9e-05), ("output 512x512 tile", 240000, 1, 0.000287)],
    ),
    "megapixels": (
        "mega",
        {"images": 2, "tiles": 12, "input_tiles": 8},
        [("first MP (1024x1024)", 60000, 1, 0.015), ("subsequent MP", 120000, 1, 0.002), ("input image MP", 120000, 1, 0.002)],
    ),
    "less than a megapixel": ("mega", {"images": 1, "tiles": 1}, [("first MP (1024x1024)", 30000, 1, 0.015)]),
}  # fmt: skip


@pytest.mark.parametrize(("alias", "traffic", "lines"), CALLS.values(), ids=CALLS)
def test_calls_of_a_model(alias: str, traffic: dict[str, float], lines: list[tuple[str, float, float, float]]) -> None:
    found = estimated({"models": {alias: {"requests": 1000, **traffic}}})
    assert used(found) == [(f"models.{alias}", f"{MODELS[alias]} {item}", *rest) for item, *rest in lines]
    assert {line.product for line in found.lines} <= {"Workers AI"}


def test_the_free_neurons_are_taken_off_once_and_not_beyond_the_bill() -> None:
    """10,000 neurons a day, 0.011 USD for 1,000: 3.30 a month."""
    small = estimated({"models": {"bge": {"requests": 100, "input_tokens": 100}}})
    assert small.usd == pytest.approx(0)
    assert included(small) == {"free neurons": pytest.approx(300_000 * 0.0666 / 1e6 / 0.011 * 1000)}
    large = estimated({"models": {a: {"requests": 100_000, "input_tokens": 1000} for a in ("bge", "chat")}})
    assert included(large) == {"free neurons": 300_000}
    assert large.usd == pytest.approx(3000 * (0.0666 + 0.293) - 3.30)
    [line] = [line for line in large.lines if line.quantity < 0]
    assert (line.product, line.resource, line.per, line.price) == ("Workers AI", "account", 1000, 0.011)


def test_the_free_plan_says_how_many_neurons_it_lacks() -> None:
    found = estimated({"plan": "free", "models": {"bge": {"requests": 100_000, "input_tokens": 1000}}})
    assert found.usd == pytest.approx(0)
    assert "Workers AI: about 18,163,636 neurons a month, the free plan serves 300,000" in found.notes
    enough = estimated({"plan": "free", "models": {"bge": {"requests": 100, "input_tokens": 100}}})
    assert (enough.notes, enough.usd) == ([], pytest.approx(0))


OWN = {"@me/m": {"task": "Text Generation", "prices": {"per M input tokens": 2.0}}, "@me/free": {"task": "Translation"}}


def test_models_without_a_price_are_told() -> None:
    models = {
        "outside": {"model": "gpt-unheard-of", "provider": "openai", "gateway": "g"},
        "free": {"model": "@me/free"},
        "own": {"model": "@me/m"},
        "known": {"model": "@me/m", "provider": "openai", "gateway": "g"},
    }
    traffic = {alias: {"requests": 1000, "input_tokens": 100} for alias in models}
    data = {"environment": "t", "target": "local", "catalog": OWN, "models": models, "expect": {"models": traffic}}
    found = estimate("s", StackSpec.model_validate(data))
    told = "models.{}: no price of {} is known, so the total lacks it; give it under `prices: {{ {}: {{ input: …, output: … }} }}`"  # noqa: E501
    outside = "openai/gpt-unheard-of"
    lacking = [note for note in found.notes if "no price" in note]
    assert lacking == [told.format("outside", outside, outside), told.format("free", "@me/free", "@me/free")]
    assert found.unpriced == ["models.outside", "models.free"]
    assert [(line.product, line.resource) for line in found.lines if line.quantity > 0] == [
        ("Workers AI", "models.own"),
        ("openai", "models.known"),
    ]
    # The free neurons are for models of Workers AI: 3 M tokens at 2 USD are 6, less 3.30; the other's 6 are due in full.
    assert found.usd == pytest.approx(6 - 3.30 + 6)


def test_a_dearer_model_than_needed_is_told_and_only_that() -> None:
    traffic = {"requests": 1_000_000, "input_tokens": 100}
    models = {"large": {"model": "@cf/baai/bge-large-en-v1.5"}, "cheap": {"model": "@cf/baai/bge-m3"}}
    found = estimated({"models": {"large": traffic, "cheap": traffic}}, models=models)
    assert found.notes == ["models.large: @cf/baai/bge-m3 does the same task for 35.40 instead of 612.00 USD"]
    idle = estimated({"models": {"large": {"requests": 0, "input_tokens": 100}}}, models=models)
    assert (idle.notes, idle.lines) == ([], [])


WORKER = {"source": "w.js", "compatibility_date": "2026-06-01"}
DECLARED: dict[str, Any] = {
    "workers": {"w": WORKER},
    "indexes": {"i": {"dimensions": 100}},
    "databases": {"d": {}},
    "buckets": {"b": {}},
    "namespaces": {"n": {}},
    "queues": {"q": {}},
}
# Section, traffic of a day, then lines (item, quantity a month, per, price), then what the paid plan includes.
PRODUCTS: dict[str, tuple[str, str, dict[str, float], list[tuple[str, float, float, float]], dict[str, float]]] = {
    "Workers": (
        "workers",
        "w",
        {"requests": 1_000_000, "cpu_ms": 10},
        [("requests", 3e7, 1e6, 0.3), ("CPU milliseconds", 3e8, 1e6, 0.02), ("Workers Paid plan", 1, 1, 5)],
        {"requests": 1e7, "CPU milliseconds": 3e7},
    ),
    "Vectorize": (
        "indexes",
        "i",
        {"vectors": 1_000_000, "queries": 50_000},
        [("queried dimensions", 2.5e8, 1e6, 0.01), ("stored dimensions", 1e8, 1e8, 0.05)],
        {"queried dimensions": 5e7, "stored dimensions": 1e7},
    ),
    "D1": (
        "databases",
        "d",
        {"rows_read": 1e9, "rows_written": 2e6, "storage_gb": 7},
        [("rows read", 3e10, 1e6, 0.001), ("rows written", 6e7, 1e6, 1.0), ("GB stored", 7, 1, 0.75)],
        {"rows read": 2.5e10, "rows written": 5e7, "GB stored": 5},
    ),
    "R2": (
        "buckets",
        "b",
        {"writes": 100_000, "reads": 1_000_000, "storage_gb": 12},
        [("GB stored", 12, 1, 0.015), ("class A operations", 3e6, 1e6, 4.5), ("class B operations", 3e7, 1e6, 0.36)],
        {"GB stored": 10, "class A operations": 1e6, "class B operations": 1e7},
    ),
    "KV": (
        "namespaces",
        "n",
        {"reads": 1e6, "writes": 1e5, "deletes": 2e5, "lists": 3e5, "storage_gb": 3},
        [
            ("reads", 3e7, 1e6, 0.5),
            ("writes", 3e6, 1e6, 5.0),
            ("deletes", 6e6, 1e6, 5.0),
            ("lists", 9e6, 1e6, 5.0),
            ("GB stored", 3, 1, 0.5),
        ],
        {"reads": 1e7, "writes": 1e6, "deletes": 1e6, "lists": 1e6, "GB stored": 1},
    ),
    "Queues": (
        "queues",
        "q",
        {"messages": 100_000, "retries": 0.5},
        [("operations", 1.05e7, 1e6, 0.4)],  # written, read, deleted; half of them read once more
        {"operations": 1e6},
    ),
}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product(product: str) -> None:
    section, key, traffic, lines, allowed = PRODUCTS[product]
    found = estimated({section: {key: traffic}}, **{section: DECLARED[section]})
    names = ["account" if item == "Workers Paid plan" else f"{section}.{key}" for item, *_ in lines]
    assert used(found) == [(name, *line) for name, line in zip(names, lines, strict=True)]
    assert included(found) == allowed
    assert {line.product for line in found.lines} == {product}
    assert {line.resource for line in found.lines if line.quantity < 0} == {"account"}
    total = sum(quantity / per * price for _, quantity, per, price in lines)
    prices = {item: price / per for item, _, per, price in lines}
    assert found.usd == pytest.approx(total - sum(number * prices[item] for item, number in allowed.items()))


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_is_not_used_has_no_line(product: str) -> None:
    section, key, traffic, _, _ = PRODUCTS[product]
    first = next(iter(traffic))
    nothing = estimated({section: {key: {first: 0}}}, **{section: DECLARED[section]})
    assert [line.item for line in nothing.lines if line.usd] == (["Workers Paid plan"] if product == "Workers" else [])
    assert included(nothing) == {}
    assert {line.item for line in nothing.lines if line.resource == "account"} <= {"Workers Paid plan"}


def test_an_allowance_is_for_the_account_and_no_more_than_is_used() -> None:
    queues = {name: {"messages": 10_000} for name in ("a", "b")}
    found = estimated({"queues": queues}, queues={"a": {}, "b": {}})
    assert [line.quantity for line in found.lines] == [900_000, 900_000, -1_000_000]
    little = estimated({"queues": {"a": {"messages": 100}}}, queues={"a": {}})
    assert [line.quantity for line in little.lines] == [9_000, -9_000]
    assert little.usd == pytest.approx(0)


def test_infrequent_access_has_prices_of_its_own_and_no_allowance() -> None:
    traffic = {"writes": 100_000, "reads": 1_000_000, "storage_gb": 12}
    found = estimated({"buckets": {"b": traffic}}, buckets={"b": {"storage_class": "InfrequentAccess"}})
    marked = [(line.item, line.price) for line in found.lines if "(infrequent access)" in line.item]
    assert marked == [
        ("GB stored (infrequent access)", 0.01),
        ("class A operations (infrequent access)", 9.0),
        ("class B operations (infrequent access)", 0.9),
    ]
    assert included(found) == {}


FREE = {  # more than the free plan serves in a month, and how many that are
    "workers": ({"requests": 100_001}, "Workers: 3,000,030 requests", "3,000,000"),
    "indexes": ({"vectors": 50_001}, "Vectorize: 5,000,100 stored dimensions", "5,000,000"),
    "databases": ({"rows_written": 100_001}, "D1: 3,000,030 rows written", "3,000,000"),
    "namespaces": ({"writes": 1001}, "KV: 30,030 writes", "30,000"),
    "queues": ({"messages": 3334}, "Queues: 300,060 operations", "300,000"),
}


@pytest.mark.parametrize("section", FREE)
def test_the_free_plan_costs_nothing_and_tells_its_end(section: str) -> None:
    traffic, over, served = FREE[section]
    key = next(iter(DECLARED[section]))
    found = estimated({"plan": "free", section: {key: traffic}}, **{section: DECLARED[section]})
    assert found.usd == pytest.approx(0)
    note = f"{over} a month, the free plan serves {served}; beyond that requests fail: set `expect.plan: paid`"
    assert note in found.notes


WITHIN = {
    "workers": {"requests": 100_000, "cpu_ms": 1000},
    "indexes": {"vectors": 50_000, "queries": 8_333},
    "databases": {"rows_read": 5_000_000, "rows_written": 100_000, "storage_gb": 5},
    "buckets": {"storage_gb": 10},
    "namespaces": {"reads": 100_000, "writes": 1000, "deletes": 1000, "lists": 1000, "storage_gb": 1},
    "queues": {"messages": 3333},
}


@pytest.mark.parametrize("section", WITHIN)
def test_up_to_its_end_the_free_plan_says_nothing(section: str) -> None:
    key = next(iter(DECLARED[section]))
    found = estimated({"plan": "free", section: {key: WITHIN[section]}}, **{section: DECLARED[section]})
    assert (found.notes, found.usd) == ([], pytest.approx(0))
    assert "Workers Paid plan" not in [line.item for line in found.lines]


def test_an_index_of_unknown_length_is_told() -> None:
    models = {"m": {"model": "@me/e"}}
    catalog = {"@me/e": {"task": "Text Embeddings"}}
    expect = {"indexes": {"i": {"vectors": 5}, "j": {"vectors": 5}}}
    indexes = {"i": {"model": "m"}, "j": {"dimensions": 3}}
    found = estimated(expect, models=models, catalog=catalog, indexes=indexes)
    assert found.notes == ["indexes.i: the dimensions are not known"]
    assert {line.resource for line in found.lines if line.quantity > 0} == {"indexes.j"}


BASES = {
    "1,500,000 / 1,000,000 × 0.3 USD": Line("p", "r", "i", 1_500_000, 1e6, 0.3),
    "7 × 0.75 USD": Line("p", "r", "i", 7, 1, 0.75),
    "2.50 × 5 USD": Line("p", "r", "i", 2.5, 1, 5),
    "-1,234.57 / 1,000 × 0.011 USD": Line("p", "r", "i", -1234.567, 1000, 0.011),
}


@pytest.mark.parametrize(("text", "line"), BASES.items(), ids=BASES)
def test_what_a_line_is_computed_from(text: str, line: Line) -> None:
    assert line.basis == text


def test_a_line_is_quantity_by_price() -> None:
    assert Line("p", "r", "i", 3e6, 1e6, 0.5).usd == pytest.approx(1.5)
    assert Line("p", "r", "i", -1e6, 1e6, 0.5).usd == pytest.approx(-0.5)


def test_sums_are_by_resource() -> None:
    lines = [Line("p", "a", "x", 2, 1, 1), Line("p", "b", "x", 3, 1, 1), Line("q", "a", "y", 4, 1, 1)]
    found = Estimate("s", "paid", lines)
    assert found.resources() == {"a": 6, "b": 3}
    assert found.usd == 9
    assert DAYS == 30


def test_a_month_by_resource_to_the_cent() -> None:
    data = {"environment": "t", "target": "local", "queues": {"q": {}, "r": {}}}
    expect = {"queues": {"q": {"messages": 100_100}, "r": {"messages": 100_000}}}
    found = monthly("s", StackSpec.model_validate({**data, "expect": expect}))
    assert found == {"queues.q": 3.6, "queues.r": 3.6, "account": -0.4, "total": 6.8}
    assert monthly("s", StackSpec.model_validate(data)) == {}


def test_durable_objects_are_priced_by_requests_time_and_rows() -> None:
    worker = {"source": "w.js", "compatibility_date": "2026-06-01", "objects": {"ROOMS": {"class_name": "Room"}}}
    traffic = {"requests": 100_000, "messages": 200_000, "active_seconds": 1_000_000, "rows_written": 3_000_000}
    expect = {"objects": {"w": {**traffic, "rows_read": 1_000_000_000, "storage_gb": 7}}}
    found = estimated(expect, workers={"w": worker})
    # 100,000 + 200,000 / 20 requests a day; a second of an object is 0.128 GB-s
    assert used(found)[:-1] == [
        ("workers.w", "requests", 3_300_000, 1e6, 0.15),
        ("workers.w", "GB-seconds", 3_840_000, 1e6, 12.5),
        ("workers.w", "rows read", 30e9, 1e6, 0.001),
        ("workers.w", "rows written", 90e6, 1e6, 1.0),
        ("workers.w", "GB stored", 7, 1, 0.2),
    ]
    assert included(found) == {
        "requests": 1e6,
        "GB-seconds": 400_000,
        "rows read": 25e9,
        "rows written": 50e6,
        "GB stored": 5,
    }
    # 2.3 M × 0.15 + 3.44 M × 12.5 + 5,000 M × 0.001 + 40 M × 1 + 2 × 0.2, and the plan
    assert found.usd == pytest.approx(0.345 + 43 + 5 + 40 + 0.4 + 5)
    assert "the free plan serves" in estimated({"plan": "free", **expect}, workers={"w": worker}).notes[0]


def test_workflows_are_priced_as_workers_and_by_what_they_hold() -> None:
    flows = {"RUN": {"class_name": "Ingest"}}
    worker = {"source": "w.js", "compatibility_date": "2026-06-01", "workflows": flows}
    expect = {
        "workers": {"w": {"requests": 300_000}},
        "workflows": {"w": {"instances": 200_000, "cpu_ms": 20, "storage_gb": 4}},
    }
    found = estimated(expect, workers={"w": worker})
    assert used(found)[:-1] == [
        ("workers.w", "requests", 9_000_000, 1e6, 0.3),
        ("workers.w", "requests", 6_000_000, 1e6, 0.3),
        ("workers.w", "CPU milliseconds", 120e6, 1e6, 0.02),
        ("workers.w", "GB stored", 4, 1, 0.2),
    ]
    # The requests share what the plan includes: (15 - 10) M × 0.3 + (120 - 30) M × 0.02 + (4 - 1) × 0.2, and the plan
    assert found.usd == pytest.approx(1.5 + 1.8 + 0.6 + 5)


def test_objects_of_the_older_kind_are_said_to_be_priced_otherwise() -> None:
    objects = {"ROOMS": {"class_name": "Room", "storage": "legacy-kv"}}
    worker = {"source": "w.js", "compatibility_date": "2026-06-01", "objects": objects}
    found = estimated({"objects": {"w": {"requests": 1}}}, workers={"w": worker})
    assert found.notes == [
        "objects.w: the older storage is billed by units of 4 KB; give `read_units`, `write_units` and `deletes`"
    ]
