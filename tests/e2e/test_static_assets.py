"""Static assets in a stack: files before code and files alone, up to what changes when a file does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  web:
    source: web.js
    compatibility_date: "2026-06-01"
    assets: { directory: site, binding: FILES, run_worker_first: ["/api/*"] }
    smoke: [{ request: GET /api/x, contains: "code <h1>hi</h1>" }]
  plain:
    compatibility_date: "2026-06-01"
    assets: { directory: site, not_found_handling: single-page-application }
"""
CODE = """export default { async fetch(request, env) {
  const page = await env.FILES.fetch(new URL("/", request.url));
  return new Response(`code ${await page.text()}`);
} };
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "web.js").write_text(CODE)
    (project.root / "site").mkdir()
    (project.root / "site" / "index.html").write_text("<h1>hi</h1>")
    (project.root / "site" / "_headers").write_text("/*\n  X-Site: yes\n")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def get(project: Project, name: str, path: str) -> tuple[int, str, str | None]:
    got = project.worker("GET", path, headers={"host": f"{name}-dev.local.localhost"})
    return got.status_code, got.text, got.headers.get("x-site")


def test_files_before_code_and_files_alone(site: Project) -> None:
    site.run("up", "dev")
    assert get(site, "web", "/") == (200, "<h1>hi</h1>", "yes")
    assert get(site, "web", "/api/x") == (200, "code <h1>hi</h1>", None)
    assert get(site, "plain", "/any/where") == (200, "<h1>hi</h1>", "yes")
    assert site.operations(site.run("up", "dev")) == {"unchanged": 11}
    assert "not this checkout" not in site.run("status", "dev")
    site.edit("site/index.html", "hi", "hello")
    assert "4 to replace" in site.run("preview", "dev")
    site.edit("stacks/dev.yaml", 'contains: "code <h1>hi</h1>"', 'contains: "code <h1>hello</h1>"')
    site.run("up", "dev")
    assert get(site, "plain", "/") == (200, "<h1>hello</h1>", "yes")
    site.run("rollback", "dev", "plain")
    assert get(site, "plain", "/") == (200, "<h1>hi</h1>", "yes")


def test_what_check_says_of_files(site: Project) -> None:
    assert "dev: ok" in site.run("check", "dev")
    (site.root / "site" / "_redirects").write_text("/a /b 301\n/a\nhttp://x.example/ /b\n")
    (site.root / "site" / "big.bin").write_bytes(b"0" * (26 * 1024 * 1024))
    (site.root / "site" / "outside").symlink_to("/etc/hostname")
    output = site.run("check", "dev", code=2)
    assert "site/_redirects:2 is left out: a redirect has two or three words" in output
    assert "site/_redirects:3 is left out: the source must be a path" in output
    assert "error[IS105]: `site/big.bin` has 26.0 MiB; a file may have 25" in output
    assert "error[IS017]: `site/outside` leads out of the project" in output
    site.edit("stacks/dev.yaml", "directory: site, not_found", "directory: nowhere, binding: X, not_found")
    output = site.run("check", "dev", code=2)
    assert "error[IS080]: the folder `nowhere` cannot be read" in output
    assert "error[IS104]: `binding` is for code, and this Worker has none" in output
    site.edit("stacks/dev.yaml", 'run_worker_first: ["/api/*"]', "run_worker_first: [api]")
    assert "`api` must start with `/` or `!/`" in site.run("check", "dev", code=2)


def test_cloudflare_is_told_apart(site: Project) -> None:
    """The official provider sends no rules along; a stack for Cloudflare hears of it."""
    site.edit("stacks/dev.yaml", "target: local\nlocal: { port: 0, api_port: 0 }\n", "")
    assert "warning[IS107]: `site/_headers` works on the local Cloudflare" in site.run("check", "dev")


def test_what_assetsignore_names_is_neither_uploaded_nor_served(site: Project) -> None:
    for path, text in {"_worker.js": "secret", "notes/a.md": "note", "notes/b.html": "b", "app.js.MAP": "map"}.items():
        (site.root / "site" / path).parent.mkdir(exist_ok=True)
        (site.root / "site" / path).write_text(text)
    assert "warning[IS107]: `site/_worker.js` is not served" in site.run("check", "dev")
    site.run("up", "dev")
    assert served(site, "/_worker.js", "/app.js.MAP") == ["/app.js.MAP"], "wrangler refuses what nobody says is meant"
    (site.root / "site" / ".assetsignore").write_text("*.map\n*.md\n")
    assert "IS107" not in site.run("check", "dev")
    assert "4 to replace" in site.run("preview", "dev")
    site.run("up", "dev")
    found = served(site, "/app.js.MAP", "/notes/a.md", "/notes/b", "/_worker.js", "/.assetsignore", "/")
    assert found == ["/notes/b", "/_worker.js", "/"]
    assert get(site, "web", "/") == (200, "<h1>hi</h1>", "yes")
    site.edit("site/notes/a.md", "note", "other note")
    assert site.operations(site.run("up", "dev")) == {"unchanged": 11}
    site.edit("site/notes/b.html", "b", "bb")
    site.run("up", "dev")
    assert get(site, "web", "/notes/b")[:2] == (200, "bb")


def served(site: Project, *paths: str) -> list[str]:
    """Those that are files; the code answers the others."""
    return [path for path in paths if not get(site, "web", path)[1].startswith("code ")]
