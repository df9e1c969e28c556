"""Projects of the usual shapes, written for wrangler: imported, checked, brought up, asked, previewed, taken down.

Each folder of tests/projects/ is one, or holds several Workers. `ASKED` says what its Workers answer, in order.
"""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Project

PROJECTS = ROOT / "tests" / "projects"
SECONDS = 75  # for what happens later: a queue's batch, a cron's next full minute


@dataclass(frozen=True)
class Ask:
    """A request and its answer: `json` as a whole, `text` as a part of it."""

    method: str
    path: str
    content: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    json: Any = None
    text: str = ""
    worker: str = ""
    later: bool = False


LOGIN = Ask("POST", "/login", "me", text=".")
HANDBOOK = "A lost parcel is refunded after ten days.\n\nBatteries cool for an hour before they are charged."
ADDED = {"id": 1, "text": "buy milk", "done": False}
CASES: dict[str, list[Ask]] = {
    "agent": [
        Ask("POST", "/ann/ask", "hello", text="answer"),
        Ask("POST", "/ben/ask", "hi", text="answer"),
        Ask("GET", "/ann", text='[{"role":"user","text":"hello"},{"role":"assistant"'),
    ],
    "ai-sdk": [
        Ask("POST", "/", "Say hello", text='"counted":true'),
        Ask("POST", "/stream", "Say hello", text=" "),
    ],
    "assets-chat": [
        Ask("GET", "/", text="<h1>Ask</h1>"),
        Ask("GET", "/chat.js", text="TextDecoderStream"),
        Ask("POST", "/api/chat", '{"text": "hello"}', text="data: [DONE]"),
    ],
    # `last` is null until the first full minute, which may fall before the request.
    "cron-digest": [Ask("GET", "/", text='"version":"string"'), Ask("GET", "/", text='"last":"* * * * *"', later=True)],
    "environments": [
        Ask("GET", "/a", json={"stage": "production", "before": None}),
        Ask("GET", "/a", json={"stage": "production", "before": "production"}),
    ],
    "hono-drizzle": [
        Ask("GET", "/notes", json=[]),
        Ask("POST", "/notes", '{"text": "buy milk"}', status=201, json=ADDED),
        Ask("PUT", "/notes/1/done", json={**ADDED, "done": True}),
        Ask("PUT", "/notes/2/done", status=404),
        Ask("OPTIONS", "/notes", headers={"origin": "https://a.example"}, status=204),
    ],
    "images": [
        Ask("POST", "/a.jpg", "a red boat", status=201, json={"made": True}),
        Ask("POST", "/a.jpg", "a blue boat", status=409, json={"made": False}),
        Ask("GET", "/a.jpg", headers={"range": "bytes=0-9"}),
    ],
    "node-builtins": [
        Ask(
            "GET",
            "/one/two.txt",
            json={
                "base": "two.txt",
                "digest": "537f955c",
                "text": "hi",
                "mode": "production",
                "legacy": "a/b",
                "seen": True,
            },
        )
    ],
    "prompts": [
        Ask("POST", "/", "hello", json={"release": "1.4", "system": "Answer in one short sentence.", "answered": True}),
        Ask("POST", "/", "one two three four five", status=413, text="too long"),
    ],
    "queue-batch": [
        Ask("POST", "/a", "I love it", status=202),
        Ask("GET", "/a", json={"label": "POSITIVE", "attempts": 1}, later=True),
    ],
    "rag": [
        Ask("PUT", "/handbook", HANDBOOK, status=201, json={"passages": 2}),
        Ask("GET", "/?q=when+is+a+lost+parcel+refunded", text="refunded after ten days", later=True),
    ],
    "rpc": [
        Ask(
            "GET",
            "/",
            json={
                "sum": 6,
                "said": 2,
                "direct": 404,
                "admin": "hello you, from the side of acme's read",
                "inner": "myself",
            },
            worker="front",
        )
    ],
    "service-worker": [
        Ask("GET", "/", text="https://example.com/"),
        Ask("PUT", "/docs", "https://example.com/docs", status=201),
        Ask("GET", "/docs", status=302),
        Ask("GET", "/none", status=404, text="no such link"),
    ],
    "sessions": [
        Ask("GET", "/me", status=401, text="who are you?"),
        LOGIN,
        LOGIN,
        LOGIN,
        Ask("POST", "/login", "me", status=429, text="slow down"),
    ],
    "spa": [
        Ask("GET", "/deep/link", text="<title>One page</title>"),
        Ask("GET", "/app.js", text="location.pathname"),
        Ask("GET", "/old", status=301),
    ],
    "vite-build": [
        Ask("GET", "/", text="<title>Built</title>"),
        Ask("GET", "/a/page", headers={"sec-fetch-mode": "navigate"}, text="<title>Built</title>"),
        Ask("GET", "/api", json={"name": "built", "path": "/api"}),
    ],
    "workers-site": [
        Ask("GET", "/", text="<h1>Home</h1>"),
        Ask("GET", "/text/a.txt", text="a file"),
        Ask("GET", "/notes/private.txt", status=404),
        Ask("GET", "/.hidden", status=404),
    ],
    "workflow-ingest": [
        Ask("PUT", "/handbook", HANDBOOK, status=202, json={"id": "handbook"}),
        Ask("PUT", "/handbook", HANDBOOK, status=409, text="already exists"),
        Ask("PUT", "/secret?review", HANDBOOK, status=202, json={"id": "secret"}),
        Ask("PUT", "/empty", "", status=202, json={"id": "empty"}),
        Ask("GET", "/handbook", json={"status": "complete", "stored": {"passages": 2, "dimensions": 768}}, later=True),
        Ask("GET", "/empty", text='"status":"errored"', later=True),
        Ask("GET", "/secret", json={"status": "waiting", "stored": None}, later=True),
        Ask("POST", "/secret/approve", text='"status":'),
        Ask("GET", "/secret", text='"status":"complete"', later=True),
    ],
    "wasm": [Ask("GET", "/40+2", json={"sum": 42, "bytes": [1, 2, 255]})],
}


