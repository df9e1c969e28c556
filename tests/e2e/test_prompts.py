"""Prompts: versions that go live with their Workers, are told word by word, and go back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project
from tests.openai_server import Asked, openai_server

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0, text_server: "URL" }
prompts:
  greeting:
    file: prompts/greeting.md
    variables: { company: "${COMPANY:-ACME}" }
  summary:
    text: "Säg 語 in {{words}} words what {{document}} is about."
    variables: { document: ~, words: "30" }
models:
  chat: { model: "@cf/meta/llama-3.2-3b-instruct", prompt: greeting }
workers:
  talk:
    template: chat
    compatibility_date: "2026-06-01"
    models: { chat: chat }
    bindings: { AI: { ai: true } }
    secrets: { API_TOKEN: "command:echo a-token" }
  own:
    source: own.js
    compatibility_date: "2026-06-01"
    bindings: { SUMMARY: { prompt: summary } }
"""
OWN = "export default { fetch: (_, env) => Response.json(env.SUMMARY) };\n"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Asked]]:
    """A project, and what its models were asked by a server of the user's own."""
    project = make_project(tmp_path_factory.mktemp("prompts"))
    (project.root / "own.js").write_text(OWN)
    (project.root / "prompts").mkdir()
    (project.root / "prompts" / "greeting.md").write_text("You work for {{company}}.\nYou are polite.\n")
    with openai_server() as (url, asked):
        (project.root / "stacks" / "dev.yaml").write_text(STACK.replace("URL", url))
        project.run("up", "dev")
        yield project, asked
        local.stop(project.root / ".inferstack" / "local")


def ask(project: Project, worker: str, method: str, path: str, **options: Any) -> Any:
    headers = {"host": f"{worker}-dev.local.localhost", "authorization": "Bearer a-token"}
    answer = httpx.request(method, f"http://127.0.0.1:{project.running.port}{path}", headers=headers, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(project: Project, asked: Asked) -> str:
    """The system message that the model got."""
    ask(project, "talk", "POST", "/chat", json={"message": "Who are you?"})
    return next(str(each["content"]) for each in asked[-1][2]["messages"] if each["role"] == "system")


def live(project: Project, prompt: str) -> tuple[str, str]:
    """The version of this checkout, and the one that answers."""
    [found] = [
        e for e in json.loads(project.run("prompts", "dev", "--format", "json"))["prompts"] if e["prompt"] == prompt
    ]
    [share] = found["live"]
    return found["here"], share["version"]


def test_code_of_one_s_own_reads_text_version_and_what_is_open(heard: tuple[Project, Asked]) -> None:
    project, _ = heard
    found = ask(project, "own", "GET", "/")
    assert found["text"] == "Säg 語 in 30 words what {{document}} is about."
    assert (found["prompt"], found["variables"]) == ("summary", ["document"])
    assert set(live(project, "summary")) == {found["version"]}
    project.run("types", "dev")
    types = (project.root / "worker-configuration.d.ts").read_text()
    assert 'SUMMARY: { prompt: "summary"; version: string; text: string; variables: ("document")[]; };' in types


def test_a_prompt_goes_live_is_told_and_goes_back(heard: tuple[Project, Asked]) -> None:
    project, asked = heard
    assert told(project, asked) == "You work for ACME.\nYou are polite."
    first, _ = live(project, "greeting")
    project.edit("prompts/greeting.md", "polite", "brief")
    plan = project.run("preview", "dev")
    assert "    -You are polite.\n    +You are brief.\n" in plan
    assert re.search(r"Prompt +greeting +text, version\n", plan)
    assert "own-version" not in plan
    project.run("up", "dev")
    assert told(project, asked) == "You work for ACME.\nYou are brief."
    second = live(project, "greeting")[0]
    assert first != second
    lines = project.run("history", "dev", "talk").splitlines()
    assert [f"greeting {version}" in line for version, line in zip((second, first), lines[1:], strict=True)] == [
        True
    ] * 2
    assert f"prompts: greeting {first}" in project.run("rollback", "dev", "talk")
    assert told(project, asked) == "You work for ACME.\nYou are polite."
    assert live(project, "greeting") == (second, first)
    past = project.run("prompts", "dev", "greeting")
    assert "    - You are polite.\n    + You are brief.\n" in past


def test_an_environment_s_value_is_another_version(heard: tuple[Project, Asked]) -> None:
    project, asked = heard
    project.run("up", "dev", COMPANY="Initech")
    assert told(project, asked) == "You work for Initech.\nYou are brief."
    assert "not this checkout's" in project.run("prompts", "dev")
    project.run("preview", "dev", "--expect-no-changes", COMPANY="Initech")


def test_the_export_carries_it_to_wrangler(heard: tuple[Project, Asked], tmp_path: Path) -> None:
    project, _ = heard
    project.run("export", "wrangler", "dev", "--out", str(tmp_path / "out"))
    text = (tmp_path / "out" / "own" / "wrangler.jsonc").read_text()
    assert json.loads(text[text.index("{") :])["vars"]["SUMMARY"]["variables"] == ["document"]


def test_a_prompt_that_is_not_there_is_said(heard: tuple[Project, Asked]) -> None:
    project, _ = heard
    assert "has no prompt `greting`; did you mean `greeting`?" in project.run("prompts", "dev", "greting", code=2)
