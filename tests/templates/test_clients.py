"""`inferstack types` and `inferstack client`: type-checked by tsc and mypy, and used against the Workers."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.templates.conftest import Deployed

STACKS = ["chat", "embed", "batch", "image", "rag", "mcp", "agent", "search"]
TSC = str(ROOT / "node_modules" / ".bin" / "tsc")
TYPES = str(ROOT / "node_modules/@cloudflare/workers-types/2023-07-01/index.d.ts")
OPTIONS = {"strict": True, "noEmit": True, "target": "es2022", "module": "es2022", "moduleResolution": "bundler"}


def tsc(folder: Path, lib: list[str], types: list[str]) -> None:
    options = {**OPTIONS, "lib": lib, "types": types, "skipLibCheck": True}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    done = subprocess.run([TSC, "-p", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_types_of_the_bindings_are_typescript(deployed: Deployed, tmp_path: Path) -> None:
    deployed.project.run("types", "samples", "--out", str(tmp_path))
    text = (tmp_path / "batch" / "worker-configuration.d.ts").read_text()
    for line in (
        "AI: Ai;",
        "DB: D1Database; // jobs-sample",
        "JOBS: Queue; // jobs-sample",
        "API_TOKEN: string; // secret",
    ):
        assert line in text
    code = (
        "export default { fetch: async (_: Request, env: Env) => Response.json(await env.DB.prepare('x').first()) };\n"
    )
    (tmp_path / "batch" / "index.ts").write_text(code)
    declared = tmp_path / "batch" / "worker-configuration.d.ts"
    declared.write_text(declared.read_text().replace('/// <reference types="@cloudflare/workers-types" />\n', ""))
    tsc(tmp_path / "batch", ["es2023"], [TYPES])


def test_a_typescript_client_passes_strict_checks(deployed: Deployed, tmp_path: Path) -> None:
    deployed.project.run("client", "samples", "--lang", "typescript", "--out", str(tmp_path / "client.ts"))
    (tmp_path / "use.ts").write_text(
        """import { BatchClient, ChatClient } from "./client";
const chat = new ChatClient("http://x", "key");
export const said: Promise<string> = chat.postChat({ message: "Hello" }).then((reply) => reply.answer);
// @ts-expect-error a number is no message
chat.postChat({ message: 1 });
export const state = new BatchClient("http://x", "key").getJobsId("one").then((job) => job.state === "done");
"""
    )
    tsc(tmp_path, ["es2023", "dom"], [])


@pytest.fixture(scope="module")
def client(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("client") / "sample_client.py"
    deployed.project.run("client", "samples", "--lang", "python", "--out", str(file))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    spec = importlib.util.spec_from_file_location("sample_client", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_python_client_calls_the_workers(deployed: Deployed, client: Any) -> None:
    with deployed.client("chat") as http:
        chat = client.ChatClient(str(http.base_url), deployed.token, http)
        assert chat.post_chat({"message": "Hello there"})["answer"] == "You said: Hello there"
        events = list(chat.stream("POST", "/chat", {"message": "Hello there", "stream": True}))
        assert events[-1][0] == "done"
        with pytest.raises(client.Problem) as refused:
            chat.post_chat({"message": ""})
    assert (refused.value.status, refused.value.code) == (400, "bad_request")


def test_a_python_client_asks_an_agent_a_search_and_an_mcp_server(deployed: Deployed, client: Any) -> None:
    with deployed.client("agent") as http:
        agent = client.AgentClient(str(http.base_url), deployed.token, http)
        made = agent.post_conversations({"message": "Hello there"})
        assert made["answer"] == "You said: Hello there"
        assert agent.get_conversations_id(made["id"])["state"] == "idle"
    with deployed.client("search") as http:
        found = client.SearchClient(str(http.base_url), deployed.token, http).post_search({"query": "parcels"})
        assert found["facets"] == {"topic": [], "year": []}
    with deployed.client("mcp") as http:
        mcp = client.McpClient(str(http.base_url), deployed.token, http)
        assert mcp.post_mcp({"jsonrpc": "2.0", "id": 1, "method": "ping"})["result"] == {}


def test_a_python_client_sends_files_and_fills_paths(deployed: Deployed, client: Any) -> None:
    with deployed.client("rag") as http:
        rag = client.RagClient(str(http.base_url), deployed.token, http)
        document = json.dumps({"id": "a b", "title": "T", "text": "Some words."}).encode()
        assert rag.post_documents(document, "application/json").status_code == 201
        assert rag.delete_documents_id("a b").json() == {"id": "a b", "removed": True}


def test_without_a_running_worker_it_says_what_to_do(deployed: Deployed) -> None:
    output = deployed.project.run("client", "chat", "--lang", "python", "--url", "chat=http://127.0.0.1:9", code=1)
    assert "/openapi.json cannot be read" in output
