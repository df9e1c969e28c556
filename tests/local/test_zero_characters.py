"""A zero character, where a path, a process or a host name ends with it: refused with a code, and nothing of it stays."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api
from tests.local.test_workers_run import deploy, says

ZERO = "a\0b"
SECRET = {"type": "secret_text", "text": "x"}
REAL = {"base_url": "http://127.0.0.1:1", "account_id": "a", "token": "t"}
OWN = (
    ("recordings", {"mode": "record", "folder": ZERO}, "folder has a zero character"),
    ("recordings", {"mode": "record", "folder": "x", "account": REAL | {"token": ZERO}}, "account must have the texts"),
    ("recordings", {"mode": "record", "folder": "x", "account": {"odd": "x"}}, "account must have the texts"),
    ("recordings", {"mode": "record", "folder": "x", "account": [1]}, "account must have the texts"),
    ("engines", {"text_server": f"/none/{ZERO}.gguf", "real": []}, "without a zero character"),
    ("engines", {"text_server": "", "real": [ZERO]}, "real a list of texts"),
    ("engines", {"text_server": "", "real": 5}, "real a list of texts"),
)


def log_of(api: Api) -> str:
    return (api.folder / "server.log").read_text()


def refused(answer: httpx.Response, code: int, word: str) -> None:
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert error["code"] == code
    assert word in error["message"]


def uploaded(api: Api, bindings: list[dict[str, Any]]) -> httpx.Response:
    metadata = json.dumps({"main_module": "m.js", "bindings": bindings})
    module = ("m.js", says("x").encode(), "application/javascript+module")
    files = {"metadata": (None, metadata, "application/json"), "m.js": module}
    return api.client.put("/workers/scripts/zero", files=files)


@pytest.mark.parametrize("kind", ["secret_text", "plain_text"])
def test_a_binding_s_name(cloudflare: Api, kind: str) -> None:
    refused(uploaded(cloudflare, [{"name": ZERO, "type": kind, "text": "x"}]), 10021, "its name has a zero character")
    assert "Traceback" not in log_of(cloudflare)


def test_a_secret_s_name(cloudflare: Api) -> None:
    deploy(cloudflare, "zero", says("fine"))
    secrets = "/workers/scripts/zero/secrets"
    word = "its name has a zero character"
    refused(cloudflare.client.put(secrets, json=SECRET | {"name": ZERO}), 10021, word)
    refused(cloudflare.client.patch(f"{secrets}-bulk", json={"secrets": {ZERO: SECRET}}), 10021, word)
    refused(cloudflare.client.patch("/workers/workers/zero/versions/latest", json={"env": {ZERO: SECRET}}), 10021, word)
    assert cloudflare.client.get(secrets).json()["result"] == []
    deploy(cloudflare, "beside", says("beside"))
    assert [cloudflare.worker(name, "GET", "/").text for name in ("zero", "beside")] == ["fine", "beside"]
    assert "Traceback" not in log_of(cloudflare)


@pytest.mark.parametrize("host", [ZERO, "a b.example.com", "a/b", "\n", "x" * 254])
def test_a_custom_domain_s_name(cloudflare: Api, host: str) -> None:
    deploy(cloudflare, "zero", says("fine"))
    domain = {"hostname": host, "service": "zero", "zone_name": "example.com"}
    refused(cloudflare.client.put("/workers/domains", json=domain), 10021, "is no name of a host")
    assert cloudflare.client.get("/workers/domains").json()["result"] == []


@pytest.mark.parametrize(("door", "body", "word"), OWN)
def test_what_the_local_cloudflare_is_told_of_itself(cloudflare: Api, door: str, body: Any, word: str) -> None:
    base = cloudflare.running.base_url.partition("/client/")[0]
    refused(cloudflare.client.put(f"{base}/__local/{door}", json=body), 10001, word)
    running = local.find(cloudflare.folder)
    assert running is not None
    assert (running.replay, running.text_server) == ("off", "")
    assert "Traceback" not in log_of(cloudflare)
