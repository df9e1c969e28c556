"""AI Search after a kill: what was answered is there, what was under way is told, and large documents hold up nobody."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inferstack import local
from inferstack.local.ai_search.chunks import parts_of
from inferstack.local.ai_search.index import Index
from tests.conftest import Api, start_cloudflare
from tests.local.test_ai_search import BASE, best

DOCUMENT = b"".join(b"Line %d of the ledger says %d.\n\n" % (number, number * 7) for number in range(20_000))


def killed(api: Api) -> Api:
    os.kill(api.running.pid, signal.SIGKILL)
    api.client.close()
    return start_cloudflare(api.folder)


def test_items_and_namespaces_are_there_after_a_kill(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    try:
        api.client.post("/ai-search/namespaces", json={"name": "tenants"}).raise_for_status()
        api.client.post(BASE, json={"id": "moon", "score_threshold": 0.1}).raise_for_status()
        file = {"file": ("moon.md", b"The moon is made of rock.", "text/markdown")}
        item = api.client.post(f"{BASE}/moon/items", files=file).json()["result"]
        api = killed(api)
        assert best(api, "What is the moon made of?", "moon") == ["moon.md"]
        assert api.client.get(f"{BASE}/moon/items/{item['id']}/download").content == b"The moon is made of rock."
        assert api.client.get("/ai-search/namespaces/tenants").status_code == 200
        api.client.delete(f"{BASE}/moon").raise_for_status()
        assert not list((tmp_path / "ai_search").iterdir())
    finally:
        api.client.close()
        local.stop(tmp_path)


def test_a_job_that_was_cut_short_is_told(tmp_path: Path) -> None:
    first = Index(tmp_path, "a", 384, "porter")
    first.put_job({"id": "one", "source": "user", "ended_at": None, "end_reason": None})
    first.close()
    second = Index(tmp_path, "a", 384, "porter")
    [job] = second.jobs()
    second.close()
    assert job["ended_at"] is not None
    assert job["end_reason"].startswith("interrupted")


def test_others_are_answered_while_a_large_document_is_read(cloudflare: Api) -> None:
    client = cloudflare.client
    client.post(BASE, json={"id": "large"}).raise_for_status()
    with ThreadPoolExecutor(1) as pool:
        file = {"file": ("ledger.txt", DOCUMENT, "text/plain")}
        upload = pool.submit(client.post, f"{BASE}/large/items", files=file)
        answered = 0
        while not upload.done():
            client.get("/queues").raise_for_status()
            answered += 1
            time.sleep(0.01)
        assert upload.result().json()["result"]["status"] == "completed"
    assert answered > 20


@pytest.mark.parametrize(("size", "overlap"), [(64, 0), (64, 30), (512, 10)])
def test_parts_leave_nothing_out(size: int, overlap: int) -> None:
    text = DOCUMENT[:60_000].decode() + "日本語のとても長い文。" * 400 + "x" * 9_000
    parts, data, reached = list(parts_of(text, size, overlap)), text.encode(), 0
    for part in parts:
        assert data[part.start_byte : part.end_byte].decode().strip() == part.text
        assert not data[reached : part.start_byte].strip()
        reached = max(reached, part.end_byte)
    assert not data[reached:].strip()
