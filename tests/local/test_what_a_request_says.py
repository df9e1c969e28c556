"""What Workers see of a request, of themselves and of Cloudflare around them, as on Cloudflare."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inferstack import local
from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const head = (name) => request.headers.get(name);
  const names = ["cf-connecting-ip", "cf-ray", "cf-ipcountry", "x-forwarded-proto", "x-real-ip", "x-mine"];
  const api = await fetch("https://api.cloudflare.com/client/v4/accounts/" + env.ACCOUNT + "/workers/subdomain",
    { headers: { authorization: head("authorization") } });
  const prompt = "Parcels take 5 days.";
  const answer = await env.AI.run("openai/gpt-4.1-mini", { messages: [{ role: "user", content: prompt }] });
  const through = await env.AI.run("@cf/meta/llama-3.2-3b-instruct", { prompt }, { gateway: { id: "default" } });
  const headers = Object.fromEntries(names.map((name) => [name, head(name)]));
  const said = { method: request.method, body: await request.text(), cf: request.cf, headers, version: env.VERSION };
  const asked = { api: [api.status, await api.json()], answer, through: typeof through.response };
  return Response.json({ ...said, ...asked, log: env.AI.aiGatewayLogId });
} }"""
BINDINGS = [
    {"name": "VERSION", "type": "version_metadata"},
    {"name": "AI", "type": "ai"},
    {"name": "ACCOUNT", "type": "plain_text", "text": local.ACCOUNT_ID},
]


@pytest.fixture(scope="module")
def seen(cloudflare: Api) -> dict[str, Any]:
    version = deploy(cloudflare, "seeing", CODE, BINDINGS)
    headers = {"x-mine": "kept", "authorization": cloudflare.client.headers["authorization"]}
    answer = cloudflare.worker("seeing", "POST", "/a?b=c", headers=headers, content=b"body")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found | {"deployed": version}


def test_where_a_request_comes_from(seen: dict[str, Any], cloudflare: Api) -> None:
    cf, headers = seen["cf"], seen["headers"]
    assert (cf["country"], cf["colo"], cf["timezone"], cf["tlsVersion"]) == ("PT", "LIS", "Europe/Lisbon", "TLSv1.3")
    assert (headers["cf-connecting-ip"], headers["cf-ipcountry"], headers["x-mine"]) == ("127.0.0.1", "PT", "kept")
    assert re.fullmatch(r"[0-9a-f]{16}", headers["cf-ray"])
    assert (seen["method"], seen["body"]) == ("POST", "body")
    given = {"cf-connecting-ip": "203.0.113.7", "authorization": cloudflare.client.headers["authorization"]}
    again = cloudflare.worker("seeing", "GET", "/", headers=given).json()
    assert again["headers"]["cf-connecting-ip"] == "203.0.113.7"
    assert again["headers"]["cf-ray"] != headers["cf-ray"]


def test_a_version_knows_itself(seen: dict[str, Any]) -> None:
    assert seen["version"]["id"] == seen["deployed"]
    assert set(seen["version"]) == {"id", "tag", "timestamp"}


def test_the_api_is_the_local_one(seen: dict[str, Any]) -> None:
    assert seen["api"][0] == 200
    assert seen["api"][1]["result"] == {"subdomain": "local"}


def test_a_model_of_another_provider_needs_no_key(seen: dict[str, Any], cloudflare: Api) -> None:
    """Cloudflare bills it, by the gateway that every account has."""
    assert seen["answer"]["choices"][0]["message"]["role"] == "assistant"
    assert (seen["through"], bool(seen["log"])) == ("string", True)
    [gateway] = cloudflare.client.get("/ai-gateway/gateways").json()["result"]
    assert (gateway["id"], gateway["is_default"]) == ("default", True)
