"""OpenAI's Node client hears at four addresses what it hears at OpenAI's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from inferstack import local
from tests.clients.environment import node_environment
from tests.conftest import Api
from tests.local.test_api_conforms import GATEWAY
from tests.templates.conftest import Deployed, deployed  # noqa: F401 - a fixture

STACKS = ["chat"]
CHAT, EMBED = "@cf/meta/llama-3.2-3b-instruct", "@cf/baai/bge-base-en-v1.5"
HELLO, PARIS = "You said: Say hello", [["weather", {"city": "Paris"}]]
EXPECTED: dict[str, Any] = {
    **dict.fromkeys(("chat", "system", "developer", "parts", "turns", "stream", "runner"), HELLO),
    **dict.fromkeys(("tools", "named tool", "tools in a stream"), PARIS),
    **dict.fromkeys(("usage", "stream usage", "max tokens", "no such model"), True),
    "id": "chat.completion",
    "stream ends": ["stop"],
    "result of a tool": "string",
    "json": "object",
    "schema": ["city"],
    "vector": 768,
    "vectors": 2,
    "wrong key": 401,
}


def hears(base: str, key: str, chat: str, embedding: str) -> dict[str, Any]:
    node = shutil.which("node")
    assert node is not None
    command = [node, str(node_environment() / "openai.mjs"), base, key, chat, embedding]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/client/v4/accounts/{account}/ai/v1", ""),
        ("/v1/{account}/{gateway}/compat", "workers-ai/"),
        ("/v1/{account}/{gateway}/workers-ai/v1", ""),
    ],
    ids=["ai", "compat", "gateway"],
)
def test_each_call_at_an_address_of_cloudflare(cloudflare: Api, path: str, prefix: str) -> None:
    cloudflare.client.post("/ai-gateway/gateways", json=GATEWAY)
    where = path.format(account=local.ACCOUNT_ID, gateway=GATEWAY["id"])
    base = f"http://127.0.0.1:{cloudflare.running.api_port}{where}"
    assert hears(base, local.token_of(cloudflare.folder), prefix + CHAT, prefix + EMBED) == EXPECTED


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_call_at_a_worker(deployed: Deployed) -> None:  # noqa: F811
    assert hears(f"{deployed.url('chat')}/v1", deployed.token, "chat", "embedding") == EXPECTED
