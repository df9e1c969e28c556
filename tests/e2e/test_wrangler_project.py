"""A wrangler project on the local Cloudflare: imported, up as it says at the end, and the same values in `env`."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

CODE = """export default {
  async fetch(request, env) {
    await env.CACHE.put("a", "1");
    const { results } = await env.DB.prepare("SELECT name FROM applied").all();
    return Response.json({
      same: await env.SESSIONS.get("a"),
      other: await env.cache.get("a"),
      plans: env.PLANS,
      stage: env.STAGE,
      key: env.KEY,
      applied: results.map((row) => row.name),
      mail: await (await env.MAIL.fetch(request)).text(),
      limited: (await env.LIMIT.limit({ key: "a" })).success,
    });
  },
  queue() {},
};
"""
SHOP: dict[str, Any] = {
    "name": "shop",
    "main": "index.js",
    "compatibility_date": "2026-05-01",
    "vars": {"PLANS": ["free", {"price": 5}], "STAGE": "production"},
    "kv_namespaces": [
        {"binding": "CACHE", "id": "aaaa"},
        {"binding": "SESSIONS", "id": "aaaa"},
        {"binding": "cache", "id": "bbbb"},
    ],
    "d1_databases": [{"binding": "DB", "migrations_dir": "sql", "migrations_table": "applied"}],
    "services": [{"binding": "MAIL", "service": "mail"}],
    "ratelimits": [{"name": "LIMIT", "namespace_id": "1", "simple": {"limit": 5, "period": 60}}],
    "queues": {"consumers": [{"queue": "jobs", "max_concurrency": 2, "retry_delay": 9}]},
    "observability": {"logs": {"enabled": True, "invocation_logs": False}},
    "placement": {"region": "aws:us-east-1"},
    "limits": {"cpu_ms": 50, "subrequests": 40},
    "preview_urls": True,
    "logpush": True,
}


def write(project: Project) -> None:
    for name, config in (("shop", SHOP), ("mail", {**SHOP, "name": "mail"})):
        folder = project.root / name
        (folder / "sql").mkdir(parents=True)
        own = config if name == "shop" else {key: config[key] for key in ("name", "main", "compatibility_date")}
        (folder / "wrangler.jsonc").write_text(f"// of {name}\n{json.dumps(own)}")
    (project.root / "shop" / "index.js").write_text(CODE)
    (project.root / "shop" / ".dev.vars").write_text('KEY="a secret"\n')
    (project.root / "shop" / "sql" / "0001_first.sql").write_text("CREATE TABLE things (a);\n")
    (project.root / "mail" / "index.js").write_text("export default { fetch: () => new Response('sent') };\n")


def ask(project: Project) -> Any:
    host = {"host": "shop-default.local.localhost"}
    return httpx.get(f"http://127.0.0.1:{project.running.port}/", headers=host, timeout=30).json()


def test_an_imported_project_comes_up_by_the_command_it_is_told(project: Project) -> None:
    write(project)
    said = project.run("import", "wrangler", "shop", "mail", "--target", "local")
    (project.root / "stacks" / "default").mkdir()
    (project.root / "stacks" / "default" / "ports.yaml").write_text("local: { port: 0, api_port: 0 }\n")
    [command] = re.findall(r"^next: inferstack (.*)$", said, re.MULTILINE)
    addresses = re.findall(r"^(\w+): (http://\S+), http://127.0.0.1:\d+$", project.run(*command.split()), re.MULTILINE)
    port = project.running.port
    assert addresses == [(name, f"http://{name}-default.local.localhost:{port}") for name in ("shop", "mail")]
    wanted = {
        "same": "1",
        "other": None,
        "plans": ["free", {"price": 5}],
        "stage": "production",
        "key": "a secret",
        "applied": ["0001_first.sql"],
        "mail": "sent",
        "limited": True,
    }
    assert ask(project) == wanted
    [shop] = [worker for worker in project.api("GET", "/workers/workers") if worker["name"] == "shop-default"]
    assert (shop["observability"]["logs"]["enabled"], shop["observability"]["logs"]["invocation_logs"]) == (True, False)
    assert (shop["logpush"], shop["subdomain"]) == (True, {"enabled": True, "previews_enabled": True})
    [version] = project.api("GET", f"/workers/workers/{shop['id']}/versions")
    assert (version["limits"], version["placement"]["region"]) == ({"cpu_ms": 50, "subrequests": 40}, "aws:us-east-1")
    project.run("preview", "default", "--expect-no-changes")
    project.run("refresh", "default", "--expect-no-changes")

    # A ledger of another name is the same ledger: nothing is applied a second time.
    project.edit("stacks/default.yaml", "migrations_table: applied", "migrations_table: ledger")
    project.edit("shop/index.js", "FROM applied", "FROM ledger")
    project.run("up", "default")
    assert ask(project) == wanted
    project.run("down", "default", "--yes")


STORED = """import { WorkflowEntrypoint } from "cloudflare:workers";
export class Restock extends WorkflowEntrypoint { async run() {} }
export default {
  async fetch(request, env) {
    const { results } = await env.DB.prepare("SELECT a FROM things").all();
    const { matches } = await env.DOCS.query(Array(32).fill(1), { topK: 1 });
    return Response.json({ cache: await env.CACHE.get("a"), rows: results, near: matches.length });
  },
  queue() {},
};
"""


def test_what_wrangler_deployed_is_adopted_by_its_own_names_and_ids(project: Project) -> None:
    ports = "local: { port: 0, api_port: 0 }\n"
    (project.root / "stacks" / "start.yaml").write_text(f"environment: start\ntarget: local\n{ports}")
    project.run("up", "start")
    cache = project.api("POST", "/storage/kv/namespaces", json={"title": "shop CACHE"})["id"]
    project.api("PUT", f"/storage/kv/namespaces/{cache}/values/a", content="kept")
    database = project.api("POST", "/d1/database", json={"name": "Shop_DB"})["uuid"]
    rows = "CREATE TABLE things (a); INSERT INTO things VALUES (7)"
    project.api("POST", f"/d1/database/{database}/query", json={"sql": rows})
    project.api("POST", "/r2/buckets", json={"name": "shop-files"})
    project.api("POST", "/queues", json={"queue_name": "jobs"})
    project.api(
        "POST", "/vectorize/v2/indexes", json={"name": "docs", "config": {"dimensions": 32, "metric": "cosine"}}
    )
    worker = project.api("POST", "/workers/workers", json={"name": "shop"})["id"]
    module = {"name": "index.js", "content_type": "application/javascript+module"}
    module["content_base64"] = base64.b64encode(STORED.encode()).decode()
    version = {"main_module": "index.js", "modules": [module], "compatibility_date": "2026-05-01"}
    project.api("POST", f"/workers/workers/{worker}/versions?deploy=true", json=version)
    project.api("PUT", "/workflows/restock", json={"script_name": "shop", "class_name": "Restock"})
    project.api("POST", "/workflows/restock/instances", json={"instance_id": "before"})
    before = project.everything()

    config = {key: SHOP[key] for key in ("name", "main", "compatibility_date")}
    config |= {
        "kv_namespaces": [{"binding": "CACHE", "id": cache}],
        "d1_databases": [{"binding": "DB", "database_name": "Shop_DB", "database_id": database}],
        "r2_buckets": [{"binding": "FILES", "bucket_name": "shop-files"}],
        "vectorize": [{"binding": "DOCS", "index_name": "docs"}],
        "queues": {"producers": [{"binding": "JOBS", "queue": "jobs"}], "consumers": [{"queue": "jobs"}]},
        "workflows": [{"binding": "RESTOCK", "name": "restock", "class_name": "Restock"}],
    }
    (project.root / "app").mkdir()
    (project.root / "app" / "index.js").write_text(STORED)
    (project.root / "app" / "wrangler.json").write_text(json.dumps(config))
    said = project.run("import", "wrangler", "app", "--target", "local", "--adopt")
    assert "next: inferstack adopt default; inferstack preview default" in said
    with (project.root / "stacks" / "default.yaml").open("a") as file:
        file.write(ports)
    project.edit("stacks/default.yaml", "${DOCS_DIMENSIONS:-768}", "32")
    assert "7 adopted" in project.run("adopt", "default", "--yes")
    project.run("up", "default")
    assert project.everything() == before
    assert [each["id"] for each in project.api("GET", "/workflows/restock/instances")] == ["before"]
    host = {"host": "shop.local.localhost"}
    answer = httpx.get(f"http://127.0.0.1:{project.running.port}/", headers=host, timeout=30)
    assert answer.json() == {"cache": "kept", "rows": [{"a": 7}], "near": 0}
    project.run("preview", "default", "--expect-no-changes")
