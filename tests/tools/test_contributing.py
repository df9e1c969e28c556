"""What CONTRIBUTING.md and the pages say of this repository's files is there: paths, and the tests that hold a promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUOTED = re.compile(r"`([^`\n]+)`")
# What only this repository has; `stacks/`, `migrations/` and the like are the reader's own project, too.
OURS = ["inferstack", "tests", "docs", "tools", "worker_src", "examples", "policies", "bin", "bench"]
PATH = re.compile(rf"(?:{'|'.join(OURS)})/[\w./*-]*")
TEST = re.compile(r"((?:\w+/)*test_\w+\.py)?(?:::(test_\w+))?")


def paths(page: Path) -> list[str]:
    """Names in capitals, and `*`, stand for any."""
    quoted = [text for text in QUOTED.findall(page.read_text()) if PATH.fullmatch(text)]
    return [re.sub(r"\b[A-Z]{4,}\b", "*", text) for text in quoted]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_is_named_is_there(page: Path) -> None:
    gone = [path for path in paths(page) if not any(ROOT.glob(path.rstrip("/")))]
    assert gone == []


def test_the_walks_name_files_by_paths_that_are_looked_at() -> None:
    walks = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Add ")[1:]
    assert len(walks) == 6
    for walk in walks:
        assert len(walk.splitlines()) <= 20, walk.splitlines()[0]
        named = [text for text in QUOTED.findall(walk) if PATH.fullmatch(text)]
        assert len(named) >= 4, walk.splitlines()[0]
        assert any(path.startswith("tests/") for path in named), walk.splitlines()[0]


def test_every_test_that_holds_a_promise_is_there() -> None:
    file, found = "", 0
    for text in QUOTED.findall((ROOT / "docs" / "security.md").read_text()):
        match = TEST.fullmatch(text)
        if not match or not text:
            continue
        file, found = match[1] or file, found + 1
        code = (ROOT / "tests" / file).read_text()
        assert match[2] is None or f"\ndef {match[2]}(" in code, text
    assert found > 30
