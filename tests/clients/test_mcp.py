"""The official clients of MCP, Python's and both of TypeScript's, hear what the template `mcp` says; OAuth included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.environment import HERE, mcp_environment, node_environment
from tests.issuer import Issuer, issuing
from tests.templates.conftest import Deployed, deployed, free_port  # noqa: F401 - a fixture

STACKS = ["mcp"]
PORT = free_port()
EXTRAS = f"""
workers:
  guarded:
    template: mcp
    compatibility_date: "2026-06-01"
    bindings: {{ SHOP: {{ database: orders }} }}
    options:
      auth: jwt
      jwt:
        jwks_url: "http://127.0.0.1:{PORT}/jwks"
        issuer: "http://127.0.0.1:{PORT}"
        audience: "http://guarded-sample.local.localhost:8787/mcp"
      scopes: [orders]
      resources: [{{ uri: "shop://rules", name: rules, text: Orders leave within two days. }}]
      tools:
        - name: order_status
          description: The status of an order
          input: {{ type: object, properties: {{ number: {{ type: integer }} }}, required: [number] }}
          d1: {{ binding: SHOP, query: "SELECT number, status FROM orders WHERE number = :number" }}
        - name: count
          description: How many orders there are
          scope: counting
          d1: {{ binding: SHOP, query: "SELECT count(*) AS orders FROM orders" }}
"""
TOOLS = ["order_status", "set_status", "search_notes", "service_health", "summarize"]
HEARD: dict[str, Any] = {
    "tools": TOOLS,
    "rows": {"rows": [{"number": 17, "status": "packed and waiting for the van"}]},
    "wrong": True,
    "progress": True,
    "resources": ["shop://rules", "shop://prices"],
    "rules": "Orders leave within two days.",
    "prompts": ["apologise"],
    "letter": "Write a short apology to Ann, whose order is late.",
    "unknown": -32602,
}


@pytest.fixture(scope="module", autouse=True)
def issuer() -> Iterator[Issuer]:
    with issuing(PORT) as found:
        yield found


def said(*command: str) -> dict[str, Any]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_python_s_client(deployed: Deployed, mode: str, version: str) -> None:  # noqa: F811
    python = str(mcp_environment() / "bin" / "python")
    heard = said(python, str(HERE / "mcp_calls.py"), f"{deployed.url('mcp')}/mcp", deployed.token, mode)
    assert heard == HEARD | {"version": version}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("which", "version"), [("sdk", "2025-11-25"), ("client", "2026-07-28")])
def test_typescript_s_clients(deployed: Deployed, which: str, version: str) -> None:  # noqa: F811
    node = shutil.which("node")
    assert node is not None
    heard = said(node, str(node_environment() / "mcp.mjs"), f"{deployed.url('mcp')}/mcp", deployed.token, which)
    assert heard == HEARD | {"version": version}


def call(deployed: Deployed, token: str, tool: str = "order_status") -> httpx.Response:  # noqa: F811
    params = {"name": tool, "arguments": {"number": 17} if tool == "order_status" else {}}
    with deployed.client("guarded", token) as client:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return client.post("/mcp", json=body)


def test_a_client_without_a_token_learns_where_to_get_one(deployed: Deployed, issuer: Issuer) -> None:  # noqa: F811
    with deployed.client("guarded") as client:
        client.headers.pop("authorization")
        client.headers["host"] = deployed.url("guarded").removeprefix("http://")
        refused = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert refused.status_code == 401
        at = f"{deployed.url('guarded')}/.well-known/oauth-protected-resource"
        assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{at}/mcp", scope="orders"'
        for path in ("", "/mcp"):
            told = client.get(f"/.well-known/oauth-protected-resource{path}").json()
            assert told["resource"] == f"{deployed.url('guarded')}/mcp"
            assert told["authorization_servers"] == [issuer.url]
            assert told["scopes_supported"] == ["orders", "counting"]
    assert deployed.call("mcp", "GET", "/.well-known/oauth-protected-resource").status_code == 404


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_for_this_server_is_good(deployed: Deployed, issuer: Issuer, algorithm: str) -> None:  # noqa: F811
    token = issuer.token(f"{deployed.url('guarded')}/mcp", algorithm=algorithm, scope="orders other")
    assert call(deployed, token).json()["result"]["structuredContent"]["rows"][0]["number"] == 17


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"aud": "https://other.example/mcp"}, "another audience"),
        ({"iss": "https://other.example"}, "another issuer"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"key": "foreign"}, "signature"),
    ],
    ids=["audience", "issuer", "expired", "key"],
)
def test_a_token_for_something_else_is_not(
    deployed: Deployed,  # noqa: F811
    issuer: Issuer,
    claims: dict[str, Any],
    word: str,
) -> None:
    key = Issuer(0).keys["ES256"] if claims.get("key") else None
    token = issuer.token(f"{deployed.url('guarded')}/mcp", **({"scope": "orders"} | claims | {"key": key}))
    refused = call(deployed, token)
    assert (refused.status_code, 'error="invalid_token"' in refused.headers["www-authenticate"]) == (401, True)
    assert word in refused.json()["error"]["message"]


def test_a_token_without_the_scope_is_told_which(deployed: Deployed, issuer: Issuer) -> None:  # noqa: F811
    audience = f"{deployed.url('guarded')}/mcp"
    refused = call(deployed, issuer.token(audience, scope="other"))
    assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (403, "insufficient_scope")
    more = call(deployed, issuer.token(audience, scope="orders"), "count")
    assert more.status_code == 403
    assert 'error="insufficient_scope", scope="orders counting"' in more.headers["www-authenticate"]
    enough = call(deployed, issuer.token(audience, scp=["orders", "counting"]), "count")
    assert enough.json()["result"]["structuredContent"] == {"rows": [{"orders": 2}]}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_python_s_client_finds_the_issuer_and_gets_a_token(deployed: Deployed, issuer: Issuer) -> None:  # noqa: F811
    python = str(mcp_environment() / "bin" / "python")
    url = f"{deployed.url('guarded')}/mcp"
    heard = said(python, str(HERE / "mcp_calls.py"), url, "oauth", "auto", issuer.url)
    assert heard["rows"] == HEARD["rows"]
    assert heard["tools"] == ["order_status", "count"]
    assert [(form["grant_type"], form["resource"], form["scope"]) for form in issuer.asked] == [
        ("client_credentials", url, "orders")
    ]
