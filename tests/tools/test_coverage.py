"""docs/coverage.md says what the routes say, and what works does not become less."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tools.coverage import TARGET, page

LEAST = 212  # operations that worked on 2026-11-26; raise it, never lower it


def test_the_page_is_as_new_as_the_routes() -> None:
    assert TARGET.read_text() == page(), "run: python tools/coverage.py"


def test_what_works_does_not_become_less() -> None:
    rows = re.findall(r"^\| [\w-]+ \| (\d+) \| (\d+) \|", (ROOT / "docs" / "coverage.md").read_text(), re.MULTILINE)
    assert sum(int(works) for _, works in rows) >= LEAST
