"""A stack whose text comes from a GGUF file: what `check`, `up` and `doctor` say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from inferstack.toolchain import LLAMA, weights_are_here
from tests.e2e.conftest import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_project(tmp_path)
    made.edit("stacks/dev.yaml", "local:\n", "local:\n  text: models/small.gguf\n")
    yield made
    local.stop(tmp_path / ".inferstack" / "local")


def test_a_file_that_is_not_there_is_a_finding_and_one_that_is_none_an_error(project: Project, tmp_path: Path) -> None:
    assert "error[IS161]: there is no file `models/small.gguf` here" in project.run("check", "dev", code=2)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.gguf").write_bytes(b"PK\x03\x04")
    refused = project.run("up", "dev", code=1)
    assert "small.gguf is no GGUF file" in refused
    assert "Traceback" not in refused
    assert "small.gguf is no GGUF file" in project.run("doctor", code=None)


@pytest.mark.skipif(not weights_are_here(LLAMA), reason="inferstack local models install text")
def test_up_and_doctor_say_who_speaks(project: Project, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "small.gguf"
    file.write_bytes(b"GGUF\x03\0\0\0" + bytes(100))
    said = project.run("up", "dev")
    assert f"(llama.cpp, {file}) for @cf/" in said
    assert "answers: text by small.gguf@" in said
    examined = project.run("doctor", code=None)
    assert "speaks for the chat models of dev" in examined
    assert f"llama.cpp, {file}" in examined
