"""`load-test`: streams and failures are timed by what really happened, thresholds gate, and money is never spent unasked."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  slow: { source: workers/code, compatibility_date: "2026-06-01", secrets: { API_TOKEN: "file:.inferstack/secrets/token" } }
"""
CODE = """export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/broken") return new Response("no", { status: 503 });
    if (pathname === "/key") {
      return new Response("", { status: request.headers.get("authorization") === "Bearer the-key" ? 200 : 401 });
    }
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const say = (text) => writer.write(new TextEncoder().encode(`data: ${text}\\n\\n`));
    (async () => {
      for (let n = 0; n < 5; n++) {
        await scheduler.wait(40);
        await say(JSON.stringify({ choices: [{ delta: { content: "word " } }] }));
      }
      await say(JSON.stringify({ choices: [], usage: { completion_tokens: 25 } }));
      await say("[DONE]");
      await writer.close();
    })();
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });
  },
};
"""


@pytest.fixture
def written(project: Project) -> Project:
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    for path, text in (("workers/code/index.js", CODE), (".inferstack/secrets/token", "the-key")):
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)
    return project


@pytest.fixture
def slow(written: Project) -> Project:
    written.run("up", "dev")
    return written


def told(project: Project, *words: str, code: int = 0) -> dict[str, float]:
    found: dict[str, float] = json.loads(project.run("load-test", "dev", *words, "--format", "json", code=code))
    return found


def test_times_tokens_and_failures_are_those_of_the_worker(slow: Project) -> None:
    stream = told(slow, "--request", "POST /stream", "--requests", "20", "--at-once", "4")
    assert (stream["requests"], stream["failed"]) == (20, 0)
    assert 0.035 < stream["first_p50"] < stream["p50"]
    assert stream["p50"] - stream["first_p50"] > 0.14  # four waits of 40 ms after the first
    assert 60 < stream["tokens_per_second"] < 180  # 25 tokens in those
    broken = told(slow, "--request", "GET /broken", "--requests", "7", code=1)
    assert (broken["failed"], broken["problems"]) == (7, {"status 503": 7})
    assert (broken["p95"], broken["broken_thresholds"]) == (None, ["none of 7 requests was answered well"])
    assert told(slow, "--request", "GET /key", "--requests", "3")["failed"] == 0
    bounded = told(slow, "--request", "POST /stream", "--requests", "100000", "--for", "1", "--at-once", "2")
    assert bounded["requests"] < 20 and bounded["seconds"] < 3


def test_thresholds_gate_and_a_page_shows_them(slow: Project) -> None:
    limits, page = slow.root / "limits.yaml", slow.root / "page.html"
    words = ["--request", "POST /stream", "--requests", "6", "--thresholds", str(limits), "--html", str(page)]
    limits.write_text("p95: 10s\nerror_rate: 0\ntokens_per_second: 1\n")
    slow.run("load-test", "dev", *words)
    limits.write_text("p95: 20ms\nusd_per_1000: 1\n")
    said = slow.run("load-test", "dev", *words, code=1)
    assert re.search(r"threshold: p95 is 0\.\d+, and should be at most 0\.02", said)
    assert "should be at most 0.02" in page.read_text()
    assert "<script" not in page.read_text()
    gone = ["--request", "GET /broken", "--requests", "3", "--thresholds", str(limits)]
    limits.write_text("p95: 10s\nerror_rate: 1\n")  # no time was measured, so none is kept
    assert "threshold: p95 is not known" in slow.run("load-test", "dev", *gone, code=1)
    limits.write_text("error_rate: 1\n")
    slow.run("load-test", "dev", *gone)
    for text, where in (
        ("p95: fast\n", "limits.yaml:1:1"),
        ("p96: 1s\n", "unknown threshold `p96`"),
        ("- p95\n", "1:1"),
    ):
        limits.write_text(text)
        assert where in slow.run("load-test", "dev", *words, code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "it is not known what `slow` answers"),
        (["--request", "FETCH /"], "`FETCH /` is no request"),
        (["--request", "POST /", "--body", "{"], "the body is no JSON"),
        (["--request", "POST /", "--body", "@none.json"], "none.json cannot be read"),
        (["other"], "has no Worker `other`"),
        (["--request", "GET /", "--secret", "NONE"], "has no secret `NONE`"),
        (["--request", "GET /", "--url", "http://elsewhere"], "--url is for stacks on Cloudflare"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_told(written: Project, words: list[str], said: str) -> None:
    assert said in written.run("load-test", "dev", *words, code=2)


def test_nothing_is_spent_on_cloudflare_without_a_budget(project: Project) -> None:
    words = ["load-test", "prod", "--url", "https://rag.example", "--secret", "API_TOKEN"]
    variables = {"RAG_API_TOKEN": "x", "CLOUDFLARE_ACCOUNT_ID": "0" * 32, "CLOUDFLARE_API_TOKEN": "x"}
    assert "costs money" in project.run(*words, code=2, **variables)
    assert "say --yes" in project.run(*words, "--budget", "5", code=2, **variables)
    refused = project.run(*words, "--budget", "0.01", "--yes", code=2, **variables)
    assert re.search(r"0\.01 USD pay for \d+ requests at their dearest, not for 200", refused)
