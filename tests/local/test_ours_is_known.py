"""The record of a local Cloudflare that is gone leads neither to another one nor to another process."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import Api


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the pid of the one that is gone."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def record(folder: Path, **fields: object) -> None:
    (folder / "server.json").write_text(json.dumps(fields))


def test_another_checkout_s_server_on_our_ports_is_not_ours(
    cloudflare: Api, tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    record(tmp_path, **{**asdict(cloudflare.running), "pid": bystander.pid})
    assert local.find(tmp_path) is None
    assert local.stop(tmp_path) is False
    assert bystander.poll() is None
    assert local.find(cloudflare.folder) == cloudflare.running


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"hello", b'{"pid": "x"}', b'{"pid": 0}', b"\xff"])
@pytest.mark.parametrize("pid", [0, -1, "x", None])
def test_another_program_on_our_port_is_not_ours(tmp_path: Path, answer: bytes, pid: object) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        record(tmp_path, pid=pid, port=1, api_port=server.server_port)
        assert local.find(tmp_path) is None
        assert local.stop(tmp_path) is False
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_broken_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text)
    assert local.find(tmp_path) is None
    assert local.stop(tmp_path) is False
