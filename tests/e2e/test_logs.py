"""`logs`: what the Workers of a stack do, woven together, filtered, for people and for programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import jsonschema
import pytest

from inferstack.cli.results import schema_of
from tests.conftest import ROOT
from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  one: { source: workers/code, compatibility_date: "2026-06-01" }
  two: { source: workers/code, compatibility_date: "2026-06-01" }
"""
CODE = """export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/boom") throw new RangeError("too far");
    console[pathname === "/warn" ? "warn" : "log"]("seen", { pathname });
    return new Response("ok");
  },
};
"""


@pytest.fixture
def chatty(project: Project) -> Project:
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    file = project.root / "workers" / "code" / "index.js"
    file.parent.mkdir(parents=True)
    file.write_text(CODE)
    project.run("up", "dev")
    return project


@contextmanager
def following(project: Project, *words: str) -> Iterator[list[str]]:
    """The lines that it wrote, once the block has ended."""
    command = [str(ROOT / ".venv" / "bin" / "inferstack"), "logs", "dev", *words]
    process = subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    try:
        opened = time.monotonic() + 30
        while time.monotonic() < opened and not all(_open(project, name) for name in _wanted(words)):
            time.sleep(0.1)
        time.sleep(1.5)  # the socket beside the session
        yield lines
        time.sleep(1)
    finally:
        process.send_signal(signal.SIGINT)
        lines += (process.communicate(timeout=20)[0] or "").splitlines()
    assert process.returncode == 0, lines


def _wanted(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word in ("one", "two")] or ["one", "two"]


def _open(project: Project, worker: str) -> bool:
    return project.api("GET", f"/workers/scripts/{worker}-dev/tails") is not None


def ask(project: Project, worker: str, path: str) -> None:
    headers = {"host": f"{worker}-dev.local.localhost"}
    httpx.get(f"http://127.0.0.1:{project.running.port}{path}", headers=headers, timeout=20)


def test_logs_of_all_workers_are_followed(chatty: Project) -> None:
    with following(chatty) as lines:
        ask(chatty, "one", "/a")
        ask(chatty, "two", "/boom")
    text = "\n".join(lines)
    assert '  log seen {"pathname": "/a"}' in lines
    assert "  RangeError: too far" in lines
    assert "one GET http://" in text
    assert "two GET http://" in text
    assert "index.js:4" in text
    assert "exception" in text
    for worker in ("one", "two"):  # the sessions are closed with it
        assert not _open(chatty, worker)

    with following(chatty, "one", "--level", "warn", "--grep", "WARN", "--format", "json") as lines:
        for path in ("/a", "/warn", "/boom"):
            ask(chatty, "one", path)
        ask(chatty, "two", "/warn")
    [told] = [json.loads(line) for line in lines]
    jsonschema.validate(told, schema_of("logs"))
    assert told["worker"] == "one"
    assert told["event"]["logs"][0]["message"] == ["seen", {"pathname": "/warn"}]

    assert chatty.run("logs", "dev", "--for", "0.5") == ""
    assert "has no Worker `three`" in chatty.run("logs", "dev", "three", code=2)
    assert "no regular expression" in chatty.run("logs", "dev", "--grep", "(", code=2)


def test_logs_of_the_time_before_and_figures(chatty: Project) -> None:
    for path in ("/a", "/warn", "/boom"):
        ask(chatty, "one", path)
    ask(chatty, "two", "/later")
    until(lambda: "/later" in chatty.run("logs", "dev", "--since", "10m"))
    lines = chatty.run("logs", "dev", "--since", "10m").splitlines()
    heads = [line.split(" ", 1)[1] for line in lines if " GET " in line]
    assert [(head.split()[0], head.rpartition("/")[2]) for head in heads] == [
        ("one", "a 200"),
        ("one", "warn 200"),
        ("one", "boom exception"),
        ("two", "later 200"),
    ]
    assert '  warn seen {"pathname": "/warn"}' in lines
    assert "  RangeError: too far" in lines

    warned = chatty.run("logs", "dev", "one", "--since", "10m", "--grep", "WARN", "--format", "json").splitlines()
    [told] = [json.loads(line) for line in warned]
    jsonschema.validate(told, schema_of("logs"))
    assert told["event"]["logs"][0]["message"] == ['seen {"pathname": "/warn"}']
    assert "no length of time" in chatty.run("logs", "dev", "--since", "soon", code=2)

    shown = json.loads(chatty.run("top", "dev", "--since", "10m", "--format", "json"))
    rows = {row["worker"]: row for row in shown["workers"]}
    assert rows["one"]["requests"] == pytest.approx(0.3)
    assert rows["one"]["errors"] == pytest.approx(0.1)
    assert rows["two"]["errors"] == 0
    table = chatty.run("top", "dev", "two")
    assert "two" in table and "one" not in table


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_logs_of_a_stack_that_is_down_say_so(project: Project) -> None:
    said = project.run("logs", "dev", code=1)
    assert "does not run" in said
    assert os.linesep.join(["  fix: inferstack up dev"]) in said
