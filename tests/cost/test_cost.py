"""Estimates checked by hand: the arithmetic is written out, in US dollars for a month of 30 days."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from inferstack import catalog
from inferstack.config import load_stack
from inferstack.cost.cost_formats import FORMATS, show
from inferstack.cost.estimate import Estimate, estimate

HEAD = "environment: test\ntarget: local\n"
EMBED = "models: { m: { model: '@cf/baai/bge-base-en-v1.5' } }\nindexes: { i: { model: m } }\n"

# What stands in the stack, and what it comes to.
STACKS = {
    "embeddings only": (
        EMBED + "expect: { models: { m: { requests: 1000000, input_tokens: 100 } } }\n",
        # 1,000,000 calls × 30 days × 100 tokens = 3,000 M tokens × 0.0666; less 10,000 neurons × 30 at 0.011 for 1,000
        3000 * 0.0666 - 300 * 0.011,
    ),
    "chat, a quarter of it from the gateway's cache": (
        "models: { m: { model: '@cf/meta/llama-3.3-70b-instruct-fp8-fast' } }\n"
        "expect: { models: { m: { requests: 1000, input_tokens: 2000, output_tokens: 400, cache_hits: 0.25 } } }\n",
        # 1,000 × 30 × 0.75 = 22,500 calls: 45 M tokens in × 0.293 and 9 M out × 2.253; less the free neurons
        45 * 0.293 + 9 * 2.253 - 3.30,
    ),
    "vectors": (
        EMBED + "expect: { indexes: { i: { vectors: 1000000, queries: 10000 } } }\n",
        # (1,000,000 stored + 300,000 queried) × 768 = 998.4 M queried, 50 M of them included, 0.01 a million;
        # 768 M stored, 10 M of them included, 0.05 for 100 M
        (998.4 - 50) * 0.01 + (768 - 10) / 100 * 0.05,
    ),
    "storage": (
        "databases: { d: {} }\nbuckets: { b: {}, old: { storage_class: InfrequentAccess } }\nnamespaces: { n: {} }\n"
        "queues: { q: {} }\n"
        "expect:\n"
        "  databases: { d: { rows_read: 2000000000, rows_written: 3000000, storage_gb: 9 } }\n"
        "  buckets: { b: { writes: 100000, reads: 1000000, storage_gb: 110 }, old: { storage_gb: 50 } }\n"
        "  namespaces: { n: { reads: 1000000, writes: 100000, storage_gb: 3 } }\n"
        "  queues: { q: { messages: 100000, retries: 0.1 } }\n",
        # D1: 60,000 M rows read less 25,000 M at 0.001; 90 M written less 50 M at 1; 9 GB less 5 at 0.75
        35000 * 0.001 + 40 * 1.0 + 4 * 0.75
        # R2: 110 GB less 10 at 0.015; 3 M class A less 1 M at 4.5; 30 M class B less 10 M at 0.36; 50 GB infrequent at 0.01
        + 100 * 0.015 + 2 * 4.5 + 20 * 0.36 + 50 * 0.01
        # KV: 30 M reads less 10 M at 0.5; 3 M writes less 1 M at 5; 3 GB less 1 at 0.5
        + 20 * 0.5 + 2 * 5 + 2 * 0.5
        # Queues: 3 M messages × 3.1 operations = 9.3 M less 1 M at 0.4
        + 8.3 * 0.4,
    ),
    "R2 bills whole units": (
        "buckets: { b: {} }\nexpect: { buckets: { b: { storage_gb: 10.5, writes: 40000 } } }\n",
        # 10.5 GB are 11, 10 of them free: (11 - 10) × 0.015; 40,000 × 30 = 1.2 M class A are 2 M, 1 M free: (2 - 1) × 4.5
        4.515,
    ),
    "R2 rounds the account's sum, not each bucket": (
        "buckets: { a: {}, b: {} }\nexpect: { buckets: { a: { storage_gb: 5.3 }, b: { storage_gb: 5.3 } } }\n",
        (11 - 10) * 0.015,
    ),
    "R2 with infrequent access": (
        "buckets: { b: { storage_class: InfrequentAccess } }\n"
        "expect: { buckets: { b: { storage_gb: 1.1, writes: 10000, reads: 50000, retrieved_gb: 0.05 } } }\n",
        # nothing is free: 2 GB at 0.01; 0.3 M class A are 1 M at 9; 1.5 M class B are 2 M at 0.9; 1.5 GB read are 2 at 0.01
        2 * 0.01 + 1 * 9.0 + 2 * 0.9 + 2 * 0.01,
    ),
    "a Worker on the paid plan": (
        "workers: { w: { template: rag, compatibility_date: '2026-06-01', models: { chat: c, embedding: m },\n"
        "  secrets: { API_TOKEN: 'file:.inferstack/t' }, bindings: { AI: { ai: true }, DOCS: { index: i },\n"
        "  DB: { database: d }, SOURCES: { bucket: b }, CACHE: { namespace: n }, INGEST: { queue: q } } } }\n"
        "models: { m: { model: '@cf/baai/bge-base-en-v1.5' }, c: { model: '@cf/meta/llama-3.2-3b-instruct' } }\n"
        "indexes: { i: { model: m } }\ndatabases: { d: {} }\nbuckets: { b: {} }\nnamespaces: { n: {} }\n"
        "queues: { q: { consumer: { worker: w } } }\n"
        "expect: { workers: { w: { requests: 1000000, cpu_ms: 10 } } }\n",
        # 30 M requests less 10 M at 0.30; 300 M ms less 30 M at 0.02; the plan's 5
        20 * 0.30 + 270 * 0.02 + 5,
    ),
    "images": (
        "models: { m: { model: '@cf/black-forest-labs/flux-1-schnell' } }\n"
        "expect: { models: { m: { requests: 5000, images: 1, tiles: 4, steps: 4 } } }\n",
        # 150,000 images: 4 tiles at 0.0000528 and 4 steps at 0.0001056 each; less the free neurons
        150000 * (4 * 0.0000528 + 4 * 0.0001056) - 3.30,
    ),
}  # fmt: skip


def estimated(text: str, root: Path) -> Estimate:
    (root / "stacks").mkdir(exist_ok=True)
    (root / "stacks" / "s.yaml").write_text(HEAD + text)
    if not (root / "templates").exists():
        (root / "templates").symlink_to(Path(__file__).parents[2] / "templates")
    return estimate("s", load_stack("s", root))


@pytest.mark.parametrize("name", STACKS)
def test_an_estimate_by_hand(name: str, tmp_path: Path) -> None:
    text, by_hand = STACKS[name]
    assert estimated(text, tmp_path).usd == pytest.approx(by_hand, rel=1e-9)


def test_the_free_plan_costs_nothing_and_says_what_it_does_not_serve(tmp_path: Path) -> None:
    traffic = "expect: { plan: free, models: { m: { requests: 1000000, input_tokens: 100 } },"
    found = estimated(EMBED + traffic + " indexes: { i: { vectors: 1000, queries: 100000 } } }\n", tmp_path)
    assert found.usd == pytest.approx(0)
    assert any("the free plan serves 300,000" in note for note in found.notes)  # neurons
    assert any("queried dimensions a month, the free plan serves 30,000,000" in note for note in found.notes)


def test_reads_of_infrequent_access_without_their_size_are_told(tmp_path: Path) -> None:
    bucket = "buckets: { b: { storage_class: InfrequentAccess } }\n"
    [note] = estimated(bucket + "expect: { buckets: { b: { reads: 1000 } } }\n", tmp_path).notes
    assert note.startswith("buckets.b: infrequent access bills each GB read")
    assert not estimated(bucket + "expect: { buckets: { b: { reads: 1000, retrieved_gb: 1 } } }\n", tmp_path).notes


def test_a_cheaper_model_of_equal_length_is_named(tmp_path: Path) -> None:
    text = "models: { m: { model: '@cf/baai/bge-large-en-v1.5' } }\nindexes: { i: { model: m } }\n"
    found = estimated(text + "expect: { models: { m: { requests: 1000000, input_tokens: 100 } } }\n", tmp_path)
    [note] = found.notes
    assert "@cf/baai/bge-m3 does the same task" in note
    assert "for 35.40 instead of 612.00 USD" in note  # 3,000 × 0.0118 and 3,000 × 0.204


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_has_the_total(kind: str, tmp_path: Path) -> None:
    text, by_hand = STACKS["vectors"]
    shown = show([estimated(text, tmp_path)], kind)
    if kind == "json":
        assert json.loads(shown)["usd"] == pytest.approx(by_hand, abs=1e-6)
    elif kind == "csv":
        assert float(list(csv.reader(io.StringIO(shown)))[-1][-1]) == pytest.approx(by_hand, abs=0.005)
    else:
        assert f"{by_hand:,.2f}" in shown


def test_two_stacks_are_compared_by_resource(tmp_path: Path) -> None:
    one = estimated(STACKS["vectors"][0], tmp_path)
    other = estimated(STACKS["embeddings only"][0], tmp_path)
    rows = list(csv.reader(io.StringIO(show([one, other], "csv"))))
    assert rows[0] == ["USD a month", "s", "s", "difference"]
    assert rows[-1][0] == "total"
    assert float(rows[-1][3]) == pytest.approx(other.usd - one.usd, abs=0.005)


def test_every_price_and_dimension_of_the_catalogue_has_a_source() -> None:
    data = json.loads(Path(catalog.models.DATA).read_text())
    known = {source["id"] for source in data["about"]["sources"]}
    assert {"api_dump", "docs_pricing"} <= known
    for entry in data["models"]:
        if entry.get("output_dimensions") is not None:
            assert entry.get("output_dimensions_source"), entry["name"]
        if entry["price"]:
            assert entry["last_seen"] or entry.get("source_of_entry") or entry["status"] == "alias_or_unlisted", entry[
                "name"
            ]
        assert all(price["currency"] == "USD" and price["price"] >= 0 for price in entry["price"] or [])
    limits = json.loads(Path(catalog.platform.DATA).read_text())
    for product, prices in limits["pricing"].items():
        if isinstance(prices, dict):
            assert prices["source"] in limits["sources"], product
