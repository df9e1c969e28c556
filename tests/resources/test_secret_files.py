"""`file:path#NAME`: one line of a file such as `.dev.vars`, as dotenv reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.config import check_stack
from inferstack.resources.secret_sources import SecretMissing, read_secret

LINES = """# a comment
PLAIN=one two   # of this line
export QUOTED="a # b\\nc"
SINGLE='a\\nb'
LONG="-----BEGIN
KEY=not a name
-----END"
EMPTY=
AFTER: yes
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAIN", "one two"),
        ("QUOTED", "a # b\nc"),
        ("SINGLE", "a\\nb"),
        ("LONG", "-----BEGIN\nKEY=not a name\n-----END"),
        ("AFTER", "yes"),
    ],
)
def test_a_value_is_taken_from_its_line(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / ".dev.vars").write_text(LINES)
    assert read_secret(f"file:.dev.vars#{name}", tmp_path) == value


@pytest.mark.parametrize("name", ["EMPTY", "KEY", "NONE"])
def test_a_name_without_a_value_is_told_before_and_at_the_deployment(tmp_path: Path, name: str) -> None:
    (tmp_path / ".dev.vars").write_text(LINES)
    (tmp_path / "w.js").write_text("export default {};\n")
    (tmp_path / "stacks").mkdir()
    stack = "environment: dev\ntarget: local\nworkers:\n  w:\n    source: w.js\n    compatibility_date: '2026-06-01'\n"
    (tmp_path / "stacks" / "dev.yaml").write_text(f"{stack}    secrets: {{ A: 'file:.dev.vars#{name}' }}\n")
    with pytest.raises(SecretMissing, match=f"the file `.dev.vars` has no value for `{name}`"):
        read_secret(f"file:.dev.vars#{name}", tmp_path)
    [finding] = check_stack("dev", tmp_path).findings
    assert (finding.code, finding.message) == ("IS075", f"the file `.dev.vars` has no value for `{name}`")


def test_a_file_of_that_very_name_is_itself(tmp_path: Path) -> None:
    (tmp_path / "key#1").write_text("whole\n")
    assert read_secret("file:key#1", tmp_path) == "whole"
