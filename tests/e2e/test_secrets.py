"""Secrets from every source: they reach the Worker, change without downtime, and stand nowhere in clear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
models: { c: { model: "@cf/meta/llama-3.2-3b-instruct" } }
gateways: { main: { keys: { openai: { secret: env:SECRET_OPENAI } } } }
secrets_store: { kept: env:SECRET_KEPT }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { AI: { ai: true } }
    secrets:
      FROM_ENV: env:SECRET_ENV
      FROM_FILE: file:secret.txt
      FROM_COMMAND: command:cat secret-of-a-command.txt
      FROM_CONFIG: config:token
      FROM_STORE: store:kept
      OF_THE_ACCOUNT: store:somebody-elses
    smoke: [{ request: GET /, token: FROM_ENV, contains: five }]
  bot:
    template: chat
    compatibility_date: "2026-06-01"
    models: { chat: c }
    bindings: { AI: { ai: true } }
    secrets: { API_TOKEN: store:kept }
"""
# Says only whether it got what it wants: what a Worker logs is the Worker's own affair.
CODE = """export default {
  async fetch(request, env) {
    const held = [env.FROM_ENV, env.FROM_FILE, env.FROM_COMMAND, env.FROM_CONFIG, await env.OF_THE_ACCOUNT.get()];
    const right = held.filter((value) => /^s3cr3t-/.test(value)).length === 5 ? "five" : "not all";
    return Response.json({ right, kept: (await env.FROM_STORE.get()).slice(-3) });
  },
};
"""
VALUES = {
    name: f"s3cr3t-{name}-9f8e7d6c" for name in ("env", "file", "command", "config", "store-one", "other", "openai")
}
ROTATED = "s3cr3t-store-two-9f8e7d6c"
VARIABLES = {
    "SECRET_ENV": VALUES["env"],
    "SECRET_KEPT": VALUES["store-one"],
    "SECRET_OPENAI": VALUES["openai"],
}
AFTER = {**VARIABLES, "SECRET_KEPT": ROTATED}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("secrets"))
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    (project.root / "secret.txt").write_text(VALUES["file"])
    (project.root / "secret-of-a-command.txt").write_text(VALUES["command"])
    local.ensure(local.Settings(folder=project.root / ".inferstack" / "local", port=0, api_port=0))
    yield project
    local.stop(project.root / ".inferstack" / "local")


def ask(project: Project, worker: str = "mine", **options: object) -> httpx.Response:
    headers = {"host": f"{worker}-dev.local.localhost", **options.pop("headers", {})}  # type: ignore[dict-item]
    return httpx.request("GET", f"http://127.0.0.1:{project.running.port}/", headers=headers, timeout=30)


def test_what_is_missing_is_named_before_and_by_the_update(mine: Project) -> None:
    shown = mine.run("secrets", "check", "dev", code=2)
    assert "export SECRET_KEPT" in shown
    assert "pulumi config set --secret token" in shown
    assert "the account's Secrets Store has no `somebody-elses`" in shown
    mine.pulumi("config", "set", "--secret", "token", VALUES["config"], "-s", "dev")
    failed = mine.run("up", "dev", code=None, **VARIABLES)
    assert "there is no Secrets Store secret `somebody-elses`" in failed
    assert "Traceback" not in failed


def test_secrets_of_every_source_reach_the_worker(mine: Project) -> None:
    # The update that failed may have ended before it made the account's store: whoever comes first makes it.
    if not mine.api("GET", "/secrets_store/stores"):
        mine.api("POST", "/secrets_store/stores", json={"name": "default_secrets_store"})
    store = mine.api("GET", "/secrets_store/stores")[0]["id"]
    entry = {"name": "somebody-elses", "scopes": ["workers"], "value": VALUES["other"]}
    mine.api("POST", f"/secrets_store/stores/{store}/secrets", json=[entry])
    mine.run("up", "dev", **VARIABLES)
    assert ask(mine).json() == {"right": "five", "kept": VALUES["store-one"][-3:]}
    shown = mine.run("secrets", "check", "dev", **VARIABLES)
    assert "workers.mine.secrets.OF_THE_ACCOUNT" in shown
    assert set(mine.operations(mine.run("up", "dev", **VARIABLES))) == {"unchanged"}


def test_a_stored_secret_is_rotated_without_a_new_version(mine: Project) -> None:
    def allowed(key: str) -> int:
        url, host = f"http://127.0.0.1:{mine.running.port}/v1/models", "bot-dev.local.localhost"
        return httpx.get(url, headers={"host": host, "authorization": f"Bearer {key}"}).status_code

    assert (allowed(VALUES["store-one"]), allowed(ROTATED)) == (200, 401)
    versions = mine.api("GET", "/workers/workers/bot-dev/versions")
    changed = mine.operations(mine.run("up", "dev", **AFTER))
    assert changed["updated"] == 1
    assert "replaced" not in changed
    assert mine.api("GET", "/workers/workers/bot-dev/versions") == versions
    assert (allowed(VALUES["store-one"]), allowed(ROTATED)) == (401, 200)
    assert ask(mine).json()["kept"] == ROTATED[-3:]


def test_what_somebody_else_keeps_is_not_written_over(mine: Project) -> None:
    store = mine.api("GET", "/secrets_store/stores")[0]["id"]
    entry = {"name": "taken-dev", "scopes": ["workers"], "value": "theirs"}
    mine.api("POST", f"/secrets_store/stores/{store}/secrets", json=[entry])
    mine.edit("stacks/dev.yaml", "secrets_store: { kept", "secrets_store: { taken: env:SECRET_KEPT, kept")
    failed = mine.run("up", "dev", code=None, **AFTER)
    assert "`taken-dev`: it is there, and this stack did not make it" in failed
    mine.edit("stacks/dev.yaml", "secrets_store: { taken: env:SECRET_KEPT, kept", "secrets_store: { kept")


