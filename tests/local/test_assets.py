"""Static assets: uploaded by sessions as clients do, served by Cloudflare's own asset Worker before or behind the Worker."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy, release, says, upload

SITE = {
    "/index.html": "<h1>home</h1>",
    "/about.html": "<h1>about</h1>",
    "/docs/index.html": "<h1>docs</h1>",
    "/404.html": "<h1>nothing here</h1>",
    "/app.js": "let app = 1;",
    "/日本 語.txt": "日本",
    "/_headers": "/app.js\n  X-Robots-Tag: noindex\n  Cache-Control: public, max-age=9\n/docs/*\n  X-Docs: yes\n",
    "/_redirects": "/old /about 301\n/blog/* /docs/:splat 302\n# a note\n/proxy /app.js 200\n",
}
ECHO = """import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/api/asset") return this.env.ASSETS.fetch(new Request(new URL("/app.js", url)));
    return new Response(`worker ${url.pathname}`);
  }
  async add(a, b) { return a + b; }
  async queue() {}
}"""
CALLER = """export default { async fetch(request, env) {
  return Response.json([await env.SITE.add(1, 2), await (await env.SITE.fetch("http://x/app.js")).text(),
    await (await env.SITE.fetch("http://x/other")).text()]);
} }"""
ASSETS = [{"name": "ASSETS", "type": "assets"}]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def session(api: Api, name: str, files: dict[str, str]) -> dict[str, Any]:
    manifest = {path: {"hash": digest(text.encode()), "size": len(text.encode())} for path, text in files.items()}
    answer = api.client.post(f"/workers/scripts/{name}/assets-upload-session", json={"manifest": manifest})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def content_type(path: str) -> str:
    """As wrangler: texts are UTF-8."""
    guessed = mimetypes.guess_type(path)[0] or "application/null"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def send(api: Api, token: str, files: dict[str, str]) -> httpx.Response:
    """As wrangler: one part for each hash."""
    parts = {
        digest(text.encode()): (
            digest(text.encode()),
            base64.b64encode(text.encode()),
            content_type(path),
        )
        for path, text in files.items()
    }
    url = f"{api.client.base_url}workers/assets/upload?base64=true"
    return httpx.post(url, files=parts, headers={"authorization": f"Bearer {token}"}, timeout=60)


def uploaded(api: Api, name: str, files: dict[str, str]) -> str:
    """The token that a version is made with."""
    opened = session(api, name, files)
    wanted = {key for bucket in opened["buckets"] for key in bucket}
    missing = {path: text for path, text in files.items() if digest(text.encode()) in wanted}
    if not missing:
        return str(opened["jwt"])
    done = send(api, opened["jwt"], missing)
    assert done.status_code == 201, done.text
    return str(done.json()["result"]["jwt"])


def version(api: Api, name: str, files: dict[str, str], config: dict[str, Any], code: str | None) -> httpx.Response:
    assets = {"jwt": uploaded(api, name, files), "config": config}
    if code:
        return upload(api, name, code, ASSETS, assets=assets)
    api.client.post("/workers/workers", json={"name": name, "subdomain": {"enabled": True}})
    body = {"compatibility_date": "2026-06-01", "assets": assets}
    return api.client.post(f"/workers/workers/{name}/versions", json=body)


def deploy_site(api: Api, name: str, config: dict[str, Any] | None = None, code: str | None = ECHO) -> None:
    made = version(api, name, SITE, config or {}, code)
    assert made.status_code == 200, made.text
    release(api, name, {made.json()["result"]["id"]: 100})


def get(api: Api, name: str, path: str, **options: Any) -> tuple[int, str]:
    got = api.worker(name, "GET", path, **options)
    return got.status_code, got.headers.get("location") or got.text


def test_files_come_first_and_the_worker_behind_them(cloudflare: Api) -> None:
    deploy_site(cloudflare, "site")
    page = cloudflare.worker("site", "GET", "/")
    assert (page.text, page.headers["content-type"]) == ("<h1>home</h1>", "text/html; charset=utf-8")
    assert get(cloudflare, "site", "/about") == (200, "<h1>about</h1>")
    assert get(cloudflare, "site", "/about.html") == (307, "/about")
    assert get(cloudflare, "site", "/docs") == (307, "/docs/")
    assert get(cloudflare, "site", "/docs/") == (200, "<h1>docs</h1>")
    assert get(cloudflare, "site", "/%E6%97%A5%E6%9C%AC%20%E8%AA%9E.txt") == (200, "日本")
    assert get(cloudflare, "site", "/api/asset") == (200, "let app = 1;")
    assert get(cloudflare, "site", "/nothing") == (200, "worker /nothing")
    tag = page.headers["etag"]
    assert cloudflare.worker("site", "GET", "/", headers={"if-none-match": tag}).status_code == 304
    assert cloudflare.worker("site", "HEAD", "/app.js").headers["content-type"].startswith("text/javascript")


def test_headers_and_redirects_of_the_files(cloudflare: Api) -> None:
    deploy_site(cloudflare, "rules")
    script = cloudflare.worker("rules", "GET", "/app.js")
    assert (script.headers["x-robots-tag"], script.headers["cache-control"]) == ("noindex", "public, max-age=9")
    assert cloudflare.worker("rules", "GET", "/docs/").headers["x-docs"] == "yes"
    assert get(cloudflare, "rules", "/old") == (301, "/about")
    assert get(cloudflare, "rules", "/blog/x/y") == (302, "/docs/x/y")
    assert get(cloudflare, "rules", "/proxy") == (200, "let app = 1;")
    assert get(cloudflare, "rules", "/_headers") == (200, "worker /_headers")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"not_found_handling": "404-page"}, (404, "<h1>nothing here</h1>")),
        ({"not_found_handling": "single-page-application"}, (200, "<h1>home</h1>")),
        ({}, (404, "")),
    ],
    ids=["404-page", "single-page-application", "none"],
)
def test_what_is_not_there_without_a_worker(cloudflare: Api, config: dict[str, Any], expected: tuple[int, str]) -> None:
    deploy_site(cloudflare, "only", config, code=None)
    assert get(cloudflare, "only", "/about") == (200, "<h1>about</h1>")
    assert get(cloudflare, "only", "/nothing", headers={"sec-fetch-mode": "navigate"}) == expected


@pytest.mark.parametrize(
    ("handling", "path", "expected"),
    [
        ("none", "/about.html", (200, "<h1>about</h1>")),
        ("none", "/about", (200, "worker /about")),
        ("force-trailing-slash", "/about", (307, "/about/")),
        ("drop-trailing-slash", "/docs/", (307, "/docs")),
    ],
)
def test_html_handling(cloudflare: Api, handling: str, path: str, expected: tuple[int, str]) -> None:
    deploy_site(cloudflare, "html", {"html_handling": handling})
    assert get(cloudflare, "html", path) == expected


def test_the_worker_first_everywhere_or_for_some_paths(cloudflare: Api) -> None:
    deploy_site(cloudflare, "first", {"run_worker_first": True})
    assert get(cloudflare, "first", "/app.js") == (200, "worker /app.js")
    deploy_site(cloudflare, "first", {"run_worker_first": ["/docs/*", "!/docs/index.html"]})
    assert get(cloudflare, "first", "/docs/") == (200, "worker /docs/")
    assert get(cloudflare, "first", "/app.js") == (200, "let app = 1;")
    assert get(cloudflare, "first", "/other") == (200, "worker /other")


def test_other_workers_reach_the_files_and_the_methods(cloudflare: Api) -> None:
    deploy_site(cloudflare, "served")
    deploy(cloudflare, "calling", CALLER, [{"name": "SITE", "type": "service", "service": "served"}])
    assert json.loads(get(cloudflare, "calling", "/")[1]) == [3, "let app = 1;", "worker /other"]


def test_a_new_version_has_new_files_and_the_old_one_keeps_its_own(cloudflare: Api) -> None:
    deploy_site(cloudflare, "twice")
    [old] = cloudflare.client.get("/workers/workers/twice/versions").json()["result"]
    assert session(cloudflare, "twice", SITE)["buckets"] == []  # all are here
    changed = {**SITE, "/app.js": "let app = 2;"}
    assert [len(bucket) for bucket in session(cloudflare, "twice", changed)["buckets"]] == [1]
    made = version(cloudflare, "twice", changed, {}, ECHO).json()["result"]
    release(cloudflare, "twice", {made["id"]: 100})
    assert get(cloudflare, "twice", "/app.js") == (200, "let app = 2;")
    release(cloudflare, "twice", {old["id"]: 100})
    assert get(cloudflare, "twice", "/app.js") == (200, "let app = 1;")
    assert "jwt" not in json.dumps(made)


def test_a_changed_secret_keeps_the_files(cloudflare: Api) -> None:
    deploy_site(cloudflare, "secret")
    put = cloudflare.client.put(
        "/workers/scripts/secret/secrets", json={"name": "T", "text": "x", "type": "secret_text"}
    )
    assert put.status_code == 200, put.text
    assert get(cloudflare, "secret", "/app.js") == (200, "let app = 1;")


def test_uploads_that_are_refused(cloudflare: Api) -> None:
    url, host = "/workers/scripts/bad/assets-upload-session", str(cloudflare.client.base_url)
    good = {"hash": "0" * 32, "size": 1}
    for manifest in (
        None,
        {},
        [],
        {"no-slash": good},
        {"/a": {"hash": "xyz", "size": 1}},
        {"/a": {"hash": "0" * 32, "size": -1}},
        {"/a": {"hash": "0" * 32, "size": 25 * 1024 * 1024 + 1}},
        {"/a": {"hash": "../../../../etc/passwd".ljust(32, "0"), "size": 1}},
    ):
        answer = cloudflare.client.post(url, json={"manifest": manifest})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10021), manifest
    assert cloudflare.client.post(url, json={"manifest": {"/a": {**good, "size": 25 * 1024 * 1024}}}).status_code == 200
    token = session(cloudflare, "bad", {"/a": "new text"})["jwt"]
    assert send(cloudflare, "another", {"/a": "new text"}).status_code == 401
    assert httpx.post(f"{host}workers/assets/upload?base64=true").status_code == 401
    assert send(cloudflare, token, {"/b": "not announced"}).status_code == 400
    wrong = {digest(b"new text"): ("x", b"!!", "text/plain")}
    head = {"authorization": f"Bearer {token}"}
    assert httpx.post(f"{host}workers/assets/upload?base64=true", files=wrong, headers=head).status_code == 400
    cloudflare.client.post("/workers/workers", json={"name": "bad"})
    for given in ({"jwt": token}, {"jwt": "unknown"}, {"config": {}}, "text"):
        unfinished = cloudflare.client.post("/workers/workers/bad/versions", json={"assets": given})
        assert unfinished.status_code in (400, 401), given
    done = uploaded(cloudflare, "bad", {"/a": "new text"})
    for config in ({"html_handling": "odd"}, {"run_worker_first": ["!/a"]}, {"run_worker_first": ["a"]}):
        answer = cloudflare.client.post(
            "/workers/workers/bad/versions", json={"assets": {"jwt": done, "config": config}}
        )
        assert answer.status_code == 400, config
    assert upload(cloudflare, "bad", says("x"), ASSETS).status_code == 400
