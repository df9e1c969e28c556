"""What all templates share: callers, limits, errors, CORS, traces, logs, /healthz and /openapi.json."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.local.test_workers_come_back import workerds
from tests.local.test_workers_run import wait_for
from tests.templates.conftest import Deployed, free_port

STACKS = ["chat"]
JWKS_PORT = free_port()
SECONDS = 10
ISSUER, AUDIENCE = "https://login.example", "chat"
EXTRAS = f"""
workers:
  chat:
    options: {{ cors: ["https://app.example"], max_body_bytes: 2000 }}
    bindings:
      RATE_LIMITER: {{ rate_limit: {{ requests: 1000, seconds: 60 }} }}
  limited:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings:
      AI: {{ ai: true }}
      RATE_LIMITER: {{ rate_limit: {{ requests: 2, seconds: 60 }} }}
    secrets: {{ API_TOKEN: "env:TWO_KEYS" }}
  signed:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings: {{ AI: {{ ai: true }} }}
    options:
      auth: jwt
      jwt: {{ jwks_url: "http://127.0.0.1:{JWKS_PORT}/jwks", issuer: "{ISSUER}", audience: "{AUDIENCE}" }}
  empties:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings: {{ AI: {{ ai: true }} }}
    secrets: {{ API_TOKEN: "env:EMPTY_KEYS" }}
  tenants:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings: {{ AI: {{ ai: true }} }}
    options:
      auth: jwt
      jwt: {{ jwks_url: "http://127.0.0.1:{JWKS_PORT}/jwks", tenant_claim: org }}
  lost:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings: {{ AI: {{ ai: true }} }}
    options:
      auth: jwt
      jwt: {{ jwks_url: "http://127.0.0.1:{free_port()}/jwks" }}
  open:
    template: chat
    compatibility_date: "2026-06-01"
    models: {{ chat: chat }}
    bindings: {{ AI: {{ ai: true }} }}
    options: {{ auth: none }}
"""
HELLO = {"message": "Hello there"}
EMPTY_KEYS = "alice=key-of-alice,carol=,=nobody,default=,,dave=half-a-key, b,c,erin= ,frank=a=b"
KEY, SECOND_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module", autouse=True)
def keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWO_KEYS", "ann=key-of-ann,bob=key-of-bob,c2VjcmV0LXBhZA==")
        patch.setenv("EMPTY_KEYS", EMPTY_KEYS)
        yield


@pytest.fixture(scope="module", autouse=True)
def issuer() -> Iterator[None]:
    """Serves the public key, as an identity provider does."""
    named = {"one": KEY, "two": SECOND_KEY}
    public = [
        json.loads(jwt.algorithms.ECAlgorithm.to_jwk(k.public_key())) | {"kid": name} for name, k in named.items()
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"keys": public}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", JWKS_PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_key_is_asked_for(deployed: Deployed) -> None:
    for token in ("wrong", "x"):
        with deployed.client("chat", token) as client:
            refused = client.post("/chat", json=HELLO)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"] == "application/problem+json"


def test_each_key_has_a_name_and_a_rate_of_its_own(deployed: Deployed) -> None:
    with deployed.client("limited", "key-of-ann") as ann:
        codes = [ann.post("/chat", json=HELLO).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    for key in ("key-of-bob", "c2VjcmV0LXBhZA=="):
        with deployed.client("limited", key) as other:
            assert other.post("/chat", json=HELLO).status_code == 200
    for key in ("ann=key-of-ann", "c2VjcmV0LXBhZA", "ann"):
        with deployed.client("limited", key) as stranger:
            assert stranger.post("/chat", json=HELLO).status_code == 401


def test_without_auth_anyone_may_call(deployed: Deployed) -> None:
    with deployed.client("open", "nothing") as client:
        assert client.post("/chat", json=HELLO).status_code == 200


def claims(expires: float = 60, **more: object) -> dict[str, object]:
    """Of now; `expires` and `nbf` in seconds from now."""
    return {"sub": "ann", "iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + expires, **more}


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({}, 200, ""),
        ({"expires": -3600}, 401, "has expired"),
        ({"iss": "https://evil.example"}, 401, "another issuer"),
        ({"aud": "billing"}, 401, "another audience"),
        ({"nbf": 4e9}, 401, "not valid yet"),
    ],
)
def test_a_jwt_is_verified(deployed: Deployed, changed: dict[str, Any], status: int, words: str) -> None:
    token = jwt.encode(claims(**changed), KEY, algorithm="ES256", headers={"kid": "one"})
    with deployed.client("signed", token) as client:
        answer = client.post("/chat", json=HELLO)
    assert answer.status_code == status, answer.text
    assert words in answer.text


@pytest.mark.parametrize("key", [KEY, SECOND_KEY])
def test_a_jwt_that_names_no_key_is_tried_with_each(deployed: Deployed, key: ec.EllipticCurvePrivateKey) -> None:
    with deployed.client("signed", jwt.encode(claims(), key, algorithm="ES256")) as client:
        assert client.post("/chat", json=HELLO).status_code == 200
    stranger = jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
    with deployed.client("signed", stranger) as client:
        assert client.post("/chat", json=HELLO).status_code == 401


def test_a_jwt_does_not_become_the_stack_by_its_name(deployed: Deployed) -> None:
    """`default` is the tenant of the stack's own key: its documents are public, and it may re-index."""
    with deployed.client("tenants", signed(org="default")) as client:
        answer = client.post("/chat", json=HELLO)
    assert (answer.status_code, "the name of the stack itself" in answer.text) == (401, True)


