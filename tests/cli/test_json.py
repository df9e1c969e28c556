"""`--format json`: nothing but JSON on standard output, as the published schema of the command says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from inferstack import local
from inferstack.cli.results import RESULTS, schema_of
from inferstack.engine.events import EVENTS
from inferstack.toolchain import EMBEDDINGS, ONNX

pytestmark = pytest.mark.slow  # minutes: whole stacks, again and again

INFERSTACK = str(Path(sys.executable).parent / "inferstack")
TRIED: set[str] = set()
PROMPT = "prompts: { hello: { text: Hello } }\nmodels: { chat: { prompt: hello } }\n"
ENVIRONMENT = {**os.environ, "CHAT_API_TOKEN": "a token", "CLOUDFLARE_ACCOUNT_ID": "0" * 32, "NO_COLOR": "1"}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INFERSTACK, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=200
    )


def told(folder: Path, command: str, *words: str, code: int = 0) -> Any:
    done = run(folder, *command.split(), *words, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    TRIED.add(command)
    document = json.loads(done.stdout)
    jsonschema.validate(document, closed(schema_of(command)))
    return document


def closed(schema: Any) -> Any:
    """A schema that takes no key it does not name: what is printed must be published."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    return {**found, "additionalProperties": False} if "properties" in schema else found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("shop")
    made = told(folder, "init", ".", "--template", "chat")
    assert made["written"] == ["."]
    stack = folder / "stacks" / "dev.yaml"
    stack.write_text(stack.read_text() + "local: { port: 0, api_port: 0 }\n" + PROMPT)
    told(folder, "add", "database", "notes")
    (folder / "migrations" / "notes").mkdir(parents=True)
    (folder / "migrations" / "notes" / "0001_first.sql").write_text("CREATE TABLE t (a);\n")
    base = folder / "stacks" / "base.yaml"
    base.write_text(base.read_text().replace("notes: {}", "notes: { migrations: migrations/notes }"))
    yield folder
    local.stop(folder / ".inferstack" / "local")


def test_writing(shop: Path, tmp_path: Path) -> None:
    assert told(shop, "check") == []
    assert told(shop, "explain", "IS001")["code"] == "IS001"
    values = {each["path"]: each["value"] for each in told(shop, "config show", "dev")["values"]}
    assert values["environment"] == "dev"
    assert told(shop, "add", "stack", "prod", "--target", "cloudflare")["written"] == ["stacks/prod.yaml"]
    assert {"path": "target", "dev": "local", "prod": "cloudflare"} in told(shop, "config diff", "dev", "prod")[
        "differences"
    ]
    assert "index.js" in "".join(told(shop, "render", "dev")["workers"]["chat"])
    assert told(shop, "render", "dev", "--out", str(tmp_path / "code"))["written"]
    assert told(shop, "types", "dev", "--out", str(tmp_path / "types"))["written"]
    assert told(shop, "export wrangler", "dev", "--out", str(tmp_path / "wrangler"))["written"]
    assert told(shop, "gitops", "github", "--backend", "s3://state", "--staging", "dev")["written"]
    assert told(shop, "env", "dev")["environment"]["PULUMI_BACKEND_URL"].startswith("file://")
    shutil.copytree(shop, tmp_path / "other", ignore=shutil.ignore_patterns(".inferstack"))
    shutil.copytree(tmp_path / "wrangler", tmp_path / "other" / "from")
    assert told(tmp_path / "other", "import", "wrangler", "from/chat")["written"]
    (tmp_path / "other" / "stacks" / "bad.yaml").write_text("environment: x\ntarget: lokal\n")
    assert told(tmp_path / "other", "check", "bad", code=2)[0]["severity"] == "error"


def test_looking(shop: Path) -> None:
    assert told(shop, "gateway test", "dev", "--model", "chat")["answered_by"] == ["chat"]
    told(shop, "cost", "dev")
    assert told(shop, "models", "--task", "embeddings")
    assert told(shop, "models", "@cf/baai/bge-m3")["dimensions"] == 1024
    assert told(shop, "permissions", "dev")
    assert told(shop, "doctor")["ok"] in (True, False)
    assert told(shop, "setup")["pulumi"].endswith("pulumi")