def folders(root: Path, name: str) -> list[str]:
    """Of the Workers: the project itself, or those in it."""
    inside = sorted(path.parent for path in (root / name).glob("*/wrangler.*"))
    return [str(folder.relative_to(root)) for folder in inside] or [name]


def answer(project: Project, host: str, asked: Ask) -> httpx.Response:
    url = f"http://127.0.0.1:{project.running.port}{asked.path}"
    headers = {"host": host, **asked.headers}
    return httpx.request(asked.method, url, content=asked.content, headers=headers, timeout=60)


def is_right(got: httpx.Response, asked: Ask) -> bool:
    right = got.status_code == asked.status and asked.text in got.text
    return right and (asked.json is None or got.json() == asked.json)


def test_every_project_is_asked() -> None:
    assert {path.name for path in PROJECTS.iterdir() if path.is_dir()} == set(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_project_of_wrangler_works_as_it_is(project: Project, name: str) -> None:
    shutil.copytree(PROJECTS / name, project.root / name)
    (project.root / "node_modules").symlink_to(ROOT / "node_modules")
    said = project.run("import", "wrangler", *folders(project.root, name), "--target", "local")
    assert "not carried" not in said
    (project.root / "stacks" / "default").mkdir()
    (project.root / "stacks" / "default" / "ports.yaml").write_text("local: { port: 0, api_port: 0 }\n")
    project.run("check", "default")
    addresses = dict(re.findall(r"^(\S+): http://([^\s,]+):\d+, ", project.run("up", "default"), re.MULTILINE))
    for asked in CASES[name]:
        host = addresses[asked.worker or next(iter(addresses))]
        end = time.monotonic() + SECONDS
        got = answer(project, host, asked)
        while asked.later and not is_right(got, asked) and time.monotonic() < end:
            time.sleep(0.5)
            got = answer(project, host, asked)
        assert is_right(got, asked), f"{asked.method} {asked.path}: {got.status_code} {got.text}"
    project.run("preview", "default", "--expect-no-changes")
    project.run("down", "default", "--yes")