def test_a_jwt_of_another_key_or_none_is_refused(deployed: Deployed) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    forged = jwt.encode(claims(), other, algorithm="ES256", headers={"kid": "one"})
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": "one"})
    for token in (forged, unsigned, "a.b.c", "rubbish"):
        with deployed.client("signed", token) as client:
            assert client.post("/chat", json=HELLO).status_code == 401


@pytest.mark.parametrize("key", ["key-of-alice", "half-a-key", "a=b"])
def test_a_key_with_a_name_is_one(deployed: Deployed, key: str) -> None:
    with deployed.client("empties", key) as client:
        assert client.post("/chat", json=HELLO).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "carol=",
        "=nobody",
        "nobody",
        "default=",
        "=",
        ",",
        "b",
        "c",
        "erin=",
        "alice",
        EMPTY_KEYS,
        "half-a-key, b,c",
    ],
)
def test_what_lacks_a_name_or_a_key_is_no_key(deployed: Deployed, key: str) -> None:
    with deployed.client("empties", key) as client:
        assert client.post("/chat", json=HELLO).status_code == 401


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(deployed: Deployed, kind: str) -> None:
    headers = {"authorization": f"{kind} {deployed.token}"}
    assert deployed.call("chat", "POST", "/chat", json=HELLO, headers=headers).status_code == 200


def signed(header: dict[str, Any] | None = None, **changed: Any) -> str:
    return jwt.encode(claims(**changed), KEY, algorithm="ES256", headers={"kid": "one", **(header or {})})


