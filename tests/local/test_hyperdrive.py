"""Hyperdrive here: a Worker reaches the database that the configuration names, and the password is in no answer."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { host, port, user, password, database, connectionString } = env.DB;
  const socket = env.DB.connect();
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("ping\\n"));
  const { value } = await socket.readable.getReader().read();
  const said = new TextDecoder().decode(value);
  return Response.json({ port, user, password, database, scheme: connectionString.split(":")[0], said });
} };"""


class Says(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"pong to " + self.rfile.readline())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def origin(port: int, **other: Any) -> dict[str, Any]:
    said = {
        "scheme": "postgres",
        "host": "127.0.0.1",
        "port": port,
        "database": "orders",
        "user": "me",
        "password": "s3cret!",
    }
    return {"name": "orders", "origin": {**said, **other}}


def test_a_worker_reaches_the_database(cloudflare: Api, port: int) -> None:
    made = cloudflare.client.post("/hyperdrive/configs", json=origin(port)).json()["result"]
    assert (made["origin"]["user"], made["caching"]) == ("me", {"disabled": False})
    path = f"/hyperdrive/configs/{made['id']}"
    for answer in (cloudflare.client.get(path), cloudflare.client.get("/hyperdrive/configs")):
        assert "s3cret" not in answer.text
    deploy(cloudflare, "orders", CODE, [{"name": "DB", "type": "hyperdrive", "id": made["id"]}])
    seen = cloudflare.worker("orders", "GET", "/").json()
    assert (seen["user"], seen["password"], seen["database"], seen["scheme"]) == ("me", "s3cret!", "orders", "postgres")
    assert seen["said"] == "pong to ping\n"
    cloudflare.client.patch(path, json={"origin": {"password": "another"}}).raise_for_status()
    assert cloudflare.worker("orders", "GET", "/").json()["password"] == "another"
    cloudflare.client.delete(path).raise_for_status()
    assert cloudflare.worker("orders", "GET", "/").status_code == 500
    assert cloudflare.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "a"}, origin(1, host=""), origin(1, scheme="oracle"), {"name": "a", "origin": "x"}],
    ids=["nothing", "no origin", "no host", "scheme", "text"],
)
def test_what_is_no_configuration_is_refused(cloudflare: Api, body: dict[str, Any]) -> None:
    refused: httpx.Response = cloudflare.client.post("/hyperdrive/configs", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10001)
