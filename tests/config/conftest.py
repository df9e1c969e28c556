"""A project with the small templates of the cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.cases import TEMPLATES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    for name, text in TEMPLATES.items():
        (tmp_path / "templates" / name).mkdir(parents=True)
        (tmp_path / "templates" / name / "template.yaml").write_text(text)
    return tmp_path
