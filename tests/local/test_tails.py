"""Live logs as wrangler reads them: a session by REST, events by WebSocket, across deployments and of every handler."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from inferstack import local
from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """
export default {
  async fetch(request) {
    console.log("asked", { path: new URL(request.url).pathname });
    console.warn("careful");
    if (request.url.endsWith("/boom")) throw new TypeError("broken");
    return new Response("ok", { status: 201 });
  },
  async scheduled(controller) { console.log("cron", controller.cron); },
};
"""


@pytest.fixture(scope="module")
def talking(cloudflare: Api) -> str:
    deploy(cloudflare, "talking", CODE, [])
    return "/workers/scripts/talking"


@pytest.fixture
def tail(cloudflare: Api, talking: str) -> Iterator[ClientConnection]:
    made = cloudflare.client.post(talking + "/tails", json={"filters": []}).json()["result"]
    with connect(made["url"], subprotocols=["trace-v1"], open_timeout=10) as opened:  # type: ignore[list-item]
        yield opened
    cloudflare.client.delete(f"{talking}/tails/{made['id']}")


def event(tail: ClientConnection) -> Any:
    return json.loads(tail.recv(timeout=20))


def test_a_request_is_told_with_what_it_logged(cloudflare: Api, tail: ClientConnection) -> None:
    headers = {"authorization": "Bearer hidden-value", "x-mine": "seen"}
    assert cloudflare.worker("talking", "GET", "/a?b=1", headers=headers).status_code == 201
    told = event(tail)
    assert (told["scriptName"], told["outcome"]) == ("talking", "ok")
    assert told["event"]["request"]["method"] == "GET"
    assert told["event"]["request"]["url"].endswith("/a?b=1")
    assert told["event"]["request"]["headers"]["x-mine"] == "seen"
    assert told["event"]["response"]["status"] == 201
    assert [(log["level"], log["message"]) for log in told["logs"]] == [
        ("log", ["asked", {"path": "/a"}]),
        ("warn", ["careful"]),
    ]
    assert "hidden-value" not in json.dumps(told)


def test_an_exception_is_told(cloudflare: Api, tail: ClientConnection) -> None:
    assert cloudflare.worker("talking", "GET", "/boom").status_code == 500
    told = event(tail)
    assert told["outcome"] == "exception"
    [thrown] = told["exceptions"]
    assert (thrown["name"], thrown["message"]) == ("TypeError", "broken")


def test_a_cron_is_told(cloudflare: Api, tail: ClientConnection) -> None:
    url = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/scheduled/talking?cron=*+*+*+*+*"
    headers = {"authorization": f"Bearer {local.token_of(cloudflare.folder)}"}
    assert cloudflare.client.post(url, headers=headers).is_success
    told = event(tail)
    assert told["event"]["cron"] == "* * * * *"
    assert told["logs"][0]["message"] == ["cron", "* * * * *"]


def test_a_deployment_does_not_end_it(cloudflare: Api, tail: ClientConnection, talking: str) -> None:
    deploy(cloudflare, "talking", CODE.replace("asked", "again"), [])
    end = time.monotonic() + 20
    while time.monotonic() < end:  # the new runtime hears of it within a second
        cloudflare.worker("talking", "GET", "/")
        try:
            told = json.loads(tail.recv(timeout=0.5))
        except TimeoutError:
            continue
        if told["logs"][0]["message"][0] == "again":
            break
    else:
        pytest.fail("no event after the deployment")
    deploy(cloudflare, "talking", CODE, [])


def test_nothing_is_told_to_who_does_not_look(cloudflare: Api, talking: str) -> None:
    made = cloudflare.client.post(talking + "/tails", json={}).json()["result"]
    assert cloudflare.client.get(talking + "/tails").json()["result"]["id"] == made["id"]
    assert cloudflare.client.delete(f"{talking}/tails/{made['id']}").is_success
    with pytest.raises(InvalidStatus):
        connect(made["url"], open_timeout=10)
    gone = cloudflare.client.delete(f"{talking}/tails/{made['id']}")
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, 10057)
    assert cloudflare.client.get(talking + "/tails").json()["result"] is None
    assert cloudflare.client.post("/workers/scripts/none/tails", json={}).status_code == 404


def test_an_end_of_the_session_ends_the_socket(cloudflare: Api, talking: str) -> None:
    made = cloudflare.client.post(talking + "/tails", json={}).json()["result"]
    with connect(made["url"], open_timeout=10) as opened:
        cloudflare.client.delete(f"{talking}/tails/{made['id']}")
        with pytest.raises(ConnectionClosed):
            opened.recv(timeout=10)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
def test_a_foreign_page_hears_nothing(cloudflare: Api, talking: str, headers: dict[str, str]) -> None:
    made = cloudflare.client.post(talking + "/tails", json={}).json()["result"]
    origin = headers.get("Origin")
    host = headers.get("Host")
    url = made["url"].replace("127.0.0.1", host) if host else made["url"]
    address = ("127.0.0.1", cloudflare.running.api_port)
    with socket.create_connection(address) as inner, pytest.raises(InvalidStatus):
        connect(url, origin=origin, open_timeout=10, sock=inner)  # type: ignore[arg-type]
    assert cloudflare.client.delete(f"{talking}/tails/{made['id']}").is_success
