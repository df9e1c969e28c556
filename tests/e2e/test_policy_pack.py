"""The policy pack under Pulumi's own engine: the rules of the stack file, over what is planned."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
production: true
PROTECT
models:
  c: { model: "@cf/meta/llama-3.2-3b-instruct", gateway: main }
  far: { model: MODEL, provider: openai, gateway: main }
gateways: { main: { GATEWAY, keys: { openai: { secret: "command:echo key" } } } }
databases: { shop: { PLACE } }
workers:
  bot:
    template: chat
    compatibility_date: "2026-06-01"
    models: { chat: c }
    bindings: { AI: { ai: true } }
    OPTIONS
  many:
    template: gateway
    compatibility_date: "2026-06-01"
    models: { far: far }
    bindings: { AI: { ai: true } }
    options:
      auth: jwt
      jwt: { jwks_url: "https://login.example/jwks", issuer: "https://login.example", audience: bot, tenant_claim: org }
policies:
  private_data: true
  jurisdiction: eu
"""
WRONG = {
    "PROTECT": "protect: false",
    "MODEL": "gpt-5",
    "GATEWAY": "cache_ttl: 60",
    "PLACE": "",
    "OPTIONS": "options: { auth: none }",
}
RIGHT = {
    "PROTECT": "protect: true",
    "MODEL": "gpt-5-2026-01-01",
    "GATEWAY": "collect_logs: false",
    "PLACE": "jurisdiction: eu",
    "OPTIONS": 'secrets: { API_TOKEN: "command:echo token" }',
}
RULES = ("public-worker", "private-logs", "shared-cache", "pinned-model", "jurisdiction", "protect")
KEPT = ROOT / ".inferstack" / "policies"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("policies"))
    (project.root / "policies").mkdir()
    for file in (path for path in (ROOT / "policies").iterdir() if path.is_file()):
        (project.root / "policies" / file.name).write_bytes(file.read_bytes())
    (project.root / "policies" / ".venv").symlink_to(environment())
    local.ensure(local.Settings(folder=project.root / ".inferstack" / "local", port=0, api_port=0))
    write(project, RIGHT)
    project.run("preview", "dev")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def environment() -> Path:
    """The pack's own, by its lock file; kept between runs."""
    lock = ROOT / "policies" / "requirements.txt"
    folder, stamp = KEPT / "venv", KEPT / "stamp"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
        stamp.write_text(lock.read_text())
    return folder


def write(project: Project, parts: dict[str, str], more: str = "") -> None:
    text = STACK
    for name, part in parts.items():
        text = text.replace(name, part)
    (project.root / "stacks" / "dev.yaml").write_text(text + more)


def judged(project: Project, *, code: int = 0) -> str:
    return project.pulumi("preview", "-s", "dev", "--policy-pack", "policies", code=code)


def test_a_stack_that_keeps_the_rules_passes(mine: Project) -> None:
    write(mine, RIGHT)
    shown = judged(mine)
    assert "inferstack@v" in shown or "inferstack (local" in shown, shown
    assert "mandatory" not in shown
    assert "advisory" not in shown


def test_every_rule_is_told_as_severe_as_the_stack_file_says(mine: Project) -> None:
    write(mine, WRONG, f"  severity: {{ {', '.join(f'{rule}: warning' for rule in RULES)} }}\n")
    shown = judged(mine)
    for rule in RULES:
        assert f"{rule}-warning" in shown, shown
    for words in (
        "Worker `bot` answers everybody",
        "gateway `main` keeps prompts and answers in its log",
        "gateway `main` keeps answers for all tenants together",
        "`gpt-5` is whatever version its provider serves that day",
        "databases.shop is not bound to the jurisdiction `eu`",
        "databases.shop can be deleted by one command",
    ):
        assert words in shown, shown


def test_what_the_stack_file_does_not_show_is_an_error_unless_excepted(mine: Project) -> None:
    """`raw:` changes what is made, and the program makes more than the file says."""
    write(mine, {**RIGHT, "GATEWAY": "collect_logs: false, raw: { collectLogs: true }"})
    program = mine.root / "__main__.py"
    before = program.read_text()
    extra = "\nimport os\n\nimport pulumi_cloudflare as cloudflare\n\n"
    extra += "cloudflare.R2Bucket('extra', account_id=os.environ['CLOUDFLARE_ACCOUNT_ID'], name='extra')\n"
    program.write_text(before + extra)
    try:
        shown = judged(mine, code=1)
        for words in ("gateway `main` keeps prompts", "buckets.extra is not bound", "buckets.extra can be deleted"):
            assert words in shown, shown
        assert "mandatory" in shown
        excepted = ""
        for rule, resource in (
            ("private-logs", "gateways.main"),
            ("jurisdiction", "buckets.extra"),
            ("protect", "protect"),
        ):
            excepted += (
                f"    - {{ rule: {rule}, resource: {resource}, owner: me, expires: '2099-12-31', reason: a test }}\n"
            )
        write(
            mine,
            {**RIGHT, "GATEWAY": "collect_logs: false, raw: { collectLogs: true }"},
            f"  exceptions:\n{excepted}",
        )
        assert "mandatory" not in judged(mine)
    finally:
        program.write_text(before)
