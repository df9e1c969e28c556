"""What each metric of Vectorize calls near, and the score it gives for it; all of it on a store of its own."""

from __future__ import annotations

import json
import math

import pytest

from inferstack.local.vectorize.state import Indexes

VECTORS = {
    "along": [2.0, 0.0],
    "longer": [6.0, 0.0],
    "across": [0.0, 3.0],
    "against": [-2.0, 0.0],
    "aslant": [3.0, 4.0],
}
QUERY = [3.0, 0.0]
# Best first, each with its score. Cloudflare's dot product is negative: the smaller, the nearer.
WANTED = {
    "cosine": {"along": 1.0, "longer": 1.0, "aslant": 0.6, "across": 0.0, "against": -1.0},
    "euclidean": {"along": 1.0, "longer": 3.0, "aslant": 4.0, "across": math.sqrt(18), "against": 5.0},
    "dot-product": {"longer": -18.0, "aslant": -9.0, "along": -6.0, "across": 0.0, "against": 6.0},
}


def filled(indexes: Indexes, metric: str) -> None:
    indexes.create({"name": metric, "config": {"dimensions": 2, "metric": metric}}, None)
    lines = [json.dumps({"id": name, "values": values}) for name, values in VECTORS.items()]
    indexes.write(metric, "\n".join(lines).encode(), replace=True)


@pytest.mark.parametrize("metric", WANTED)
def test_the_nearest_comes_first_with_its_score(indexes: Indexes, metric: str) -> None:
    filled(indexes, metric)
    found = indexes.query(metric, {"vector": QUERY, "topK": 5})
    scores = {match["id"]: match["score"] for match in found["matches"]}
    assert scores == pytest.approx(WANTED[metric], abs=1e-5)
    assert list(scores) == sorted(WANTED[metric], key=lambda name: list(WANTED[metric]).index(name))
    assert found["count"] == 5


@pytest.mark.parametrize("metric", WANTED)
def test_fewer_are_the_best_ones(indexes: Indexes, metric: str) -> None:
    filled(indexes, metric)
    found = indexes.query(metric, {"vector": QUERY, "topK": 2})
    assert [match["id"] for match in found["matches"]] == list(WANTED[metric])[:2]
