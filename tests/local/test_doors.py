"""Who gets in at the API's port: every route of the app, and the ways around it that were tried."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from starlette.routing import WebSocketRoute

from inferstack import local
from inferstack.local._store import Store
from inferstack.local.ai.run import Models
from inferstack.local.api_faults import ApiFaults
from inferstack.local.app import Account, LocalCloudflare
from inferstack.local.storage.storage import Storage
from tests.conftest import Api

OPEN = {("GET", "/health"), ("HEAD", "/health")}
DATA_PLANE = "/v1/"
S3 = "/cdn-cgi/local/r2/s3"  # tests/local/test_s3.py
MODEL = "@cf/meta/llama-3.2-3b-instruct"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Method and path of every route that the app has, with made-up parameters."""
    store = Store(tmp_path_factory.mktemp("routes"))
    account = Account(account_id=local.ACCOUNT_ID, token="t", subdomain="local")
    storage = Storage(Path("workerd"), Path("modules"), tmp_path_factory.mktemp("storage"), Path("log"))
    app = LocalCloudflare(store, account, Models(), ApiFaults(), storage).api()
    found = []
    for route in app.routes:
        if isinstance(route, WebSocketRoute):  # tests/local/test_tails.py
            continue
        path = re.sub(r"\{account_id\}", local.ACCOUNT_ID, route.path)  # type: ignore[attr-defined]
        path = re.sub(r"\{\w+(:path)?\}", "x", path)
        found += [(method, path) for method in sorted(route.methods)]  # type: ignore[attr-defined]
    store.close()
    return found


def address(cloudflare: Api) -> str:
    return f"http://127.0.0.1:{cloudflare.running.api_port}"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic x"},
        {"host": "evil.example", "authorization": "TOKEN"},
        {"host": "127.0.0.1.evil.example", "authorization": "TOKEN"},
        {"host": "localhost.evil.example:8788", "authorization": "TOKEN"},
        {"host": "192.168.1.4", "authorization": "TOKEN"},
    ],
    ids=["no token", "wrong", "empty", "another scheme", "foreign host", "look-alike", "localhost in it", "network"],
)
def test_every_route_refuses(cloudflare: Api, routes: list[tuple[str, str]], headers: dict[str, str]) -> None:
    assert len(routes) > 150
    sent = {k: v.replace("TOKEN", f"Bearer {local.token_of(cloudflare.folder)}") for k, v in headers.items()}
    passed = []
    with httpx.Client(base_url=address(cloudflare)) as client:
        for method, path in routes:
            if "host" not in sent and ((method, path) in OPEN or path.startswith((DATA_PLANE, S3))):
                continue
            answer = client.request(method, path, headers=sent)
            if answer.status_code not in (400, 401, 403):
                passed.append(f"{method} {path}: {answer.status_code}")
    assert not passed


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_foreign_page_changes_nothing(cloudflare: Api, routes: list[tuple[str, str]], origin: str) -> None:
    sent = {"origin": origin, "authorization": f"Bearer {local.token_of(cloudflare.folder)}"}
    with httpx.Client(base_url=address(cloudflare)) as client:
        for method, path in routes:
            if method not in ("GET", "HEAD"):
                assert client.request(method, path, headers=sent).status_code == 403, (method, path)


@pytest.mark.parametrize("door", ["import", "export"])
@pytest.mark.parametrize(
    "tail",
    ["a/{door}/b", "a%2F{door}%2Fb", "{door}/x", "..%2F{door}%2Fb", "a//{door}//b", "./{door}/../b", "{door}/e"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "base",
    ["/storage/kv/namespaces/n/values/", "/r2/buckets/b/objects/", "/d1/database/nope/", "/d1/database/nope%2F"],
    ids=["kv", "r2", "d1", "d1 encoded"],
)
def test_a_word_in_the_path_opens_nothing(cloudflare: Api, base: str, method: str, tail: str, door: str) -> None:
    url = f"{cloudflare.running.base_url}/accounts/{local.ACCOUNT_ID}{base}{tail.format(door=door)}"
    assert httpx.request(method, url, content=b"x").status_code in (401, 404)
    assert httpx.request(method, f"{url}?signature=", content=b"x").status_code in (401, 404)


def test_an_address_that_the_api_gave_out_is_good_for_itself_only(cloudflare: Api) -> None:
    one, two = (
        cloudflare.client.post("/d1/database", json={"name": name}).json()["result"]["uuid"] for name in ("da", "db")
    )
    etag = "9dd4e461268c8034f5c8564e155c67a6"  # of "x"
    body = {"action": "init", "etag": etag}
    url = cloudflare.client.post(f"/d1/database/{one}/import", json=body).json()["result"]["upload_url"]
    assert httpx.put(url, content=b"x").status_code == 200
    assert httpx.put(url.replace(one, two), content=b"x").status_code == 401
    assert httpx.get(url).status_code == 401
    assert httpx.put(url[:-1] + ("0" if url[-1] != "0" else "1"), content=b"x").status_code == 401
    cloudflare.client.delete(f"/d1/database/{one}")
    assert httpx.put(url, content=b"x").status_code == 404
    made = cloudflare.client.post(f"/d1/database/{two}/export", json={"output_format": "polling"}).json()["result"]
    assert httpx.get(made["result"]["signed_url"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"open/workers-ai/{MODEL}", {"prompt": "Hello"}),
        ("open/workers-ai/v1/chat/completions", {"model": MODEL, "messages": []}),
        ("open/compat/chat/completions", {"model": f"workers-ai/{MODEL}", "messages": []}),
        ("open/compat/chat/completions", {"model": "dynamic/r", "messages": []}),
        ("open", [{"provider": "workers-ai", "endpoint": MODEL, "query": {"prompt": "Hello"}}]),
    ],
    ids=["native", "openai", "compat", "dynamic", "universal"],
)
def test_the_gateway_asks_for_the_account_s_token(cloudflare: Api, path: str, body: object) -> None:
    settings = {"cache_ttl": 0, "collect_logs": False, "cache_invalidate_on_update": True}
    settings |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    cloudflare.client.post("/ai-gateway/gateways", json={"id": "open", **settings})
    url, token = f"{address(cloudflare)}/v1/{local.ACCOUNT_ID}/{path}", local.token_of(cloudflare.folder)
    for headers in ({}, {"authorization": "Bearer x"}, {"content-type": "text/plain"}):
        refused = httpx.post(url, json=body, headers=headers)
        assert (refused.status_code, refused.json()["error"][0]["code"]) == (401, 2009)
    for name in ("authorization", "cf-aig-authorization"):
        assert httpx.post(url, json=body, headers={name: f"Bearer {token}"}).status_code != 401
    other = url.replace(local.ACCOUNT_ID, "0" * 32)
    assert httpx.post(other, json=body, headers={"cf-aig-authorization": f"Bearer {token}"}).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "api.cloudflare.com", "a.localhost", "127.9.9.9"])
def test_names_of_this_machine_pass(cloudflare: Api, host: str) -> None:
    answer = cloudflare.client.get("/queues", headers={"host": f"{host}:{cloudflare.running.api_port}"})
    assert answer.status_code == 200
