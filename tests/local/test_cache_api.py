"""The Cache API of Workers: kept beside deploys, by name and by account; what may not be kept is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy, release, upload

CODE = """
const reply = (body, headers) => new Response(body, { headers: { "cache-control": "max-age=60", ...headers } });
const found = async (cache, url, init) => {
  const got = await cache.match(new Request(url, init));
  return got ? { status: got.status, text: await got.text(), cached: got.headers.get("cf-cache-status") } : null;
};
const steps = {
  async put(cache, url) { await cache.put(url, reply("kept")); return found(cache, url); },
  async match(cache, url) { return found(cache, url); },
  async delete(cache, url) { return [await cache.delete(url), await cache.delete(url), await found(cache, url)]; },
  async named(cache, url) {
    const other = await caches.open("a/b");
    await other.put(url, reply("named"));
    return [await found(cache, url), (await found(other, url)).text, await found(await caches.open("a_b"), url)];
  },
  async ranges(cache, url) {
    await cache.put(url, reply("0123456789"));
    return found(cache, url, { headers: { range: "bytes=2-4" } });
  },
  async etags(cache, url) {
    await cache.put(url, reply("v", { etag: '"one"' }));
    return found(cache, url, { headers: { "if-none-match": '"one"' } });
  },
  async notKept(cache, url) {
    await cache.put(url, new Response("v", { headers: { "cache-control": "no-store" } }));
    return found(cache, url);
  },
  async post(cache, url) { await cache.put(new Request(url, { method: "POST" }), reply("v")); },
  async partial(cache, url) { await cache.put(url, new Response("v", { status: 206 })); },
  async star(cache, url) { await cache.put(url, reply("v", { vary: "*" })); },
};
export default {
  async fetch(request) {
    const { step, url } = await request.json();
    try {
      return Response.json((await steps[step](caches.default, url)) ?? null);
    } catch (error) {
      return Response.json({ error: error.message });
    }
  },
};
"""


def ask(cloudflare: Api, step: str, url: str, worker: str = "caching") -> Any:
    got = cloudflare.worker(worker, "POST", "/", json={"step": step, "url": f"https://example.com/{url}"})
    assert got.status_code == 200, got.text
    return got.json()


@pytest.fixture(scope="module", autouse=True)
def caching(cloudflare: Api) -> None:
    deploy(cloudflare, "caching", CODE)


def test_what_was_put_is_found_by_the_next_version_and_by_other_workers(cloudflare: Api) -> None:
    assert ask(cloudflare, "put", "page") == {"status": 200, "text": "kept", "cached": "HIT"}
    deploy(cloudflare, "caching", CODE + "// another version\n")
    deploy(cloudflare, "reader", CODE)
    assert ask(cloudflare, "match", "page")["text"] == "kept"
    assert ask(cloudflare, "match", "page", "reader")["text"] == "kept"
    assert ask(cloudflare, "delete", "page") == [True, False, None]


def test_named_caches_are_apart(cloudflare: Api) -> None:
    assert ask(cloudflare, "named", "n") == [None, "named", None]


def test_ranges_and_conditions(cloudflare: Api) -> None:
    part = ask(cloudflare, "ranges", "r")
    assert (part["status"], part["text"]) == (206, "234")
    assert ask(cloudflare, "etags", "e")["status"] == 304


def test_what_may_not_be_kept(cloudflare: Api) -> None:
    assert ask(cloudflare, "notKept", "x") is None
    for step in ("post", "partial", "star"):
        assert "error" in ask(cloudflare, step, "x"), step


@pytest.mark.parametrize(
    ("date", "flags"),
    [
        ("2021-12-01", []),
        ("2024-05-03", []),
        ("2024-05-03", ["fetch_standard_url"]),
        ("2026-06-01", ["fetch_legacy_url"]),
    ],
)
def test_an_address_that_http_cannot_carry_is_kept_with_every_date(
    cloudflare: Api, date: str, flags: list[str]
) -> None:
    made = upload(cloudflare, "older", CODE, compatibility_date=date, compatibility_flags=flags)
    release(cloudflare, "older", {made.json()["result"]["id"]: 100})
    for url in (f"{date} {flags}?a=b c", f'{date}/\u00e4|"<x>'):
        assert ask(cloudflare, "put", url, "older") == {"status": 200, "text": "kept", "cached": "HIT"}
        assert ask(cloudflare, "match", url)["text"] == "kept", "the same address for a Worker of today"
        assert ask(cloudflare, "delete", url, "older") == [True, False, None]
    assert ask(cloudflare, "named", f"{date} named", "older") == [None, "named", None]
    assert ask(cloudflare, "ranges", f"{date} {flags}", "older")["text"] == "234"
