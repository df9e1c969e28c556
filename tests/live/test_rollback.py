"""Which version a rollback goes to: on what deployments say, and by the command on a local Cloudflare."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inferstack import local
from inferstack.cloudflare import RETURN, ROLLBACK, Deployment
from inferstack.live.rollback import _before
from tests.e2e.conftest import Project, make_project


def history(*entries: str | tuple[str, str] | dict[str, float]) -> list[Deployment]:
    """Deployments, newest first: a version with all traffic, one with what its deployment says, or shares."""
    found = []
    for entry in entries:
        version, message = entry if isinstance(entry, tuple) else (entry, "")
        shares = version if isinstance(version, dict) else {version: 100.0}
        found.append(Deployment(identifier="", created="", shares=shares, message=message, author=""))
    return found


HISTORIES: dict[str, tuple[list[Deployment], str, str | None]] = {
    "the one before": (history("3", "2", "1"), "3", "2"),
    "deployed twice": (history("3", "3", "2"), "3", "2"),
    "the first version has none before": (history("1"), "1", None),
    "not the one that a rollback left": (history(("2", ROLLBACK + "3"), "3", "2", "1"), "2", "1"),
    "none of those that rollbacks left": (
        history(("1", ROLLBACK + "2"), ("2", ROLLBACK + "3"), "3", "2", "1", "0"),
        "1",
        "0",
    ),
    "after rollbacks to the end": (history(("1", ROLLBACK + "2"), ("2", ROLLBACK + "3"), "3", "2", "1"), "1", None),
    "not the one that failed its checks": (history(("2", RETURN + "3"), {"2": 95, "3": 5}, "2", "1"), "2", "1"),
    "not one that had a share only": (history("4", {"2": 75, "3": 25}, "2", "1"), "4", "2"),
    "in the middle of a rollout": (history({"2": 75, "3": 25}, {"2": 95, "3": 5}, "2", "1"), "3", "2"),
    "another message does not count": (history("3", ("2", "rollout: 100 % of 2"), "1"), "3", "2"),
}


@pytest.mark.parametrize(("deployments", "bad", "wanted"), HISTORIES.values(), ids=HISTORIES)
def test_the_version_to_go_back_to(deployments: list[Deployment], bad: str, wanted: str | None) -> None:
    assert _before(deployments, bad) == wanted


STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  mine: { source: mine.js, compatibility_date: "2026-06-01" }
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("rollback"))
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text("export default {};\n")
    folder = project.root / ".inferstack" / "local"
    local.ensure(local.Settings(folder=folder, port=0, api_port=0))
    project.api("POST", "/workers/workers", json={"name": "mine-dev", "subdomain": {"enabled": True}})
    yield project
    local.stop(folder)


def deploy(project: Project, text: str) -> str:
    """A new version with all traffic."""
    code = base64.b64encode(f"export default {{ fetch: () => new Response({text!r}) }}".encode()).decode()
    module = {"name": "index.js", "content_type": "application/javascript+module", "content_base64": code}
    body = {"main_module": "index.js", "modules": [module], "compatibility_date": "2026-06-01"}
    version: dict[str, Any] = project.api("POST", "/workers/workers/mine-dev/versions", json=body)
    all_of_it = {"strategy": "percentage", "versions": [{"version_id": version["id"], "percentage": 100}]}
    project.api("POST", "/workers/scripts/mine-dev/deployments", json=all_of_it)
    return str(version["id"])


def answer(project: Project) -> str:
    return httpx.get(
        f"http://127.0.0.1:{project.running.port}/", headers={"host": "mine-dev.local.localhost"}, timeout=60
    ).text


def test_each_rollback_goes_one_version_further_back(mine: Project) -> None:
    """Two rollbacks in a row would else only change between the two newest versions, one of them known as bad."""
    one, two, three = (deploy(mine, text) for text in ("one", "two", "three"))
    assert answer(mine) == "three"
    assert f"mine: all traffic is on version {two} again, was 100 % of {three}" in mine.run("rollback", "dev", "mine")
    assert answer(mine) == "two"
    assert f"mine: all traffic is on version {one} again, was 100 % of {two}" in mine.run("rollback", "dev", "mine")
    assert answer(mine) == "one"
    assert f"has no version before {one}" in mine.run("rollback", "dev", "mine", code=1)
    assert answer(mine) == "one"
    mine.run("rollback", "dev", "mine", "--to", three)
    assert answer(mine) == "three"