def test_no_value_stands_in_state_plan_log_code_or_output(mine: Project) -> None:
    """The scanner: every file of the project and of Pulumi, less the ones that are there to hold secrets."""
    said = [mine.run("up", "dev", **AFTER), mine.run("preview", "dev", "--save-plan", "plan.json", **AFTER)]
    said += [mine.run("preview", "dev", "--format", kind, **AFTER) for kind in ("json", "markdown")]
    said += [
        mine.run(*command.split(), **AFTER) for command in ("drift dev", "status dev", "history dev", "refresh dev")
    ]
    said += [mine.run("secrets", "check", "dev", "--format", "json", **AFTER), mine.run("export", "wrangler", "dev")]
    said.append(mine.run("config", "show", "dev", **AFTER))
    said.append(mine.pulumi("stack", "export", "-s", "dev"))
    held = [mine.root / "secret.txt", mine.root / "secret-of-a-command.txt"]
    files = [file for file in mine.root.rglob("*") if file.is_file() and file not in held and not _of_cloudflare(file)]
    assert any(file.name == "plan.json" for file in files)
    assert any("wrangler" in file.parts for file in files)
    assert any("pulumi" in file.parts and file.suffix == ".json" for file in files)
    for value in (*VALUES.values(), ROTATED):
        assert not [text[:80] for text in said if value in text]
        assert not [str(file) for file in files if value.encode() in file.read_bytes()]


def _of_cloudflare(file: Path) -> bool:
    """The local Cloudflare's own database stands for Cloudflare's vault; its folder is its owner's alone."""
    return file.name.startswith("cloudflare.db")


def test_a_value_that_is_too_old_is_told(mine: Project) -> None:
    mine.edit("stacks/dev.yaml", "target: local\n", "target: local\npolicies: { secret_age: 30d }\n")
    mine.run("up", "dev", **AFTER)
    ages = {each["where"]: (each["since"], each["old"]) for each in told(mine, 0)}
    first, _ = ages["workers.mine.secrets.FROM_ENV"]
    assert first is not None
    assert ages["workers.mine.secrets.OF_THE_ACCOUNT"] == (None, False)  # somebody else's
    assert mine.operations(mine.run("up", "dev", **AFTER)) == {"unchanged": len(resources(mine))}

    state = json.loads(mine.pulumi("stack", "export", "-s", "dev"))
    for each in state["deployment"]["resources"]:
        if each["type"] == "inferstack:index:SecretAge":
            each["outputs"]["since"] = "2025-01-01T00:00:00+00:00"
    (mine.root / "state.json").write_text(json.dumps(state))
    mine.pulumi("stack", "import", "-s", "dev", "--file", "state.json")
    assert all(each["old"] for each in told(mine, 2) if each["since"])
    shown = mine.run("secrets", "check", "dev", code=2, **AFTER)
    assert "2025-01-01" in shown
    assert "older than 30d: give it a new value and run `up`" in shown

    mine.run("up", "dev", **{**AFTER, "SECRET_ENV": "s3cr3t-anew"})
    old = {each["where"] for each in told(mine, 2, SECRET_ENV="s3cr3t-anew") if each["old"]}
    assert "workers.mine.secrets.FROM_ENV" not in old
    assert "workers.mine.secrets.FROM_FILE" in old


def test_down_takes_only_what_is_ours(mine: Project) -> None:
    store = mine.api("GET", "/secrets_store/stores")[0]["id"]
    mine.pulumi("destroy", "-s", "dev", "--yes")
    left = {secret["name"] for secret in mine.api("GET", f"/secrets_store/stores/{store}/secrets")}
    assert left == {"somebody-elses", "taken-dev"}
    assert "s3cr3t" not in json.dumps(mine.api("GET", f"/secrets_store/stores/{store}/secrets"))


COMMAND = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    secrets: { TOKEN: "command:sh told.sh" }
"""


def test_a_preview_without_commands_runs_none(project: Project) -> None:
    """What a stranger's pull request names as a command must not run where the tokens of the pipeline are."""
    (project.root / "stacks" / "dev.yaml").write_text(COMMAND)
    (project.root / "mine.js").write_text("export default { fetch: () => new Response('hello') };\n")
    (project.root / "told.sh").write_text("echo ran >> ran.txt\necho s3cr3t-command-9f8e7d6c\n")
    said = project.run("preview", "dev", "--no-commands")
    assert "mine-version" in said
    assert "unset INFERSTACK_NO_COMMANDS" in project.run("secrets", "check", "dev", code=2, INFERSTACK_NO_COMMANDS="1")
    assert "is not run" in project.run("up", "dev", code=None, INFERSTACK_NO_COMMANDS="1")
    assert not (project.root / "ran.txt").exists()
    project.run("up", "dev")
    (project.root / "ran.txt").unlink()
    project.run("preview", "dev", "--no-commands")
    assert not (project.root / "ran.txt").exists()
    project.run("preview", "dev", "--expect-no-changes")
    assert (project.root / "ran.txt").exists()


def told(mine: Project, code: int, **variables: str) -> list[dict[str, Any]]:
    said = mine.run("secrets", "check", "dev", "--format", "json", code=code, **{**AFTER, **variables})
    found: list[dict[str, Any]] = json.loads(said)
    return found


def resources(mine: Project) -> list[Any]:
    found: list[Any] = json.loads(mine.pulumi("stack", "export", "-s", "dev"))["deployment"]["resources"]
    return [each for each in found if not each["type"].startswith("pulumi:providers:")]
