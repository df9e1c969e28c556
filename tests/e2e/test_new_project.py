"""A project by `init`: whole in itself, fit for git, and its stack comes up."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from inferstack import local
from inferstack.toolchain import read_toolchain
from inferstack.toolchain.record import PROJECT_RECORD, write_toolchain
from tests.conftest import ROOT
from tests.e2e.conftest import Project

FREE_PORTS = "local: { port: 0, api_port: 0 }\n"


def made(folder: Path, *options: str) -> Project:
    """On the stand-in, wherever the tests run."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    Project(folder.parent).run("init", folder.name, *options)
    write_toolchain(replace(read_toolchain(ROOT), official_plugin=False), folder / PROJECT_RECORD)
    with (folder / "stacks" / "dev.yaml").open("a") as file:
        file.write(FREE_PORTS)
    return Project(folder)


def test_a_new_project_comes_up(tmp_path: Path) -> None:
    project = made(tmp_path / "Mine & Co", "--template", "chat")
    assert "name: mine-co\n" in (project.root / "Pulumi.yaml").read_text()
    project.run("add", "bucket", "files")
    project.run("add", "worker", "hello", "--source", "code", code=2)
    (project.root / "code").mkdir()
    (project.root / "code" / "index.js").write_text("export default { fetch: () => new Response('hello') };\n")
    project.run("add", "worker", "hello", "--source", "code")
    assert "dev: ok" in project.run("check", "dev")
    try:
        project.run("up", "dev")
        answer = httpx.get(f"http://127.0.0.1:{project.running.port}/", headers={"host": "hello-dev.local.localhost"})
        assert answer.text == "hello"
        assert project.operations(project.run("preview", "dev", "--expect-no-changes"))["unchanged"] > 5
        project.run("down", "dev", "--yes")
    finally:
        local.stop(project.root / ".inferstack" / "local")


def test_what_git_gets_names_no_place_and_is_no_link(tmp_path: Path) -> None:
    project = made(tmp_path / "shop")
    for command in (("init", "-q"), ("add", "-A")):
        subprocess.run(["git", *command], cwd=project.root, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=project.root, capture_output=True, text=True, check=True)
    files = [project.root / name for name in listed.stdout.splitlines()]
    assert {"Pulumi.yaml", "AGENTS.md", "requirements.txt", ".gitignore", ".mcp.json", "SKILL.md"} <= {
        file.name for file in files
    }
    assert not [file for file in files if file.is_symlink()]
    assert not [file for file in files if str(ROOT) in file.read_text() or str(tmp_path) in file.read_text()]
    assert not [file for file in files if ".inferstack" in file.parts]


def test_what_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "README.md").write_text("mine\n")
    (folder / ".gitignore").write_text("*.log")
    made(folder)
    assert (folder / "README.md").read_text() == "mine\n"
    assert (folder / ".gitignore").read_text().startswith("*.log\n.venv/\n")


@pytest.mark.parametrize(
    ("before", "arguments", "said"),
    [
        ({"requirements.txt": "x"}, ["shop"], "has requirements.txt, which would be overwritten"),
        ({"Pulumi.yaml": "x", "stacks/a.yaml": "x"}, ["shop"], "is a project already\n  fix: inferstack add stack"),
        ({}, ["shop", "--template", "rga"], "there is no template `rga`; did you mean `rag`?"),
        ({}, ["shop", "--template", "gitops"], "there is no template `gitops`"),
        ({}, ["taken"], "is a file"),
    ],
    ids=["a file", "a project", "a template", "no template", "no folder"],
)
def test_where_it_cannot_be_nothing_is_written(
    tmp_path: Path, before: dict[str, str], arguments: list[str], said: str
) -> None:
    (tmp_path / "taken").write_text("x")
    for path, text in before.items():
        (tmp_path / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / path).write_text(text)
    files = sorted(tmp_path.rglob("*"))
    output = Project(tmp_path).run("init", *arguments, code=2)
    assert said in output
    assert sorted(tmp_path.rglob("*")) == files
