"""What is behind, asked of registries on this machine by the ordinary clients; and one sentence where none is reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import ROOT

NEWER = "99.0.0"
MODULE = "example.com/tool"
NPM = {"name": "esbuild", "dist-tags": {"latest": NEWER}, "versions": {NEWER: {"name": "esbuild", "version": NEWER}}}
PAGES = {
    "/pypi/ruff/": f'<a href="ruff-{NEWER}-py3-none-any.whl">ruff-{NEWER}-py3-none-any.whl</a>',
    "/npm/esbuild": json.dumps(NPM),
    f"/go/{MODULE}/@v/list": f"v{NEWER}\n",
    f"/go/{MODULE}/@latest": json.dumps({"Version": f"v{NEWER}"}),
    f"/go/{MODULE}/@v/v{NEWER}.info": json.dumps({"Version": f"v{NEWER}"}),
    f"/go/{MODULE}/@v/v{NEWER}.mod": f"module {MODULE}\n",
}


class Registries(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = PAGES.get(self.path)
        self.send_response(200 if text else 404)
        self.send_header("content-type", "application/json" if "npm" in self.path else "text/html")
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registries)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tools" / "go").mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text("ruff==0.1.2 \\\n    --hash=sha256:00\n")
    (tmp_path / "package.json").write_text('{ "devDependencies": { "esbuild": "0.1.3" } }')
    needed = f"require {MODULE} v{NEWER}\n\nrequire (\n\texample.com/other v0.0.1 // indirect\n)\n"
    (tmp_path / "tools" / "go" / "go.mod").write_text(f"module m\n\ngo 1.26\n\n{needed}")
    return tmp_path


def outdated(root: Path, address: str, code: int, **variables: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.lower().startswith(("pip_", "npm_", "go"))}
    registries = {
        "PIP_INDEX_URL": f"{address}/pypi/",
        "PIP_CONFIG_FILE": os.devnull,
        "npm_config_registry": f"{address}/npm/",
        "npm_config_cache": str(root / "npm"),
        "GOPROXY": f"{address}/go",
        "GOSUMDB": "off",
        "GOMODCACHE": str(root / "go"),
        "GOFLAGS": "-modcacherw",
    }
    command = [sys.executable, str(ROOT / "tools" / "outdated.py"), "--root", str(root)]
    environment = kept | registries | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_what_is_behind_is_a_table(checkout: Path, address: str) -> None:
    lines = [line.split() for line in outdated(checkout, address, 0).splitlines()]
    assert lines == [
        ["package", "pinned", "newest", "file"],
        ["esbuild", "0.1.3", NEWER, "package.json"],
        ["ruff", "0.1.2", NEWER, "requirements.lock"],
        ["2", "of", "3", "are", "behind"],
    ]


@pytest.mark.parametrize(
    ("variable", "client"), [("PIP_INDEX_URL", "pip"), ("npm_config_registry", "npm"), ("GOPROXY", "go")]
)
def test_without_a_network_there_is_one_sentence(checkout: Path, address: str, variable: str, client: str) -> None:
    said = outdated(checkout, address, 1, **{variable: "http://127.0.0.1:9/"})
    assert said.startswith(f"outdated: error: newest versions cannot be asked for: {client} reaches no registry (")
    assert len(said.splitlines()) == 1


def test_a_client_that_is_not_there_is_named(checkout: Path, address: str) -> None:
    said = outdated(checkout, address, 1, PATH=str(checkout))
    assert "`npm` is not on PATH" in said
