"""A slice of `make fuzz`, so that it can't rot."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.run import fuzz


def test_odd_requests_are_refused_and_healthy_ones_right(tmp_path: Path) -> None:
    figures = fuzz(tmp_path, 20, 1)
    assert figures.good, figures.told()
