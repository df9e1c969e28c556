"""A snapshot stops and starts the local Cloudflare: how it answered before, it answers after, saved or loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from inferstack.engine import snapshots
from inferstack.local.daemon import use_recordings


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".inferstack" / "local"
    local.ensure(local.Settings(folder=folder, port=0, api_port=0, replay="fill"))
    yield folder
    local.stop(folder)


def asked(folder: Path, method: str, path: str, body: object = None) -> httpx.Response:
    running = local.find(folder)
    assert running is not None
    headers = {"authorization": f"Bearer {local.token_of(folder)}"}
    answer = httpx.request(method, f"http://127.0.0.1:{running.api_port}{path}", json=body, headers=headers, timeout=60)
    assert answer.is_success, answer.text
    return answer


def test_ports_recordings_and_things_are_as_before(folder: Path) -> None:
    before = local.find(folder)
    assert before is not None
    use_recordings(folder, before, "strict")
    databases = f"/client/v4/accounts/{local.ACCOUNT_ID}/d1/database"
    asked(folder, "POST", databases, {"name": "kept"})
    for change in (snapshots.save, snapshots.load):
        assert "one" in change(folder, "one")
        after = local.find(folder)
        assert after is not None and after.pid != before.pid
        assert (after.port, after.api_port, after.replay) == (before.port, before.api_port, "strict")
        assert asked(folder, "GET", "/__local/recordings").json()["result"]["mode"] == "strict"
        assert [each["name"] for each in asked(folder, "GET", databases).json()["result"]] == ["kept"]
        asked(folder, "POST", databases, {"name": "later"})  # gone again by the load
    assert "Traceback" not in (folder / "server.log").read_text()
