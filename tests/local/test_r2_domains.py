"""Public addresses of buckets serve their objects while they are enabled, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Api


@pytest.fixture
def bucket(cloudflare: Api) -> Iterator[str]:
    assert cloudflare.client.post("/r2/buckets", json={"name": "shown"}).is_success
    path = "/r2/buckets/shown"
    headers = {"content-type": "text/css"}
    assert cloudflare.client.put(path + "/objects/a%2Fb%20c.css", content=b"body {}", headers=headers).is_success
    yield path
    cloudflare.client.delete(path + "/objects/a%2Fb%20c.css")
    assert cloudflare.client.delete(path).is_success


def get(cloudflare: Api, host: str, path: str = "/a/b%20c.css", method: str = "GET", **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{cloudflare.running.port}{path}"
    return httpx.request(method, url, headers={"host": host, **headers}, timeout=20)


def result(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["result"]


def test_the_managed_address_serves_while_it_is_enabled(cloudflare: Api, bucket: str) -> None:
    managed = bucket + "/domains/managed"
    found = result(cloudflare.client.get(managed))
    assert found["enabled"] is False
    assert get(cloudflare, found["domain"]).status_code == 404
    assert result(cloudflare.client.put(managed, json={"enabled": True}))["domain"] == found["domain"]
    served = get(cloudflare, found["domain"])
    assert (served.text, served.headers["content-type"]) == ("body {}", "text/css")
    assert get(cloudflare, found["domain"], **{"if-none-match": served.headers["etag"]}).status_code == 304
    assert get(cloudflare, found["domain"], method="HEAD").headers["content-length"] == "7"
    assert get(cloudflare, found["domain"], "/none").status_code == 404
    assert get(cloudflare, found["domain"], method="PUT").status_code == 405
    result(cloudflare.client.put(managed, json={"enabled": False}))
    assert get(cloudflare, found["domain"]).status_code == 404


def test_a_custom_domain_serves_until_it_is_removed(cloudflare: Api, bucket: str) -> None:
    custom = bucket + "/domains/custom"
    made = result(
        cloudflare.client.post(custom, json={"domain": "Files.Example.com", "enabled": True, "minTLS": "1.2"})
    )
    assert (made["domain"], made["minTLS"], made["status"]["ssl"]) == ("files.example.com", "1.2", "active")
    assert get(cloudflare, "files.example.com").text == "body {}"
    assert result(cloudflare.client.get(custom))["domains"] == [made]
    taken = cloudflare.client.post(custom, json={"domain": "files.example.com", "enabled": True})
    assert taken.status_code == 409
    result(cloudflare.client.put(custom + "/files.example.com", json={"enabled": False}))
    assert get(cloudflare, "files.example.com").status_code == 404
    assert result(cloudflare.client.delete(custom + "/files.example.com")) == {"domain": "files.example.com"}
    assert cloudflare.client.get(custom + "/files.example.com").status_code == 404


@pytest.mark.parametrize("body", [{"domain": "no domain"}, {"domain": "a.example.com", "minTLS": "9"}, {}])
def test_an_odd_domain_is_refused(cloudflare: Api, bucket: str, body: dict[str, Any]) -> None:
    refused = cloudflare.client.post(bucket + "/domains/custom", json={"enabled": True, **body})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10040)


def test_a_deleted_bucket_s_address_is_gone(cloudflare: Api) -> None:
    for _ in range(2):
        assert cloudflare.client.post("/r2/buckets", json={"name": "again"}).is_success
        assert result(cloudflare.client.get("/r2/buckets/again/domains/managed"))["enabled"] is False
        result(cloudflare.client.put("/r2/buckets/again/domains/managed", json={"enabled": True}))
        assert result(cloudflare.client.get("/r2/buckets/again/local-uploads")) == {"enabled": False}
        result(cloudflare.client.put("/r2/buckets/again/local-uploads", json={"enabled": True}))
        assert cloudflare.client.delete("/r2/buckets/again").is_success
