"""Two tenants try to read, list, overwrite and delete each other's things, in every template that stores anything."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.templates.conftest import Deployed, free_port

STACKS = ["rag", "embed", "image", "batch", "tools", "gateway"]
JWKS_PORT = free_port()
ISSUER, AUDIENCE = "https://login.example", "tests"
JWT = (
    f'{{ jwks_url: "http://127.0.0.1:{JWKS_PORT}/jwks", issuer: "{ISSUER}", audience: "{AUDIENCE}", '
    "tenant_claim: org, own_tenant: default }"
)
EXTRAS = """
gateways:
  outside:
    spend_limits: [{ usd: 0.00001, interval: 3600, per: tenant }]
workers:
""" + "".join(
    f"  {name}: {{ options: {{ auth: jwt, jwt: {JWT} }} }}\n" for name in STACKS if name not in ("rag", "tools")
)
# The tool searches what `embed` keeps.
EXTRAS += f"  tools: {{ options: {{ auth: jwt, jwt: {JWT} }}, bindings: {{ DOCS: {{ index: texts }} }} }}\n"
EXTRAS += f"  rag: {{ options: {{ auth: jwt, jwt: {JWT}, min_score: 0 }} }}\n"
KEY = ec.generate_private_key(ec.SECP256R1())
TEXT = "The cellar holds ninety-nine bicycles."
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
PAIRS = [("ann", "bob"), ("a", "a/b"), ("a/b", "a"), ("é", "e"), ("x" * 64, "x" * 65), ("..", "."), ("default", "ann")]


@pytest.fixture(scope="module", autouse=True)
def issuer() -> Iterator[None]:
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key())) | {"kid": "one"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [public]}).encode())

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", JWKS_PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


Call = Callable[..., httpx.Response]


def caller(deployed: Deployed, worker: str, tenant: Any) -> Call:
    claims = {"sub": "one", "org": tenant, "iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 600}
    token = jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "one"})

    def call(method: str, path: str, **options: Any) -> httpx.Response:
        with deployed.client(worker, token) as client:
            return client.request(method, path, **options)

    return call


@pytest.mark.parametrize(("owner", "other"), PAIRS, ids=[f"{a[:5]} and {b[:5]}" for a, b in PAIRS])
class TestTwoTenants:
    def test_of_rag_share_no_document(self, deployed: Deployed, owner: str, other: str) -> None:
        mine, theirs = caller(deployed, "rag", owner), caller(deployed, "rag", other)
        names = ["b/c", "c", "../x"]
        for name in names:
            assert mine("POST", "/documents", json={"id": name, "title": "Mine", "text": TEXT}).status_code == 201
        assert theirs("GET", "/documents").json()["documents"] == []
        assert theirs("POST", "/ask", json={"question": "How many bicycles?"}).json()["sources"] == []
        for name in names:
            assert theirs("DELETE", f"/documents/{quote(name, safe='')}").status_code == 404
            theirs("POST", "/documents", json={"id": name, "title": "Theirs", "text": "Other words."})
        assert {d["title"] for d in mine("GET", "/documents").json()["documents"]} == {"Mine"}
        assert "bicycles" in mine("POST", "/ask", json={"question": "How many bicycles?"}).text
        for call in (mine, theirs):
            for name in names:
                assert call("DELETE", f"/documents/{quote(name, safe='')}").status_code == 200

    def test_of_embed_share_no_vector(self, deployed: Deployed, owner: str, other: str) -> None:
        mine, theirs = caller(deployed, "embed", owner), caller(deployed, "embed", other)
        items: list[dict[str, Any]] = [{"text": TEXT, "metadata": {"whose": "mine"}}]
        items.append({"text": TEXT, "namespace": other[:64], "metadata": {"whose": "mine"}})
        ids = mine("POST", "/vectors", json={"items": items}).json()["ids"]
        for space in ({}, {"namespace": owner[:64]}, {"namespace": other[:64]}):
            assert theirs("POST", "/search", json={"query": TEXT, **space}).json()["matches"] == []
        assert theirs("DELETE", "/vectors", json={"ids": ids}).json()["ids"] == []
        stolen = [{**item, "metadata": {"whose": "theirs"}} for item in items]
        new = theirs("POST", "/vectors", json={"items": stolen}).json()["ids"]
        assert not set(new) & set(ids)
        for space in ({}, {"namespace": other[:64]}):
            found = mine("POST", "/search", json={"query": TEXT, **space}).json()["matches"]
            assert [match["metadata"]["whose"] for match in found] == ["mine"]
        assert mine("DELETE", "/vectors", json={"ids": ids}).json()["ids"] == ids
        assert theirs("DELETE", "/vectors", json={"ids": new}).json()["ids"] == new

    def test_of_image_delete_no_image(self, deployed: Deployed, owner: str, other: str) -> None:
        mine, theirs = caller(deployed, "image", owner), caller(deployed, "image", other)
        made = mine("POST", "/images", json={"prompt": "a red bicycle"}).json()
        path = urlsplit(made["url"]).path
        for name in (made["id"], path.removeprefix("/images/"), f"../images/{made['id']}"):
            assert theirs("DELETE", f"/images/{quote(name, safe='')}").status_code == 404
        host = {"host": urlsplit(made["url"]).netloc}
        link = f"http://127.0.0.1:{deployed.project.running.port}{path}?{urlsplit(made['url']).query}"
        assert httpx.get(link, headers=host).status_code == 200
        assert mine("DELETE", f"/images/{made['id']}").status_code == 200
        assert httpx.get(link, headers=host).status_code == 404

    def test_of_batch_share_no_job_and_no_key(self, deployed: Deployed, owner: str, other: str) -> None:
        mine, theirs = caller(deployed, "batch", owner), caller(deployed, "batch", other)
        headers = {"idempotency-key": "same"}
        job = mine("POST", "/jobs", json={"items": [{"input": "Hello"}]}, headers=headers).json()["id"]
        foreign = theirs("POST", "/jobs", json={"items": [{"input": "Hello"}]}, headers=headers).json()["id"]
        assert foreign != job
        for method, path in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
            assert theirs(method, f"/jobs/{job}{path}").status_code == 404
        assert mine("GET", f"/jobs/{job}").json()["state"] != "cancelled"

    def test_of_gateway_spend_each_on_its_own_limit(self, deployed: Deployed, owner: str, other: str) -> None:
        mine, theirs = (
            caller(deployed, "gateway", f"{owner} pays"),
            caller(deployed, "gateway", f"{other} pays too {owner}"),
        )
        body = {"model": "fast", "messages": [{"role": "user", "content": f"Hello {owner}"}]}
        stolen = {**body, "metadata": {"tenant": f"{owner} pays", "caller": "else"}}
        assert theirs("POST", "/v1/chat/completions", json=stolen).status_code == 200
        assert mine("POST", "/v1/chat/completions", json=body).status_code == 200, "the other has not spent for it"
        before = len(deployed.inferences())
        for name in ("t0", "t1"):
            told = mine("POST", "/v1/chat/completions", json={**body, "metadata": {"tenant": name}})
            assert (told.status_code, told.json()["error"]["code"]) == (402, "spend_limit_reached"), told.text
        assert len(deployed.inferences()) == before, "what is spent is not tried again, nor elsewhere"


def test_a_tool_searches_the_vectors_of_its_caller_only(deployed: Deployed) -> None:
    caller(deployed, "embed", "ann")("POST", "/vectors", json={"items": [{"text": TEXT}]})
    found = {}
    for tenant in ("ann", "bob", "default"):
        ask = {"message": 'Find notes about the subject "bicycles"'}
        [step] = caller(deployed, "tools", tenant)("POST", "/run", json=ask).json()["steps"]
        found[tenant] = TEXT in step["result"]
    assert found == {"ann": True, "bob": False, "default": False}


def test_originals_of_tenants_never_meet_in_one_key(deployed: Deployed) -> None:
    names = {"a": "b/c", "a/b": "c", "a/": "b/c2", "a//b": "c2", "..": "x", "~t": "x"}
    for tenant, name in names.items():
        made = caller(deployed, "rag", tenant)("POST", "/documents", json={"id": name, "title": "T", "text": TEXT})
        assert made.status_code == 201
    keys = [item["key"] for item in deployed.project.api("GET", "/r2/buckets/sources-sample/objects")]
    assert len([key for key in keys if key.endswith(("c", "c2", "/x"))]) == len(names), keys


@pytest.mark.parametrize("tenant", ["", " ", None, 5, {"id": 1}, ["a"], "a\0b"], ids=repr)
@pytest.mark.parametrize("worker", STACKS)
def test_a_caller_without_a_tenant_of_text_is_refused(deployed: Deployed, worker: str, tenant: Any) -> None:
    paths = {"rag": "/documents", "embed": "/vectors", "image": "/images", "batch": "/jobs", "tools": "/run"}
    refused = caller(deployed, worker, tenant)("POST", paths.get(worker, "/v1/chat/completions"), json={})
    assert refused.status_code == 401, refused.text


def test_anonymous_visitors_share_no_conversation(deployed: Deployed) -> None:
    with deployed.client("rag", "none") as client:
        client.headers.pop("authorization")
        assert client.post("/ask", json={"question": "Hello?", "conversation": "1"}).status_code == 401
        assert client.post("/ask", json={"question": "Hello?"}).status_code == 200


def test_metadata_of_other_values_is_refused(deployed: Deployed) -> None:
    call = caller(deployed, "gateway", "odd")
    body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
    for metadata in ("abc", 5, ["a"], {"a": {"b": 1}}, {"a": None}):
        assert call("POST", "/v1/chat/completions", json={**body, "metadata": metadata}).status_code == 400


def test_a_document_with_a_key_of_ours_is_not_lost(deployed: Deployed) -> None:
    call = caller(deployed, "rag", "queued")
    document = {"id": "q", "title": "Q", "text": TEXT, "reindex": "x", "tenant": "bob"}
    assert call("POST", "/documents?async=true", json=document).status_code == 202
    end = time.monotonic() + 20
    while time.monotonic() < end and not call("GET", "/documents").json()["documents"]:
        time.sleep(0.2)
    assert [d["id"] for d in call("GET", "/documents").json()["documents"]] == ["q"]