def encoded(*parts: Any) -> str:
    """A token of any parts, whether they are JSON or not."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in parts]
    return ".".join(base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts)


HEADER = {"alg": "ES256", "kid": "one"}
MALFORMED = {
    "critical extension": signed({"crit": ["exp"]}),
    "empty crit": signed({"crit": []}),
    "header null": encoded("null", {}, "x"),
    "header list": encoded([], {}, "x"),
    "header number": encoded("5", {}, "x"),
    "no algorithm": encoded({}, {}, "x"),
    "algorithm of all objects": encoded({"alg": "constructor"}, {}, "x"),
    "algorithm list": encoded({"alg": ["ES256"]}, {}, "x"),
    "key id list": encoded({**HEADER, "kid": ["one"]}, {}, "x"),
    "claims null": encoded(HEADER, "null", "x"),
    "claims text": encoded(HEADER, '"a"', "x"),
    "signature no base64": encoded(HEADER, {}) + ".%%%",
    "signature of one sign": encoded(HEADER, {}) + ".a",
    "no signature": encoded(HEADER, {}) + ".",
    "no base64 at all": "ä.ö.ü",
    "no UTF-8": base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".e30.e30",
    "four parts": signed() + ".x",
    "expires as text": signed(exp="9999999999"),
    "expires never": encoded(HEADER, {"sub": "ann"}, "x"),
    "not before as text": signed(nbf="0"),
    "audience object": signed(aud={"chat": True}),
    "no subject": signed(sub=None),
    "empty subject": signed(sub=""),
    "HS256 with the public key": encoded({"alg": "HS256", "kid": "one"}, claims(), "x"),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_token_is_refused_and_no_failure(deployed: Deployed, token: str) -> None:
    answer = deployed.call("signed", "POST", "/chat", json=HELLO, headers={"authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401, answer.text
    assert deployed.call("signed", "GET", "/healthz").status_code == 200


@pytest.mark.parametrize("org", [None, "", " ", 5, True, ["a"], {"id": 1}], ids=str)
def test_a_tenant_is_a_text(deployed: Deployed, org: Any) -> None:
    """`{"id": 1}` and `{"id": 2}` would both be "[object Object]"; none at all would be a tenant that all share."""
    changed = {} if org is None else {"org": org}
    with deployed.client("tenants", signed(**changed)) as client:
        answer = client.post("/chat", json=HELLO)
    assert (answer.status_code, "names no tenant" in answer.text) == (401, True)
    with deployed.client("tenants", signed(org="acme")) as client:
        assert client.post("/chat", json=HELLO).status_code == 200


def test_without_the_issuer_s_keys_nobody_gets_in(deployed: Deployed) -> None:
    with deployed.client("lost", signed()) as client:
        answer = client.post("/chat", json=HELLO)
    assert (answer.status_code, answer.json()["code"]) == (503, "jwks_unreachable")


def test_what_does_not_fit_is_told_with_every_violation(deployed: Deployed) -> None:
    wrong = deployed.post("chat", "/chat", {"message": "", "temperature": 9, "extra": 1})
    assert (wrong.status_code, wrong.json()["status"]) == (400, 400)
    assert wrong.json()["errors"] == [
        "message must have at least 1 characters",
        "temperature must be at most 5",
        "extra is not known",
    ]
    assert deployed.call("chat", "POST", "/chat", content=b"{").json()["detail"] == "the body is not JSON"


def test_a_body_that_is_too_long_is_refused_also_without_a_length(deployed: Deployed) -> None:
    body = json.dumps({"message": "x" * 3000}).encode()
    assert deployed.call("chat", "POST", "/chat", content=body).status_code == 413
    chunks = (body[i : i + 500] for i in range(0, len(body), 500))
    assert deployed.call("chat", "POST", "/chat", content=chunks).status_code == 413


def test_unknown_paths_and_methods(deployed: Deployed) -> None:
    assert deployed.call("chat", "GET", "/nowhere").status_code == 404
    wrong = deployed.call("chat", "GET", "/chat")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_cors_lets_only_the_named_origin_in(deployed: Deployed) -> None:
    ask = {"access-control-request-method": "POST"}
    good = deployed.call("chat", "OPTIONS", "/chat", headers={"origin": "https://app.example", **ask})
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (204, "https://app.example")
    headers = {"access-control-request-headers": "authorization,content-type,x-stainless-os"}
    openai = deployed.call("chat", "OPTIONS", "/chat", headers={"origin": "https://app.example", **ask, **headers})
    assert openai.headers["access-control-allow-headers"] == headers["access-control-request-headers"]
    bad = deployed.call("chat", "OPTIONS", "/chat", headers={"origin": "https://evil.example", **ask, **headers})
    assert "access-control-allow-headers" not in bad.headers
    assert "access-control-allow-origin" not in bad.headers


def test_health_and_openapi_need_no_key(deployed: Deployed) -> None:
    with deployed.client("chat", "none") as client:
        assert client.get("/healthz").json() == {"ok": True, "service": "chat"}
        document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    body = document["paths"]["/chat"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["message"] == {"type": "string", "minLength": 1}
    assert "/v1/chat/completions" in document["paths"]


def test_one_log_line_tells_who_what_tokens_and_cost(deployed: Deployed) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = deployed.call("chat", "POST", "/chat", json=HELLO, headers=headers)
    identifier = answer.headers["x-request-id"]
    log = deployed.project.root / ".inferstack" / "local" / "workers.log"
    end = time.monotonic() + SECONDS
    lines: list[str] = []
    while not lines and time.monotonic() < end:
        lines = [line for line in log.read_text().splitlines() if identifier in line]
        time.sleep(0.05)
    [line] = lines
    entry = json.loads(line[line.index("{") :])
    assert (entry["trace_id"], entry["status"], entry["route"]) == (trace, 200, "/chat")
    assert entry["caller"] == "default"
    usage = answer.json()["usage"]
    assert entry["tokens"] == {"prompt": usage["prompt_tokens"], "completion": usage["completion_tokens"]}
    # Prices of the catalogue for a million tokens: 0.293 in, 2.253 out.
    assert entry["usd"] == pytest.approx(
        (usage["prompt_tokens"] * 0.293 + usage["completion_tokens"] * 2.253) / 1e6, rel=1e-3, abs=1e-8
    )
    assert "Hello there" not in line


def signal_all(process: int, sent: signal.Signals) -> None:
    for pid in workerds(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)


def test_status_says_that_workers_do_not_answer(deployed: Deployed) -> None:
    """Each process that takes a frozen one's place freezes, too: on a busy machine `status` takes longer than that."""
    process, thawed = deployed.project.running.pid, threading.Event()

    def freeze() -> None:
        while not thawed.wait(0.05):
            signal_all(process, signal.SIGSTOP)

    freezer = threading.Thread(target=freeze)
    freezer.start()
    try:
        assert "DO NOT ANSWER" in deployed.project.run("status", "samples")
    finally:
        thawed.set()
        freezer.join()
        signal_all(process, signal.SIGCONT)
    assert wait_for(lambda: "DO NOT ANSWER" not in deployed.project.run("status", "samples"), 30)
