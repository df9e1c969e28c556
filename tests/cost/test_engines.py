"""Vectorize beside AI Search for one template: both prices by hand arithmetic, in one note."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from inferstack.config import load_stack
from inferstack.cost.estimate import estimate
from tests.conftest import ROOT

HEAD = {"environment": "test", "target": "local"}
WORKER = {"template": "search", "compatibility_date": "2026-06-01", "secrets": {"API_TOKEN": "env:PATH"}}
# 10,000 parts of 768 dimensions, 1,000 questions a day:
# Vectorize (30,000 + 10,000) × 768 × 0.01 / 1e6 + 10,000 × 768 × 0.05 / 1e8 = 0.3072 + 0.00384
# AI Search 30,000 × 0.75 / 1e3 + 10,000 × (768 × 4 + 1,000) / 1e9 × 2 = 22.5 + 0.08144
SAID = "retrieval is 0.31 USD a month on Vectorize, 22.58 on AI Search"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    return tmp_path


def notes(root: Path, **stack: object) -> list[str]:
    (root / "stacks" / "s.yaml").write_text(yaml.safe_dump({**HEAD, **stack}))
    return [note for note in estimate("s", load_stack("s", root)).notes if "retrieval" in note]


def over_vectorize(**expect: object) -> dict[str, object]:
    bindings = {"AI": {"ai": True}, "DOCS": {"index": "docs"}, "DB": {"database": "docs"}}
    return {
        "models": {"embed": {"model": "@cf/baai/bge-base-en-v1.5"}},
        "indexes": {"docs": {"model": "embed"}},
        "databases": {"docs": {"migrations": "migrations/search"}},
        "workers": {"find": {**WORKER, "models": {"embedding": "embed"}, "bindings": bindings}},
        "expect": expect,
    }


def test_an_index_is_priced_on_both(root: Path) -> None:
    [note] = notes(root, **over_vectorize(indexes={"docs": {"vectors": 10_000, "queries": 1_000}}))
    assert note.startswith("indexes.docs: ")
    assert SAID in note


def test_an_instance_is_priced_on_both(root: Path) -> None:
    """Its size tells how many parts it holds: 0.04072 GB are the same 10,000."""
    worker = {
        **WORKER,
        "bindings": {"AI": {"ai": True}, "SEARCH": {"search": "docs"}},
        "options": {"engine": "ai_search"},
    }
    [note] = notes(
        root,
        models={"embed": {"model": "@cf/baai/bge-base-en-v1.5"}},
        searches={"docs": {"embeddings": "embed"}},
        workers={"find": worker},
        expect={"searches": {"docs": {"semantic_queries": 1_000, "storage_gb": 0.04072}}},
    )
    assert note.startswith("searches.docs: ")
    assert SAID in note


def test_nothing_is_compared_without_traffic(root: Path) -> None:
    assert notes(root, **over_vectorize()) == []
