"""The client against a real server: what is sent, what is made of answers, and of none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inferstack.cloudflare import ApiError, Unreachable
from inferstack.cloudflare.client import BUDGET_VARIABLE, Client
from tests.cloudflare.fast_clock import FastClock

BREAKS_OFF = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"


def answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


@dataclass
class Api:
    """`answers` are given byte by byte, one for each request; requests are noted."""

    answers: list[bytes]
    base_url: str = ""
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    clock: FastClock = field(default_factory=FastClock)

    def client(self) -> Client:
        return Client(self.base_url + "/", "secret", self.clock)

    def take(self, request: BaseHTTPRequestHandler) -> bytes:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        self.requests.append((request.command, request.path, body))
        self.tokens.add(request.headers.get("authorization"))
        return self.answers.pop(0)


@contextmanager
def api(*answers: bytes) -> Iterator[Api]:
    told = Api(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            self.wfile.write(told.take(self))
            self.close_connection = True

        do_GET = do_POST = _handle  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.base_url = f"http://127.0.0.1:{server.server_port}/client/v4"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


def test_a_good_answer_is_its_json_and_the_token_goes_along() -> None:
    with api(answer("200 OK", '{"result": [1]}')) as told:
        client = told.client()
        assert client.call("GET", "/accounts?page=2", 60) == {"result": [1]}
        assert told.requests == [("GET", "/client/v4/accounts?page=2", b"")]
        assert told.tokens == {"Bearer secret"}
        assert (client.base_url, client.token, client.clock) == (told.base_url, "secret", told.clock)


def test_an_empty_answer_is_an_empty_object() -> None:
    with api(answer("200 OK", "")) as told:
        assert told.client().call("POST", "/x", 60, json={"a": 1}) == {}
        assert told.requests == [("POST", "/client/v4/x", b'{"a":1}')]


def test_a_refusal_is_an_error_to_a_call_and_an_answer_to_a_send() -> None:
    refusal = answer("404 Not Found", '{"errors": [{"code": 7003, "message": "no route"}]}')
    with api(refusal, refusal) as told:
        with pytest.raises(ApiError, match=r"^404 Not Found \[7003\] no route$"):
            told.client().call("GET", "/x", 60)
        assert told.client().send("GET", "/x", 60).status_code == 404


GONE = {404: True, 410: True, 400: False, 403: False, 405: False, 409: False, 411: False, 500: False}


@pytest.mark.parametrize(("status", "gone"), GONE.items())
def test_what_is_not_there(status: int, gone: bool) -> None:
    with api(*[answer(f"{status} X", "")] * 5) as told, pytest.raises(ApiError) as caught:
        told.client().call("GET", "/x", 60)
    assert caught.value.not_there is gone
    assert (caught.value.status, caught.value.code, caught.value.text) == (status, None, "")


def test_what_answers_no_json_is_no_api() -> None:
    with (
        api(answer("200 OK", "<html>")) as told,
        pytest.raises(Unreachable, match=r"^it answers no JSON: a proxy or a wrong CLOUDFLARE_BASE_URL in"),
    ):
        told.client().call("GET", "/x", 60)


def test_an_answer_that_breaks_off_is_asked_for_again_with_the_same_body() -> None:
    def body() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    with api(BREAKS_OFF, answer("500 Oops", ""), answer("200 OK", '{"ok": true}')) as told:
        assert told.client().call("POST", "/x", 60, content=body(), headers={"content-length": "6"}) == {"ok": True}
        assert told.requests == [("POST", "/client/v4/x", b"onetwo")] * 3
        assert len(told.clock.waits) == 2


def test_where_nothing_listens_the_error_names_what_happened() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = Client(f"http://127.0.0.1:{free.getsockname()[1]}", "t", FastClock(at=10))
        with pytest.raises(Unreachable, match=r"^ConnectError$"):
            client.call("GET", "/", 10)


def test_a_deadline_ends_the_tries() -> None:
    with api(*[answer("503 Busy", "")] * 5) as told:
        assert told.client().send("GET", "/x", 1.0).status_code == 503
        assert len(told.requests) == 2  # after half a second, and not after another whole one


@pytest.mark.parametrize(("given", "waits"), [(None, []), ("2,0", [0.5])], ids=["no budget", "one that is asked for"])
def test_this_machine_needs_no_budget(
    given: str | None, waits: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if given:
        monkeypatch.setenv(BUDGET_VARIABLE, given)
    with api(answer("200 OK", "{}")) as told:
        result: Any = told.client().call("GET", "/x", 60)
    assert (result, told.clock.waits) == ({}, waits)