def test_running(shop: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    assert told(shop, "preview", "dev")["counts"]["create"] > 3
    assert told(shop, "up", "dev", "--events", str(events))["changes"]["create"] > 3
    follow(events)
    assert told(shop, "refresh", "dev")["changes"]["same"] > 3
    assert [share["percent"] for share in told(shop, "status", "dev")["live"]] == [100]
    assert told(shop, "history", "dev")
    assert [each["prompt"] for each in told(shop, "prompts", "dev")["prompts"]] == ["hello"]
    assert len(told(shop, "prompts", "dev", "hello")["history"]) == 1
    assert told(shop, "drift", "dev")["drift"] == []
    assert all(secret["here"] for secret in told(shop, "secrets check", "dev"))
    assert told(shop, "database", "dev", "notes", "bookmark")["text"]
    assert told(shop, "adopt", "dev")["adopted"] == 0
    assert "code" in told(shop, "client", "dev", "--lang", "python")
    assert told(shop, "ephemeral list") == []
    assert told(shop, "ephemeral up", "pr-1")["stack"] == "pr-1"
    assert told(shop, "ephemeral prune")["destroyed"] == []
    assert told(shop, "ephemeral down", "pr-1")["destroyed"] == ["pr-1"]
    worker = shop / "stacks" / "base.yaml"
    worker.write_text(worker.read_text().replace("    secrets:", "    vars: { A: b }\n    secrets:"))
    told(shop, "up", "dev")
    assert told(shop, "rollback", "dev")["workers"][0]["was"]


def test_the_local_cloudflare(shop: Path) -> None:
    assert told(shop, "local status")["running"] is True
    assert told(shop, "local fault add", "--path", "x", "--status", "500")["planned"] == 1
    assert told(shop, "local fault list")["faults"][0]["status"] == 500
    told(shop, "local fault clear")
    assert told(shop, "console")["url"].startswith("http://127.0.0.1:")
    assert told(shop, "top", "dev")["seconds"] == 300
    told(shop, "local traces", "on")
    assert told(shop, "local mails") == {"version": 1, "mails": []}
    tested = told(shop, "load-test", "dev", "--request", "GET /healthz", "--requests", "10", "--warm-up", "0")
    assert (tested["requests"], tested["failed"]) == (10, 0)
    (shop / "evals").mkdir()
    (shop / "evals" / "health.yaml").write_text(
        "cases: [{ name: up, request: GET /healthz, schema: { type: object } }]\n"
    )
    assert told(shop, "eval", "dev")["suites"][0]["score"] == 1
    told(shop, "local snapshot save", "one")
    assert told(shop, "local snapshot list")["snapshots"] == ["one"]
    told(shop, "local snapshot load", "one")
    assert told(shop, "down", "dev", "--yes")["changes"]["delete"] > 3
    assert told(shop, "local stop")["stopped"] is False
    told(shop, "local reset", "--yes")


def test_weights_of_models(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this user stay as they are; files of the right sizes stand for what was fetched."""
    monkeypatch.setitem(ENVIRONMENT, "XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert told(shop, "local models list")["packages"][0]["installed"] is False
    EMBEDDINGS.folder.mkdir(parents=True)
    for name, size in EMBEDDINGS.files.items():
        with (EMBEDDINGS.folder / name).open("wb") as file:
            file.truncate(size)
    ONNX.folder.mkdir()
    assert told(shop, "local models install", "embeddings")["packages"][0]["installed"] is False
    assert told(shop, "local models list")["packages"][0]["installed"] is True
    removed = told(shop, "local models remove", "embeddings", "sentiment")["packages"]
    assert [each["removed"] for each in removed] == [True, False]


LEFT = {
    "record": "runs until Ctrl-C, in tests/e2e/test_record.py",
    "logs": "one object a line, in tests/e2e/test_logs.py",
    "ask": "tests/templates ask over HTTP; the command itself wants a RAG stack",
    "load": "the same",
    "seed": "in tests/e2e/test_seeds.py",
    "promote": "e2e/test_from_laptop_to_production.py",
    "reindex": "the same",
    "upgrade": "e2e/test_installed.py installs two versions",
}


def test_every_schema_was_tried() -> None:
    """Runs last in this file."""
    assert set(RESULTS) - TRIED == set(LEFT)


def follow(file: Path) -> None:
    """Events of an `up`: known types with their fields, first and last of the command, in the order of time."""
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [events[0]["type"], events[-1]["type"]] == ["command.started", "command.done"]
    assert events[-1]["exit_code"] == 0
    assert {event["type"] for event in events} >= {"resource.started", "resource.done", "run.done"}
    for event in events:
        assert set(event) == {"version", "time", "type", *EVENTS[event["type"]]}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert "a token" not in file.read_text()
