"""`make up` fetches real embeddings for a minute at most: without them it goes on, says why, and leaves nothing behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from inferstack.live.first_fetch import fetch_embeddings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they would be kept; `mvn` is whatever the test puts first on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv("INFERSTACK_MAVEN", raising=False)
    return tmp_path / "cache" / "inferstack" / "models"


def write_maven(folder: Path, body: str) -> None:
    program = folder / "mvn"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def test_without_a_network_it_is_said(monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    monkeypatch.setenv("INFERSTACK_OFFLINE", "1")
    assert "INFERSTACK_OFFLINE forbids to fetch it" in fetch_embeddings(60)
    assert not list(models.iterdir())


def test_a_repository_that_fails_is_said(tmp_path: Path, models: Path) -> None:
    write_maven(tmp_path, "echo '[ERROR] the mirror is closed'; exit 1")
    assert "`mvn` cannot fetch dev.langchain4j:" in fetch_embeddings(60)
    assert not list(models.iterdir())


def test_what_takes_longer_is_given_up_and_leaves_nothing(tmp_path: Path, models: Path) -> None:
    write_maven(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    began = time.monotonic()
    assert fetch_embeddings(3) == "that takes longer than 3 s"
    assert time.monotonic() - began < 20
    assert not list(models.iterdir())
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "sleep" not in Path(f"/proc/{pid}/cmdline").read_text()
