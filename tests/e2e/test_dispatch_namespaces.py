"""A platform's stack: the namespace is the stack's, what customers upload into it is theirs and stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

STACK = """environment: dev
target: local
protect: true
local: { port: 0, api_port: 0 }
dispatch_namespaces: { customers: {} }
workers:
  front:
    source: front.js
    compatibility_date: "2026-06-01"
    bindings: { CUSTOMERS: { dispatch_namespace: customers } }
"""
FRONT = """export default { fetch: (request, env) => env.CUSTOMERS.get(new URL(request.url).pathname.slice(1)).fetch(request) };
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "front.js").write_text(FRONT)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def upload(project: Project, customer: str) -> None:
    """By the API, in service-worker syntax: its shortest form."""
    environment = project.environment()
    account, token = environment["CLOUDFLARE_ACCOUNT_ID"], environment["CLOUDFLARE_API_TOKEN"]
    base = f"{environment['CLOUDFLARE_BASE_URL']}/accounts/{account}/workers/dispatch/namespaces/customers-dev"
    code = f"addEventListener('fetch', (event) => event.respondWith(new Response('I am {customer}')));"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/javascript"}
    httpx.put(f"{base}/scripts/{customer}", content=code, headers=headers, timeout=30).raise_for_status()


def asked(project: Project, customer: str) -> httpx.Response:
    url = f"http://127.0.0.1:{project.running.port}/{customer}"
    return httpx.get(url, headers={"host": "front-dev.local.localhost"}, timeout=30)


def test_customers_stay_while_the_platform_changes(platform: Project) -> None:
    platform.run("up", "dev")
    assert asked(platform, "anna").status_code == 500
    upload(platform, "anna")
    assert asked(platform, "anna").text == "I am anna"
    platform.edit("front.js", "slice(1)", "slice(1).toLowerCase()")
    platform.run("up", "dev")
    assert asked(platform, "ANNA").text == "I am anna"
    assert set(platform.operations(platform.run("up", "dev"))) == {"unchanged"}
    platform.run("refresh", "dev", "--expect-no-changes")
    platform.edit("stacks/dev.yaml", "customers: {}", "customers: { name: others }")
    assert "up dev --allow-data-loss customers" in platform.run("up", "dev", code=1)
    assert asked(platform, "anna").text == "I am anna"
    platform.run("up", "dev", "--allow-data-loss", "customers")
    assert asked(platform, "anna").status_code == 500
    [plan] = [line for line in platform.run("cost", "dev").splitlines() if "Workers for Platforms plan" in line]
    assert "25.00" in plan
