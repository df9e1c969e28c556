"""The AI SDK's providers for Workers AI and AI Gateway run unchanged on Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from inferstack import local
from tests.clients.environment import node_environment
from tests.conftest import Api
from tests.local.test_api_conforms import GATEWAY

EXPECTED: dict[str, Any] = {
    "text": "You said: Say hello",
    "stream": "You said: Say hello",
    "fallback": "You said: Say hello",
    "usage": True,
    "tools": [["weather", {"city": "Paris"}]],
    "object": ["city"],
    "vectors": [768, 768],
    "rerank": 1,
}
CALLS = 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_provider_hears_what_was_asked(cloudflare: Api) -> None:
    assert cloudflare.client.post("/ai-gateway/gateways", json=GATEWAY).is_success
    node = shutil.which("node")
    assert node is not None
    address = f"http://127.0.0.1:{cloudflare.running.api_port}"
    told = (address, local.ACCOUNT_ID, local.token_of(cloudflare.folder), str(GATEWAY["id"]))
    command = [node, str(node_environment() / "providers.mjs"), *told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {name: EXPECTED[name.rsplit(" ", 1)[1]] for name in said}
    assert len(said) == CALLS
