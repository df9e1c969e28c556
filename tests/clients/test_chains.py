"""LiteLLM, LangChain and LlamaIndex run unchanged: texts, streams, tools and vectors."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from inferstack import local
from tests.clients.environment import HERE, environment
from tests.conftest import Api
from tests.local.test_api_conforms import GATEWAY

EXPECTED: dict[str, Any] = {
    "chat": "You said: Say hello",
    "stream": "You said: Say hello",
    "tools": ["weather", {"city": "Paris"}],
    "structured": "City",
    "vectors": 768,
}
CALLS = 28


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_client_hears_what_was_asked(cloudflare: Api) -> None:
    assert cloudflare.client.post("/ai-gateway/gateways", json=GATEWAY).is_success
    told = (cloudflare.running.base_url, local.ACCOUNT_ID, local.token_of(cloudflare.folder), GATEWAY["id"])
    # Both would look on the network for prices and tokenizers that no answer depends on.
    environ = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"}
    environ.pop("PYTHONPATH", None)
    command = [str(environment() / "bin" / "python"), str(HERE / "chains.py"), *map(str, told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {name: EXPECTED[name.rsplit(" ", 1)[1]] for name in said}
    assert len(said) == CALLS
