"""Each product with figures that exceed what a plan includes; the arithmetic stands beside it: USD, 30 days, paid plan."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from inferstack.config import StackSpec
from inferstack.cost.estimate import Estimate, estimate

BEFORE, AFTER = date(2026, 11, 30), date(2026, 12, 1)  # Workers Logs by events, then by gigabytes
WORKER = {"source": "w.js", "compatibility_date": "2026-06-01"}
OLDER = {**WORKER, "objects": {"ROOMS": {"class_name": "Room", "storage": "legacy-kv"}}}
OBJECTS = {**WORKER, "objects": {"ROOMS": {"class_name": "Room"}}}
FLOWS = {**WORKER, "workflows": {"RUN": {"class_name": "Run"}}}
POINTS = {**WORKER, "bindings": {"POINTS": {"analytics": "calls"}}}
PLAN = 5  # of Workers Paid, once a stack has a Worker
NEURONS = 3.30  # free: 10,000 a day × 30 × 0.011 for 1,000


def model(name: str, **traffic: float) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"models": {"m": {"model": name}}}, {"models": {"m": traffic}}


def worker(spec: dict[str, Any], **expect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"workers": {"w": spec}}, expect


# What the stack declares and expects of a day; what a month comes to.
TABLE: dict[str, tuple[tuple[dict[str, Any], dict[str, Any]], float]] = {
    "images: flux-1-schnell": (
        model("@cf/black-forest-labs/flux-1-schnell", requests=5000, images=1, tiles=4, steps=4),
        # 150,000 × (4 tiles × 0.0000528 + 4 steps × 0.0001056)
        150_000 * (4 * 0.0000528 + 4 * 0.0001056) - NEURONS,
    ),
    "audio minutes: whisper-large-v3-turbo": (
        model("@cf/openai/whisper-large-v3-turbo", requests=1000, audio_minutes=3),
        30_000 * 3 * 0.000513 - NEURONS,  # 90,000 minutes × 0.000513
    ),
    "speech: aura-1": (
        model("@cf/deepgram/aura-1", requests=1000, characters=400),
        30_000 * 400 / 1000 * 0.015 - NEURONS,  # 12,000 thousands × 0.015
    ),
    "rerank: bge-reranker-base": (
        model("@cf/baai/bge-reranker-base", requests=100_000, input_tokens=2000),
        6000 * 0.00311 - NEURONS,  # 3 M × 2,000 = 6,000 M tokens × 0.00311
    ),
    "decisions: clef": (
        model("@cf/cloudflare/clef", requests=10_000, input_tokens=1000),
        300 * 0.24 - NEURONS,  # 300,000 × 1,000 = 300 M tokens × 0.24; what it decides costs nothing
    ),
    "AI Search": (
        (
            {},
            {
                "searches": {
                    "docs": {
                        "ingested_tokens": 1_000_000, "image_tokens": 100_000, "storage_gb": 12,
                        "semantic_queries": 2000, "text_queries": 1000,
                    }
                }
            },
        ),
        # (30 + 3 - 5) M × 0.75, images 3 M × 0.50 more; 2 GB × 2; 59,000 semantic × 0.75 / 1,000; 29,000 by text × 0.10
        28 * 0.75 + 3 * 0.5 + 2 * 2.0 + 59 * 0.75 + 29 * 0.1,
    ),
    "Durable Objects with SQLite": (
        worker(OBJECTS, objects={"w": {
            "requests": 100_000, "messages": 400_000, "active_seconds": 200_000, "rows_read": 1e9, "rows_written": 2e6,
            "storage_gb": 8,
        }}),
        # 100,000 + 400,000 / 20 = 120,000 × 30 = 3.6 M less 1 M × 0.15; 6 M s × 0.128 = 768,000 GB-s less 400,000 × 12.5
        2.6 * 0.15 + 0.368 * 12.5
        # 30,000 M read less 25,000 M × 0.001; 60 M written less 50 M × 1; 8 GB less 5 × 0.20
        + 5000 * 0.001 + 10 * 1.0 + 3 * 0.2 + PLAN,
    ),
    "Durable Objects with the older storage": (
        worker(OLDER, objects={"w": {
            "requests": 0, "read_units": 200_000, "write_units": 100_000, "deletes": 50_000, "storage_gb": 3,
        }}),
        # 6 M read less 1 M × 0.20; 3 M written less 1 M × 1; 1.5 M deletes less 1 M × 1; 3 GB less 1 × 0.20
        5 * 0.2 + 2 * 1.0 + 0.5 * 1.0 + 2 * 0.2 + PLAN,
    ),
    "Workflows": (
        worker(FLOWS, workflows={"w": {"instances": 500_000, "cpu_ms": 10, "storage_gb": 3}}),
        # 15 M less 10 M × 0.30; 150 M ms less 30 M × 0.02; 3 GB less 1 × 0.20
        5 * 0.3 + 120 * 0.02 + 2 * 0.2 + PLAN,
    ),
    "static assets": (
        worker(WORKER, workers={"w": {"requests": 400_000, "asset_requests": 1_600_000}}),
        2 * 0.3 + PLAN,  # Cloudflare's own example: 48 M of 60 M are files and free; 12 M less 10 M × 0.30
    ),
    "logs that Logpush sends": (
        worker(WORKER, logs={"w": {"pushed": 500_000}}),
        5 * 0.05 + PLAN,  # 15 M less 10 M × 0.05
    ),
    "Workers for Platforms": (
        ({"dispatch_namespaces": {"customers": {}}}, {}),
        25,  # its own plan, whatever the customers' Workers do
    ),
    "Analytics Engine": (
        worker(POINTS, analytics={"calls": {"points": 1_000_000, "queries": 100_000}}),
        PLAN,  # announced, not billed
    ),
    "queues with large messages": (
        ({"queues": {"q": {}}}, {"queues": {"q": {"messages": 100_000, "message_kb": 65}}}),
        (100_000 * 30 * 3 * 2 / 1e6 - 1) * 0.4,  # 65 KB are two units: 18 M less 1 M × 0.40
    ),
    "R2, standard": (
        ({"buckets": {"b": {}}}, {"buckets": {"b": {"storage_gb": 1000, "writes": 1000 / 30, "reads": 1e6 / 30}}}),
        990 * 0.015,  # Cloudflare's own example: 14.85
    ),
    "R2, infrequent access": (
        (
            {"buckets": {"b": {"storage_class": "InfrequentAccess"}}},
            {"buckets": {"b": {"storage_gb": 1000, "writes": 1000 / 30, "reads": 1e6 / 30, "retrieved_gb": 1000 / 30}}},
        ),
        1000 * 0.01 + 1 * 9.0 + 1 * 0.9 + 1000 * 0.01,  # Cloudflare's own example: 29.90; 1,000 writes are a million
    ),
    "R2, one more than a unit": (
        ({"buckets": {"b": {}}}, {"buckets": {"b": {"writes": 1_000_001 / 30, "storage_gb": 11.1}}}),
        1 * 4.5 + 2 * 0.015,  # a million and one writes are two million, one of them free; 11.1 GB are 12 less 10
    ),
}  # fmt: skip


def estimated(declared: dict[str, Any], expect: dict[str, Any], day: date = BEFORE) -> Estimate:
    return estimate("s", StackSpec.model_validate({"environment": "t", **declared, "expect": expect}), day)


@pytest.mark.parametrize("name", TABLE)
def test_a_product_by_hand(name: str) -> None:
    case, usd = TABLE[name]
    found = estimated(*case)
    assert found.usd == pytest.approx(usd, rel=1e-9)
    assert not found.unpriced


LOGGING = worker(WORKER, logs={"w": {"events": 2_000_000, "gb": 2.5}})


@pytest.mark.parametrize(
    ("day", "usd"),
    [
        (BEFORE, 40 * 0.6),  # 60 M events less 20 M × 0.60
        (AFTER, 25 * 0.25 + 5.5 * 0.1),  # 75 GB less 50 × 0.25; 2.5 GB × 7 days kept = 17.5 GB-months less 12 × 0.10
    ],
    ids=["by events", "by gigabytes"],
)
def test_logs_cost_by_the_list_of_the_day(day: date, usd: float) -> None:
    assert estimated(*LOGGING, day).usd == pytest.approx(usd + PLAN)


@pytest.mark.parametrize(("day", "given", "asked"), [(BEFORE, "gb", "events"), (AFTER, "events", "gb")])
def test_logs_in_the_other_list_s_figures_have_no_price(day: date, given: str, asked: str) -> None:
    found = estimated(*worker(WORKER, logs={"w": {given: 1}}), day)
    assert found.unpriced == ["workers.w"]
    assert f"give `{asked}`" in found.notes[0]


def test_logs_that_nobody_counted_are_told() -> None:
    kept = {**WORKER, "observability": True}
    told = estimated(*worker(kept, workers={"w": {"requests": 1000}})).notes
    assert told == ["workers.w: it keeps logs, and how many is not said; give `expect.logs`"]
    assert not estimated(*worker(kept, workers={"w": {"requests": 1000}}, logs={"w": {"events": 1}})).notes


def test_what_is_announced_and_not_billed_stands_beside_the_sum() -> None:
    case, _ = TABLE["Analytics Engine"]
    # 30 M points less 10 M × 0.25; 3 M queries less 1 M × 1
    assert estimated(*case).notes == ["Analytics Engine is not billed yet; by the announced prices this is 7.00 USD"]


def test_guardrails_read_with_a_model_that_is_billed() -> None:
    guards = {"prompt": {"S1": "BLOCK"}, "response": {"S2": "BLOCK"}}
    declared = {
        "models": {"m": {"model": "@cf/meta/llama-3.2-3b-instruct", "gateway": "g"}},
        "gateways": {"g": {"guardrails": guards}},
    }
    traffic = {"requests": 10_000, "input_tokens": 1000, "output_tokens": 100}
    # 300 M in × 0.0509 and 30 M out × 0.335; llama-guard reads 330 M × 0.484
    plain = 300 * 0.0509 + 30 * 0.335
    assert estimated(declared, {"models": {"m": traffic}}).usd == pytest.approx(plain + 330 * 0.484 - NEURONS)
    only = {**declared, "gateways": {"g": {"guardrails": {"prompt": guards["prompt"]}}}}
    assert estimated(only, {"models": {"m": traffic}}).usd == pytest.approx(plain + 300 * 0.484 - NEURONS)
    assert estimated({**declared, "gateways": {"g": {}}}, {"models": {"m": traffic}}).usd == pytest.approx(
        plain - NEURONS
    )


def test_without_a_key_the_fee_on_credits_is_named() -> None:
    outside = {"provider": "openai", "model": "gpt-4o-mini", "gateway": "g"}
    traffic = {"models": {"m": {"requests": 1000, "input_tokens": 100}}}
    keyless = estimated({"models": {"m": outside}, "gateways": {"g": {}}}, traffic)
    assert keyless.notes == ["models.m: with Unified Billing instead of a key, 5% come on top"]
    keyed = {"g": {"keys": {"openai": {"secret": "env:KEY"}}}}
    assert not estimated({"models": {"m": outside}, "gateways": keyed}, traffic).notes
