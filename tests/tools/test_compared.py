"""The comparison is complete, says of each thing what proves it, and is what the data says."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import compared

ROWS = compared.rows(ROOT)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["row"]))
def test_each_row_has_a_proof_that_is_there(row: dict[str, str]) -> None:
    assert compared.missing(ROOT, row["proof"]) is None
    assert row["us"] in ("Y", "P", "N")
    assert all(row[name][0] in "YPN?" for name in compared.OTHERS)
    assert row["us"] != "Y" or row["proof"].startswith("tests/") or "#" in row["proof"]


def test_no_row_is_left_out() -> None:
    assert [row["row"] for row in ROWS] == list(range(1, 106))


def test_the_page_is_what_the_data_says() -> None:
    assert (ROOT / compared.TARGET).read_text() == compared.page(ROOT), "run: python tools/compared.py"


@pytest.mark.parametrize("proof", ["tests/nowhere.py", "tests/conftest.py::test_none", "docs/config.md#nowhere"])
def test_a_proof_that_is_not_there_is_seen(proof: str) -> None:
    assert compared.missing(ROOT, proof)
