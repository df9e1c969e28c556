"""Smoke checks: an update whose Worker does not answer as it should has failed, and says how."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    secrets: { TOKEN: "env:MINE_TOKEN" }
    smoke:
      - { request: GET /health, contains: fine }
      - { request: POST /echo, body: { a: 1 }, token: TOKEN, contains: '"a":1' }
"""
CODE = """export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response("all is fine");
    if (request.headers.get("authorization") !== `Bearer ${env.TOKEN}`) return new Response("who?", { status: 401 });
    return Response.json(await request.json());
  },
};
"""
SECRET = "a-token-that-nobody-may-see"


def test_a_version_that_does_not_answer_is_a_failed_update(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_TOKEN", SECRET)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    shown = project.run("up", "dev")
    assert "SmokeCheck mine-smoke created" in shown
    project.run("preview", "dev", "--expect-no-changes")

    project.edit("mine.js", "all is fine", "on fire")
    failed = project.run("up", "dev", code=None)
    assert "smoke check of Worker `mine-dev` failed: GET /health answered without" in failed
    assert "on fire" in failed
    assert "all traffic is back on version" in failed
    assert health(project) == "all is fine"
    project.edit("mine.js", "on fire", "all is fine again")
    again = project.run("up", "dev")
    assert "mine-smoke updated" in again
    assert health(project) == "all is fine again"
    state = project.pulumi("stack", "export", "-s", "dev")
    for text in (shown, failed, again, state):
        assert SECRET not in text
    project.run("down", "dev", "--yes")


def health(project: Project) -> str:
    url = f"http://127.0.0.1:{project.running.port}/health"
    return httpx.get(url, headers={"host": "mine-dev.local.localhost"}, timeout=30).text


def test_what_failed_is_tried_again_and_left_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_TOKEN", SECRET)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE.replace("all is fine", "on fire"))
    first = project.run("up", "dev", code=None)
    assert "the version is live; correct it" in first  # there is none before
    assert health(project) == "on fire"
    project.edit("mine.js", "on fire", "all is fine")
    project.run("up", "dev")
    project.edit("mine.js", "all is fine", "on fire again")
    project.run("up", "dev", code=None)
    second = project.run("up", "dev", code=None)  # nothing to deploy for Pulumi, and yet the version is not live
    assert "all traffic is back on version" in second
    assert "on fire again" in second
    assert "stays on" in project.run("rollback", "dev")
    assert health(project) == "all is fine"
    project.edit("stacks/dev.yaml", "contains: fine", "contains: fire")
    project.run("up", "dev")  # the check was wrong, so to say
    assert health(project) == "on fire again"
    project.edit("stacks/dev.yaml", "contains: fire", "contains: water")
    assert "the version is live" in project.run("up", "dev", code=None)  # it was before this update, too
    assert health(project) == "on fire again"


STREAMS = """const WAYS = {
  good: ['data: {"response":"Hello"}\\n\\n', "data: [DONE]\\n\\n"],
  done: ['event: token\\ndata: {"text":"Hello"}\\n\\n', "event: done\\ndata: {}\\n\\n"],
  endless: ['data: {"response":"Hello"}\\n\\n'],
  empty: [": nothing\\n\\n"],
  text: ["data: Hello\\n\\n", "data: [DONE]\\n\\n"],
  error: ['event: error\\ndata: {"message":"busy"}\\n\\n', "data: [DONE]\\n\\n"],
  late: ['data: {"response":"Hello"}\\n\\n', "data: [DONE]\\n\\n"],
};
export default {
  async fetch(request) {
    const way = "WAY";
    if (way === "whole") return Response.json({ response: "Hello" });
    if (way === "late") await new Promise((done) => setTimeout(done, 900));
    const events = new TextEncoder().encode(WAYS[way].join(""));
    return new Response(events, { headers: { "content-type": "text/event-stream" } });
  },
};
"""


WORDS = {
    "endless": "streamed events that stop without an end",
    "empty": "streamed no event",
    "text": "streamed an event that is no JSON",
    "error": "streamed an error",
    "whole": "did not stream: it answered",
    "late": "0.8 s is the most",
}


def test_a_stream_is_held_to_its_form(project: Project) -> None:
    ways = ("good", "done", *WORDS)
    stack = "environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\nworkers:\n"
    for way in ways:
        (project.root / f"{way}.js").write_text(STREAMS.replace('"WAY"', f'"{way}"'))
        stack += f"  {way}: {{ source: {way}.js, compatibility_date: '2026-06-01', smoke: [{CHECK}] }}\n"
    (project.root / "stacks" / "dev.yaml").write_text(stack)
    said = project.run("up", "dev", code=None)
    failed = {way for way in ways if f"smoke check of Worker `{way}-dev` failed: GET / " in said}
    assert failed == set(WORDS)
    assert [way for way, words in WORDS.items() if words not in said] == []


CHECK = "{ request: GET /, stream: true, within: 800ms, contains: Hello }"
