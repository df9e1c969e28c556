"""A whole new project by `init --project` and `add`: it passes `check` and comes up."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project


def test_a_new_project_comes_up(tmp_path: Path) -> None:
    made = Project(tmp_path)
    folder = tmp_path / "mine"
    assert "mine made" in made.run("init", "dev", "--target", "local", "--project", str(folder))
    project = Project(folder)
    # The tests prove the stand-in, wherever they run.
    facts = json.loads((ROOT / ".inferstack" / "toolchain.json").read_text())
    (folder / ".inferstack" / "toolchain.json").unlink()
    (folder / ".inferstack" / "toolchain.json").write_text(json.dumps(facts | {"official_cloudflare_plugin": False}))
    with (folder / "stacks" / "dev.yaml").open("a") as file:
        file.write("local: { port: 0, api_port: 0 }\n")
    project.run("add", "bucket", "files")
    project.run("add", "worker", "hello", "--source", "code", code=2)
    (folder / "code").mkdir()
    (folder / "code" / "index.js").write_text("export default { fetch: () => new Response('hello') };\n")
    project.run("add", "worker", "hello", "--source", "code")
    assert "dev: ok" in project.run("check", "dev")
    try:
        project.run("up", "dev")
        answer = httpx.get(f"http://127.0.0.1:{project.running.port}/", headers={"host": "hello-dev.local.localhost"})
        assert answer.text == "hello"
        project.run("down", "dev", "--yes")
    finally:
        local.stop(folder / ".inferstack" / "local")
    assert "is not empty" in made.run("init", "dev", "--project", str(folder), code=2)
