"""What many use at once: writes in bulk, uploads at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import says, upload


@pytest.fixture(scope="module")
def namespace(cloudflare: Api) -> str:
    return str(cloudflare.client.post("/storage/kv/namespaces", json={"title": "bulk"}).json()["result"]["id"])


def test_ten_thousand_keys_are_written_at_once(cloudflare: Api, namespace: str) -> None:
    items = [{"key": f"many-{n}", "value": "v"} for n in range(10_000)]
    began = time.monotonic()
    answer = cloudflare.client.put(f"/storage/kv/namespaces/{namespace}/bulk", json=items)
    assert answer.json()["result"]["successful_key_count"] == 10_000
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "bad",
    [
        {"key": "x" * 600, "value": "v"},
        {"key": "", "value": "v"},
        {"key": 5, "value": "v"},
        {"key": "b"},
        {"key": "b", "value": "v", "expiration_ttl": 5},
        {"key": "b", "value": "%", "base64": True},
        {"key": "b", "value": "v", "expiration": "soon"},
        "text",
    ],
    ids=repr,
)
def test_a_bulk_write_with_a_bad_item_writes_nothing(cloudflare: Api, namespace: str, bad: Any) -> None:
    items = [{"key": "first", "value": "v"}, bad]
    answer = cloudflare.client.put(f"/storage/kv/namespaces/{namespace}/bulk", json=items)
    assert 400 <= answer.status_code < 500
    assert cloudflare.client.get(f"/storage/kv/namespaces/{namespace}/values/first").status_code == 404


def test_versions_uploaded_at_once_have_numbers_of_their_own(cloudflare: Api) -> None:
    upload(cloudflare, "busy", says("0"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: upload(cloudflare, "busy", says(str(n))), range(1, 9)))
    assert sorted(answer.json()["result"]["number"] for answer in answers) == list(range(2, 10))
