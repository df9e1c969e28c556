"""A Pulumi.yaml that Pulumi's SDK cannot read: one message with the file and what to do, and nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_command_line import inferstack

ODD = {
    "empty": (b"", "it is empty"),
    "only a comment": (b"# nothing\n", "it is empty"),
    "no UTF-8": (b"name: \xff\nruntime: python\n", "it is not UTF-8: byte 7"),
    "a list": (b"- a\n", "it is no mapping"),
    "a text": (b"shop\n", "it is no mapping"),
    "no YAML": (b"name: [\n", "it is not YAML in line 2"),
    "a control sign": (b"name: a\0b\n", "it is not YAML: "),
    "too deep": (b"[" * 5000, "it is not YAML: "),
    "no day": (b"name: 2026-13-45\n", "it is not YAML: "),
    "no name": (b"runtime: python\n", "`name` must be"),
    "a number": (b"name: 5\nruntime: python\n", "`name` must be"),
    "no runtime": (b"name: shop\n", "`runtime` must be"),
    "a nameless runtime": (b"name: shop\nruntime: { options: {} }\n", "`runtime` must be"),
    "a template": (b"name: shop\nruntime: python\ntemplate: [a]\n", "a field holds what Pulumi does not take"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "command", [("preview", "dev"), ("up", "dev"), ("down", "dev", "--yes")], ids=lambda each: each[0]
)
def test_an_odd_project_file_is_told(tmp_path: Path, name: str, command: tuple[str, ...]) -> None:
    content, word = ODD[name]
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "dev.yaml").write_text("environment: dev\ntarget: local\nnamespaces: { flags: {} }\n")
    (tmp_path / "Pulumi.yaml").write_bytes(content)
    said = inferstack(*command, cwd=tmp_path, code=2)
    assert f"error: {tmp_path / 'Pulumi.yaml'}: {word}" in said
    assert "\n  fix: " in said
    assert not (tmp_path / ".inferstack" / "local").exists()
