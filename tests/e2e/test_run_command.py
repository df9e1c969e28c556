"""`run`: a command sees the stack by what the tools read; also without a name that must be resolved."""

from __future__ import annotations

import os
import re

from tests.conftest import ROOT
from tests.e2e.conftest import Project

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  hello-you: { source: workers/hello, compatibility_date: "2026-06-01" }
"""
ASK = """
import os, urllib.request
from openai import OpenAI
print(urllib.request.urlopen(os.environ["INFERSTACK_URL_HELLO_YOU"] + "/there").read().decode())
said = OpenAI().embeddings.create(model="@cf/baai/bge-small-en-v1.5", input="hello")
print(len(said.data[0].embedding))
"""


def test_a_command_sees_the_stack(project: Project) -> None:
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    worker = project.root / "workers" / "hello" / "index.js"
    worker.parent.mkdir(parents=True)
    worker.write_text(
        "export default { fetch: (request) => new Response(`hello ${new URL(request.url).pathname}`) };\n"
    )
    project.run("up", "dev")
    (project.root / "ask.py").write_text(ASK)
    python = str(ROOT / ".venv" / "bin" / "python")
    assert project.run("run", "dev", "--", python, "ask.py").split("\n") == ["hello /there", "384", ""]
    path = f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    listed = project.run(
        "run", "dev", "--", "wrangler", "kv", "namespace", "list", PATH=path, WRANGLER_SEND_METRICS="false"
    )
    assert listed.strip() == "[]"
    assert project.run("-e", "dev", "run", "--", python, "-c", "raise SystemExit(5)", code=5) == ""


def test_a_command_that_is_not_there_is_told(project: Project) -> None:
    assert "there is no command `nosuch`" in project.run("run", "dev", "nosuch", code=1)


def test_openai_s_variables_do_not_stand_in_the_environment_of_runs(project: Project) -> None:
    """A stack's secret may be taken from one of that name."""
    printed = project.run("env", "dev")
    assert "CLOUDFLARE_API_BASE_URL=" in printed
    assert "OPENAI" not in printed


GUIDE = (ROOT / "docs" / "guides" / "tools.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_each_block_of_the_guide_works(up: Project) -> None:
    python = str(ROOT / ".venv" / "bin" / "python")
    path = f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    said = []
    for kind, text in BLOCKS:
        if kind == "python":
            said.append(up.run("run", "dev", "--", python, "-c", text))
            continue
        for line in text.splitlines():
            words = line.split()
            assert words[0] == "inferstack"
            said.append(up.run(*words[1:], PATH=path, WRANGLER_SEND_METRICS="false"))
    namespaces, databases, secrets, *answers = said
    assert "cache-dev" in namespaces
    assert "content-dev" in databases
    assert "API_TOKEN" in secrets
    assert all(answer.strip() for answer in answers)
    assert len(answers) == 5
