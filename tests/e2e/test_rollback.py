"""A stack of several Workers goes back as a whole: to what was live before the last update that deployed any."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

KEYS = ("one", "two", "three")
STACK = "environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\nworkers:\n"
WORKER = '  NAME: { source: NAME.js, compatibility_date: "2026-06-01" }\n'
CODE = 'export default { fetch() { return new Response("NAME 1"); } };\n'


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("rollback"))
    write(project, *KEYS)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def write(project: Project, *keys: str) -> None:
    workers = "".join(WORKER.replace("NAME", key) for key in keys)
    (project.root / "stacks" / "dev.yaml").write_text(STACK + workers)
    for key in keys:
        if not (project.root / f"{key}.js").exists():
            (project.root / f"{key}.js").write_text(CODE.replace("NAME", key))


def answers(project: Project, *keys: str) -> list[str]:
    url = f"http://127.0.0.1:{project.running.port}/"
    return [httpx.get(url, headers={"host": f"{key}-dev.local.localhost"}, timeout=30).text for key in keys]


def test_all_workers_go_back_after_updates_without_changes(mine: Project) -> None:
    mine.run("up", "dev")
    for key in KEYS:
        mine.edit(f"{key}.js", f"{key} 1", f"{key} 2")
    mine.run("up", "dev")
    assert answers(mine, *KEYS) == ["one 2", "two 2", "three 2"]
    mine.run("up", "dev")
    mine.run("up", "dev")
    said = mine.run("rollback", "dev")
    assert [line.split(":")[0] for line in said.splitlines() if "all traffic is on version" in line] == list(KEYS)
    assert answers(mine, *KEYS) == ["one 1", "two 1", "three 1"]


def test_a_worker_that_the_last_update_left_alone_stays(mine: Project) -> None:
    for key in KEYS:
        mine.edit(f"{key}.js", f"{key} 2", f"{key} 3")
    mine.run("up", "dev")
    for key in ("one", "three"):
        mine.edit(f"{key}.js", f"{key} 3", f"{key} 4")
    mine.run("up", "dev")
    mine.run("up", "dev")
    assert "two:" not in mine.run("rollback", "dev")
    assert answers(mine, *KEYS) == ["one 3", "two 3", "three 3"]


def test_a_worker_without_a_version_before_keeps_nobody_from_going_back(mine: Project) -> None:
    mine.edit("one.js", "one 4", "one 5")
    mine.edit("three.js", "three 4", "three 5")
    write(mine, *KEYS, "four")
    mine.run("up", "dev")
    said = mine.run("rollback", "dev")
    assert "four: stays on" in said
    assert answers(mine, *KEYS, "four") == ["one 3", "two 3", "three 3", "four 1"]


def test_an_update_without_a_change_says_where_a_rollback_stands(mine: Project) -> None:
    said = mine.run("up", "dev")
    told = [line for line in said.splitlines() if "was rolled back and stays away" in line]
    assert [line.split(":")[0] for line in told] == ["one", "three"]
    back = next(line.split("inferstack ")[1].split() for line in said.splitlines() if "rollback dev one --to" in line)
    mine.run(*back)
    assert answers(mine, "one") == ["one 5"]
