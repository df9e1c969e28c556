"""What a model gives a tool as an argument stays the one part of the address that it stands in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.templates.conftest import Deployed, free_port

STACKS = ["tools"]
PORT = free_port()
EXTRAS = f"""
workers:
  tools:
    options:
      allow_hosts: !append ["127.0.0.1:{PORT}"]
      tools: !append
        - name: orders
          description: Shows the page of an order
          parameters: {{ type: object, properties: {{ page: {{ type: string }} }}, required: [page] }}
          http: {{ url: "http://127.0.0.1:{PORT}/v1/orders/{{page}}" }}
"""


@pytest.fixture(scope="module")
def asked() -> Iterator[list[str]]:
    """The paths that the tools' host was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield paths
    server.shutdown()
    thread.join()
    server.server_close()


def step_of(deployed: Deployed, page: str) -> dict[str, Any]:
    message = f'Show me the page "{page}" of an order'
    [step] = deployed.post("tools", "/run", {"message": message}).json()["steps"]
    assert step["arguments"] == {"page": page}
    found: dict[str, Any] = step
    return found


@pytest.mark.parametrize(
    "page", ["..", ".", "...", "../admin", "a/b", "/admin", "a\\b", "%2e%2e", "..%2fadmin", "a%5Cb"]
)
def test_a_value_that_leaves_its_part_is_refused(deployed: Deployed, asked: list[str], page: str) -> None:
    before = list(asked)
    assert "cannot stand in the address" in step_of(deployed, page)["error"]
    assert asked == before


@pytest.mark.parametrize(("page", "path"), [("17", "17"), ("a b", "a%20b"), ("v1.2", "v1.2"), ("ü?#", "%C3%BC%3F%23")])
def test_other_values_arrive(deployed: Deployed, asked: list[str], page: str, path: str) -> None:
    step_of(deployed, page)
    assert asked[-1] == f"/v1/orders/{path}"
