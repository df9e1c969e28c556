"""A rollout's steps are for versions whose answers are right: a suite is asked of the new one alone, before each step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from inferstack import local
from tests.e2e.conftest import Project, load, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
models:
  embed: { model: "@cf/baai/bge-small-en-v1.5" }
namespaces: { counts: {} }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { COUNTS: { namespace: counts } }
    secrets: { API_TOKEN: "command:echo the-token" }
    rollout:
      steps: [5, 50, 100]
      hold: 0s
      evals: [evals/parcels.yaml]
"""
SUITE = """worker: mine
least: 0.5
cases:
  - { name: a lost parcel, request: POST /ask, body: { question: lost parcel }, contains: [500 euros], cites: [parcels] }
  - { name: near enough, request: POST /ask, body: { question: lost parcel }, similar: { to: We pay for parcels, least: 0.3 } }
  - { name: always wrong, request: GET /health, contains: [dragons], times: 2 }
"""
CODE = """export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/ask") return new Response("fine");
    if (request.headers.get("authorization") !== `Bearer ${env.API_TOKEN}`) return new Response("no", { status: 401 });
    const calls = Number(await env.COUNTS.get("MARK")) + 1;
    await env.COUNTS.put("MARK", String(calls));
    return Response.json({ answer: ANSWER, sources: [{ id: "parcels" }] });
  },
};
"""
GOOD = '"We pay 500 euros for lost parcels."'


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("gates"))
    (project.root / "evals").mkdir()
    (project.root / "evals" / "parcels.yaml").write_text(SUITE)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE.replace("ANSWER", GOOD).replace("MARK", "first"))
    project.run("up", "dev")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def answer(project: Project, code: str) -> None:
    (project.root / "mine.js").write_text(CODE.replace("ANSWER", code).replace("MARK", str(time.time_ns())))


def shares(project: Project) -> list[list[float]]:
    """Of each deployment, newest first."""
    found = project.api("GET", "/workers/scripts/mine-dev/deployments")["deployments"]
    return [[version["percentage"] for version in each["versions"]] for each in found]


def test_a_version_with_right_answers_goes_all_the_way(mine: Project) -> None:
    answer(mine, '"For parcels that are lost we pay 500 euros."')
    said = mine.run("up", "dev")
    for when in ("before its first step", "at 5 %", "at 50 %"):
        assert f"{when}: evaluation `parcels`: 50% of 4 answers right" in said
    assert shares(mine)[:4] == [[100], [50, 50], [95, 5], [100, 0]]
    mine.run("preview", "dev", "--expect-no-changes")


def test_a_version_that_answers_worse_is_never_seen(mine: Project) -> None:
    answer(mine, '"Nothing at all."')
    with load(mine, "mine-dev", "POST", "/ask", headers={"authorization": "Bearer the-token"}) as answers:
        said = mine.run("up", "dev", code=None)
    assert "failed before its first step: evaluation `parcels`: 0% of 4 answers right, 50% is the least" in said, said
    assert 'case `a lost parcel`: lacks "500 euros": "Nothing at all."' in said
    assert "all traffic is back on version" in said
    assert answers
    assert all("we pay 500 euros" in json.loads(each)["answer"].replace("We", "we") for each in answers)


def test_one_that_gets_worse_on_its_way_goes_back_by_itself(mine: Project) -> None:
    """Right before it was seen, wrong when it was asked again with a share of the traffic."""
    answer(mine, f'calls > 2 ? "Nothing at all." : {GOOD}')
    said = mine.run("up", "dev", code=None)
    assert "failed at 5 %: evaluation `parcels`: 0% of 4 answers right" in said, said
    assert shares(mine)[0] == [100]
    live = json.loads(mine.run("status", "dev", "--format", "json"))["live"]
    assert "return by inferstack" in live[0]["message"]


def test_another_suite_is_asked_of_what_is_live(mine: Project) -> None:
    answer(mine, GOOD)
    mine.run("up", "dev")
    mine.edit("evals/parcels.yaml", "least: 0.5", "least: 0.8")
    said = mine.run("up", "dev", code=None)
    assert "fails its checks: evaluation `parcels`: 50% of 4 answers right, 80% is the least" in said
    assert shares(mine)[0] == [100]


@pytest.mark.parametrize(
    ("old", "new", "place", "word"),
    [
        ("worker: mine", "worker: other", "stacks/dev.yaml:16:15", "the suite is for Worker `other`"),
        ("worker: mine", "secret: NOPE", "stacks/dev.yaml:16:15", "`NOPE` is no secret of this Worker"),
        ("request: GET /health", "body: {}", "stacks/dev.yaml:16:15", "not known what `mine` is asked"),
        ("least: 0.3", "least: 0.3, model: emb", "stacks/dev.yaml:16:15", "`emb` is no embedding model"),
        ("contains: [dragons]", "contians: [dragons]", "evals/parcels.yaml:6:49", "unknown key `contians`"),
    ],
)
def test_what_cannot_be_asked_is_a_finding(mine: Project, old: str, new: str, place: str, word: str) -> None:
    file = mine.root / "evals" / "parcels.yaml"
    file.write_text(SUITE)
    mine.edit("evals/parcels.yaml", old, new)
    said = mine.run("check", "dev", code=2)
    assert f"{place}: error[IS166]" in said, said
    assert word in said
