"""Several accounts on one local Cloudflare: the same names in each, and nothing in common."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

TEAM = "0123456789abcdef0123456789abcdef"
STACK = """environment: dev
target: local
{account}
local: {{ port: 0, api_port: 0 }}
namespaces: {{ kept: {{}} }}
queues: {{ jobs: {{ consumer: {{ worker: front, max_wait_ms: 100 }} }} }}
models: {{ c: {{ model: "@cf/meta/llama-3.2-3b-instruct", gateway: main }} }}
gateways: {{ main: {{}} }}
workers:
  front:
    source: front.js
    compatibility_date: "2026-06-01"
    vars: {{ OWNER: {owner}, ACCOUNT: "{number}" }}
    bindings: {{ KEPT: {{ namespace: kept }}, JOBS: {{ queue: jobs }}, BACK: {{ service: back }} }}
  back:
    source: back.js
    compatibility_date: "2026-06-01"
    vars: {{ OWNER: {owner} }}
"""
FRONT = """export default {
  async fetch(request, env) {
    if (request.method === "POST") await env.JOBS.send({ from: env.OWNER });
    if (request.url.endsWith("/gateway")) {
      const url = `https://gateway.ai.cloudflare.com/v1/${env.ACCOUNT}/main-dev/workers-ai/@cf/meta/llama-3.2-3b-instruct`;
      return await fetch(url, { method: "POST", body: JSON.stringify({ prompt: "Hello" }) });
    }
    const behind = await (await env.BACK.fetch("http://back/")).text();
    return Response.json({ owner: env.OWNER, behind, kept: await env.KEPT.get("kept") });
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) await env.KEPT.put("kept", body.from);
  },
};
"""
BACK = "export default { fetch(_, env) { return new Response(`behind ${env.OWNER}`); } };\n"
HOSTS = {"dev": "front-dev.local.localhost", "team": f"front-dev.{TEAM[:8]}.localhost"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("accounts"))
    first = STACK.format(account="", owner="first", number=local.ACCOUNT_ID)
    (project.root / "stacks" / "dev.yaml").write_text(first)
    second = STACK.format(account=f'account: "{TEAM}"', owner="team", number=TEAM)
    (project.root / "stacks" / "team.yaml").write_text(second)
    (project.root / "front.js").write_text(FRONT)
    (project.root / "back.js").write_text(BACK)
    for stack in ("dev", "team"):
        project.run("up", stack)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def ask(project: Project, stack: str, method: str = "GET", path: str = "/") -> httpx.Response:
    url = f"http://127.0.0.1:{project.running.port}{path}"
    return httpx.request(method, url, headers={"host": HOSTS[stack]}, timeout=30)


@pytest.mark.parametrize(("stack", "owner"), [("dev", "first"), ("team", "team")])
def test_each_account_serves_its_own(both: Project, stack: str, owner: str) -> None:
    assert ask(both, stack).json() == {"owner": owner, "behind": f"behind {owner}", "kept": None}
    ask(both, stack, "POST")
    until = time.monotonic() + 15
    while ask(both, stack).json()["kept"] is None and time.monotonic() < until:
        time.sleep(0.05)
    assert ask(both, stack).json()["kept"] == owner
    assert ask(both, stack, path="/gateway").status_code == 200
    assert set(both.operations(both.run("up", stack))) == {"unchanged"}


def test_a_token_opens_its_account_only(both: Project) -> None:
    folder = both.root / ".inferstack" / "local"
    for account, other in ((local.ACCOUNT_ID, TEAM), (TEAM, local.ACCOUNT_ID)):
        headers = {"authorization": f"Bearer {local.token_of(folder, account)}"}
        base = f"{both.running.base_url}/accounts"
        assert [a["id"] for a in httpx.get(base, headers=headers).json()["result"]] == [account]
        assert len(httpx.get(f"{base}/{account}/queues", headers=headers).json()["result"]) == 1
        refused = httpx.get(f"{base}/{other}/queues", headers=headers)
        assert refused.status_code == 404
        assert refused.json()["errors"][0]["code"] == 7003


def test_accounts_survive_a_restart_and_end_alone(both: Project) -> None:
    local.stop(both.root / ".inferstack" / "local")
    local.ensure(local.Settings(folder=both.root / ".inferstack" / "local", port=0, api_port=0))
    assert ask(both, "team").json()["kept"] == "team"
    both.pulumi("destroy", "-s", "dev", "--yes")
    assert ask(both, "dev").status_code == 404
    assert ask(both, "team").json()["owner"] == "team"
