"""Template `search`: what its engine needs, and fields that are declared where documents are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check

HEAD = """environment: test
target: local
models:
  e: { model: "@cf/baai/bge-base-en-v1.5" }
indexes: { i: { model: e, metadata: { topic: string } } }
databases: { d: {} }
searches: { s: { fields: { topic: text } } }
workers:
  w:
    template: search
    compatibility_date: "2026-06-01"
    secrets: { API_TOKEN: env:PATH }
"""
VECTORS = "    models: { embedding: e }\n    bindings: { AI: { ai: true }, DOCS: { index: i }, DB: { database: d } }\n"
MANAGED = "    bindings: { AI: { ai: true }, SEARCH: { search: s } }\n"


def codes(root: Path, worker: str) -> list[str]:
    (root / "stacks").mkdir()
    (root / "stacks" / "s.yaml").write_text(HEAD + worker)
    return [each["code"] for each in json.loads(check(["s"], root).show("json")) if each["severity"] == "error"]


@pytest.mark.parametrize(
    ("worker", "found"),
    [
        (VECTORS, []),
        (VECTORS + "    options: { facets: [topic] }\n", []),
        (VECTORS + "    options: { facets: [topik] }\n", ["IS031"]),
        (VECTORS + "    options: { facets: ['a b'] }\n", ["IS027", "IS031"]),
        (VECTORS + "    options: { facets: 5 }\n", ["IS023"]),
        (MANAGED + "    options: { engine: ai_search, facets: [topic] }\n", []),
        (MANAGED + "    options: { engine: ai_search, facets: [year] }\n", ["IS031"]),
        (MANAGED + "    options: { engine: ai }\n", ["IS024"]),
        (MANAGED, ["IS056", "IS057", "IS057"]),
        (VECTORS + "    options: { engine: ai_search }\n", ["IS057"]),
    ],
)
def test_an_engine_has_what_it_needs(tmp_path: Path, worker: str, found: list[str]) -> None:
    assert sorted(codes(tmp_path, worker)) == found
