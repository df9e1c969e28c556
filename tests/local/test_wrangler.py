"""wrangler, Cloudflare's own client, works against the local Cloudflare."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import ROOT, Api

WRANGLER = ROOT / "node_modules" / ".bin" / "wrangler"
CONFIG = {
    "name": "by-wrangler",
    "main": "index.js",
    "compatibility_date": "2026-04-01",
    "workers_dev": True,
    "ai": {"binding": "AI"},
    "vars": {"GREETING": "hello"},
}
CODE = """export default { async fetch(request, env) {
  return Response.json({ greeting: env.GREETING, secret: env.TOKEN ?? null });
} }"""


SEARCHES = """export default { async fetch(request, env) {
  const { chunks } = await env.MANUALS.search({ query: "When does it open?" });
  return Response.json({ found: chunks[0]?.item.key, made: (await env.TENANTS.create({ id: "one" }).info()).id });
} }"""


@pytest.fixture
def wrangler(cloudflare: Api, tmp_path: Path):  # type: ignore[no-untyped-def]
    (tmp_path / "wrangler.json").write_text(json.dumps(CONFIG))
    (tmp_path / "index.js").write_text(CODE)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CI": "1",
        "CLOUDFLARE_API_BASE_URL": cloudflare.running.base_url,
        "CLOUDFLARE_API_TOKEN": local.token_of(cloudflare.folder),
        "CLOUDFLARE_ACCOUNT_ID": local.ACCOUNT_ID,
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_HIDE_BANNER": "true",
    }

    def run(*arguments: str, stdin: str = "") -> str:
        command = [str(WRANGLER), *arguments]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_remote_bindings_are_refused_by_name(cloudflare: Api, tmp_path: Path) -> None:
    remote = CONFIG | {"kv_namespaces": [{"binding": "KV", "id": "0" * 32, "remote": True}]}
    (tmp_path / "wrangler.json").write_text(json.dumps(remote))
    (tmp_path / "index.js").write_text(CODE)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CI": "1",
        "CLOUDFLARE_API_BASE_URL": cloudflare.running.base_url,
        "CLOUDFLARE_API_TOKEN": local.token_of(cloudflare.folder),
        "CLOUDFLARE_ACCOUNT_ID": local.ACCOUNT_ID,
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_LOG": "debug",
        "WRANGLER_LOG_SANITIZE": "false",
    }
    command = [str(WRANGLER), "dev", "--port", "0"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, input="", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "The remote bindings of `wrangler dev`, and `wrangler dev --remote`, cannot run on the local" in done.stdout


def test_deploy_and_secret(wrangler, cloudflare: Api) -> None:  # type: ignore[no-untyped-def]
    wrangler("deploy")
    assert cloudflare.worker("by-wrangler", "GET", "/").json() == {"greeting": "hello", "secret": None}
    wrangler("secret", "put", "TOKEN", stdin="s3cret-value")
    assert cloudflare.worker("by-wrangler", "GET", "/").json()["secret"] == "s3cret-value"
    assert "TOKEN" in wrangler("secret", "list")
    wrangler("deploy")
    assert cloudflare.worker("by-wrangler", "GET", "/").json()["secret"] == "s3cret-value"


def test_d1_execute(wrangler) -> None:  # type: ignore[no-untyped-def]
    wrangler("d1", "create", "wrangled")
    wrangler("d1", "execute", "wrangled", "--remote", "--command", "create table t (a); insert into t values (5)")
    output = wrangler("d1", "execute", "wrangled", "--remote", "--json", "--command", "select a from t")
    assert json.loads(output)[0]["results"] == [{"a": 5}]


def test_d1_info_and_insights(wrangler) -> None:  # type: ignore[no-untyped-def]
    wrangler("d1", "create", "measured")
    for command in ("create table t (a)", "insert into t values (5), (6)", "select a from t", "select a from t"):
        wrangler("d1", "execute", "measured", "--remote", "--command", command)
    told = json.loads(wrangler("d1", "info", "measured", "--json"))
    assert {name: told[name] for name in told if name.endswith("_24h")} == {
        "read_queries_24h": 2,
        "write_queries_24h": 2,
        "rows_read_24h": 4,
        "rows_written_24h": 2,
    }
    sort = ("--sort-by", "count", "--limit", "1", "--time-period", "2h")
    (first,) = json.loads(wrangler("d1", "insights", "measured", "--json", *sort))
    assert (first["query"], first["numberOfTimesRun"]) == ("select a from t", 2)
    assert (first["totalRowsRead"], first["avgRowsRead"], first["queryEfficiency"]) == (4, 2, 1)
    assert first["totalDurationMs"] > 0
    by_writes = json.loads(
        wrangler("d1", "insights", "measured", "--json", "--sort-type", "avg", "--sort-by", "writes")
    )
    assert [each["totalRowsWritten"] for each in by_writes] == [2, 0, 0]


def test_the_size_of_a_bucket(wrangler, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrangler("r2", "bucket", "create", "measured")
    (tmp_path / "large.bin").write_bytes(b"x" * 1_500_000)
    wrangler("r2", "object", "put", "measured/large.bin", "--remote", "--file", "large.bin")
    told = json.loads(wrangler("r2", "bucket", "info", "measured", "--json"))
    assert (told["object_count"], told["bucket_size"]) == ("1", "1.5 MB")


def test_vectorize_insert_and_query(wrangler, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrangler("vectorize", "create", "wrangled", "--dimensions", "3", "--metric", "cosine")
    vectors = [{"id": "x", "values": [1, 0, 0]}, {"id": "y", "values": [0, 1, 0]}]
    (tmp_path / "v.ndjson").write_text("\n".join(json.dumps(v) for v in vectors))
    wrangler("vectorize", "insert", "wrangled", "--file", "v.ndjson")
    output = wrangler("vectorize", "query", "wrangled", "--vector", "0.9", "0.1", "0", "--top-k", "1")
    assert '"id": "x"' in output


def test_queues(wrangler) -> None:  # type: ignore[no-untyped-def]
    wrangler("queues", "create", "wrangled")
    assert "wrangled" in wrangler("queues", "list")
    wrangler("queues", "delete", "wrangled")
    assert "wrangled" not in wrangler("queues", "list")


def test_assets_are_uploaded_and_served(wrangler, cloudflare: Api, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    site = {"directory": "public", "binding": "ASSETS", "run_worker_first": ["/api/*"]}
    (tmp_path / "wrangler.json").write_text(json.dumps({**CONFIG, "name": "site", "assets": site}))
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<h1>home</h1>")
    (tmp_path / "public" / "_headers").write_text("/*\n  X-Site: yes\n")
    (tmp_path / "public" / "_redirects").write_text("/old / 301\n")
    wrangler("deploy")
    page = cloudflare.worker("site", "GET", "/")
    assert (page.text, page.headers["content-type"]) == ("<h1>home</h1>", "text/html; charset=utf-8")
    assert page.headers["x-site"] == "yes"
    assert cloudflare.worker("site", "GET", "/old").headers["location"] == "/"
    assert cloudflare.worker("site", "GET", "/api/x").json()["greeting"] == "hello"


COUNTER = """import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  add() { const n = (this.ctx.storage.kv.get("n") ?? 0) + 1; this.ctx.storage.kv.put("n", n); return n; }
}
export default { fetch: async (request, env) => new Response(String(await env.COUNTERS.getByName("a").add())) };
"""


def test_durable_objects_are_migrated_once_and_keep_what_they_hold(wrangler, cloudflare: Api, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def write(code: str, class_name: str, *migrations: dict[str, object]) -> None:
        bindings = {"bindings": [{"name": "COUNTERS", "class_name": class_name}]}
        config = {**CONFIG, "name": "counts", "durable_objects": bindings, "migrations": list(migrations)}
        (tmp_path / "wrangler.json").write_text(json.dumps(config))
        (tmp_path / "index.js").write_text(code)

    def count() -> str:
        return cloudflare.worker("counts", "GET", "/").text

    first: dict[str, object] = {"tag": "v1", "new_sqlite_classes": ["Counter"]}
    write(COUNTER, "Counter", first)
    wrangler("deploy")
    assert count() == "1"
    write(COUNTER + "// changed\n", "Counter", first)
    wrangler("deploy")
    wrangler("secret", "put", "TOKEN", stdin="x")
    assert count() == "2"
    second: dict[str, object] = {"tag": "v2", "renamed_classes": [{"from": "Counter", "to": "Tally"}]}
    write(COUNTER.replace("Counter", "Tally"), "Tally", first, second)
    wrangler("deploy")
    assert count() == "3"
    wrangler("versions", "upload")
    wrangler("delete", "--force")
    left = cloudflare.client.get("/workers/durable_objects/namespaces").json()["result"]
    assert all(each["script"] != "counts" for each in left)


INGEST = (Path(__file__).parent / "workers" / "ingest.js").read_text()


def test_workflows_are_deployed_triggered_described_and_steered(wrangler, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    workflow = {"name": "by-wrangler", "binding": "INGEST", "class_name": "Ingest", "limits": {"steps": 9}}
    (tmp_path / "wrangler.json").write_text(json.dumps({**CONFIG, "name": "ingests", "workflows": [workflow]}))
    (tmp_path / "index.js").write_text(INGEST)
    assert "workflow: by-wrangler" in wrangler("deploy")
    assert "by-wrangler" in wrangler("workflows", "list")
    assert "Ingest" in wrangler("workflows", "describe", "by-wrangler")
    triggered = wrangler("workflows", "trigger", "by-wrangler", '{"wait": "go", "from": "a test"}', "--id", "one")
    assert '"one" has been queued' in triggered
    shown = wrangler("workflows", "instances", "describe", "by-wrangler", "latest")
    assert "fetch-1" in shown
    assert "a test" in shown
    wrangler("workflows", "instances", "pause", "by-wrangler", "one")
    wrangler("workflows", "instances", "resume", "by-wrangler", "one")
    wrangler("workflows", "instances", "send-event", "by-wrangler", "one", "--type", "go", "--payload", '{"a": 1}')
    assert "one" in wrangler("workflows", "instances", "list", "by-wrangler")
    wrangler("workflows", "instances", "restart", "by-wrangler", "one")
    wrangler("workflows", "instances", "terminate", "by-wrangler", "one")
    assert "Terminated" in wrangler("workflows", "instances", "list", "by-wrangler")
    wrangler("workflows", "delete", "by-wrangler")
    assert "by-wrangler" not in wrangler("workflows", "list")


def test_the_version_that_a_deploy_tells_is_live(wrangler, cloudflare: Api) -> None:  # type: ignore[no-untyped-def]
    said = wrangler("deploy")
    [told] = re.findall(r"Current Version ID: ([0-9a-f-]{36})", said)
    live = cloudflare.client.get("/workers/scripts/by-wrangler/deployments").json()["result"]["deployments"][0]
    assert live["versions"][0]["version_id"] == told


def test_what_stands_beside_the_main_paths(wrangler, cloudflare: Api, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrangler("deploy")
    assert "Local Cloudflare" in wrangler("whoami")
    (tmp_path / "secrets.json").write_text('{"ONE": "a-value", "TWO": "b-value"}')
    wrangler("secret", "bulk", str(tmp_path / "secrets.json"))
    assert "TWO" in wrangler("secret", "list")
    wrangler("secret", "delete", "ONE", stdin="y\n")
    assert "ONE" not in wrangler("secret", "list")
    wrangler("versions", "secret", "put", "THREE", stdin="c-value")
    assert "by-wrangler" in wrangler("deployments", "list") or wrangler("deployments", "status")

    wrangler("r2", "bucket", "create", "beside")
    assert "disabled" in wrangler("r2", "bucket", "dev-url", "get", "beside")
    wrangler("r2", "bucket", "dev-url", "enable", "beside", "--force")
    assert "enabled" in wrangler("r2", "bucket", "dev-url", "get", "beside")
    zone = cloudflare.client.get(cloudflare.running.base_url + "/zones", params={"name": "example.com"}).json()[
        "result"
    ][0]["id"]
    wrangler("r2", "bucket", "domain", "add", "beside", "--domain", "a.example.com", "--zone-id", zone, "--force")
    assert "a.example.com" in wrangler("r2", "bucket", "domain", "list", "beside")
    wrangler("r2", "bucket", "domain", "remove", "beside", "--domain", "a.example.com", "--force")

    space = re.findall(r'"?id"?[ =:]+"([0-9a-f]{32})"', wrangler("kv", "namespace", "create", "beside"))[0]
    (tmp_path / "kv.json").write_text('[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]')
    wrangler("kv", "bulk", "put", str(tmp_path / "kv.json"), "--namespace-id", space, "--remote")
    (tmp_path / "keys.json").write_text('["a", "b"]')
    assert '"a"' in wrangler("kv", "bulk", "get", str(tmp_path / "keys.json"), "--namespace-id", space, "--remote")
    wrangler("kv", "bulk", "delete", str(tmp_path / "keys.json"), "--namespace-id", space, "--remote", "--force")
    assert wrangler("kv", "key", "list", "--namespace-id", space, "--remote").strip().endswith("[]")


def test_ai_search(wrangler, cloudflare: Api, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrangler("r2", "bucket", "create", "manuals")
    (tmp_path / "hours.md").write_text("The shop opens at nine in the morning.")
    wrangler(
        "r2", "object", "put", "manuals/hours.md", "--file", "hours.md", "--remote", "--content-type", "text/markdown"
    )
    token = {"cf_api_id": "id", "cf_api_key": "key", "name": "service"}
    cloudflare.client.post("/ai-search/tokens", json=token).raise_for_status()
    wrangler("ai-search", "create", "manuals", "--type", "r2", "--source", "manuals")
    assert "manuals" in wrangler("ai-search", "list")
    for _ in range(100):
        [job] = cloudflare.client.get("/ai-search/instances/manuals/jobs").json()["result"]
        if job["ended_at"]:
            break
        time.sleep(0.05)
    assert "nine in the morning" in wrangler(
        "ai-search", "search", "manuals", "--query", "When does it open?", "--score-threshold", "0"
    )
    assert "1" in wrangler("ai-search", "stats", "manuals")
    wrangler("ai-search", "update", "manuals", "--max-num-results", "5")
    assert json.loads(wrangler("ai-search", "get", "manuals", "--json"))["max_num_results"] == 5
    wrangler("ai-search", "namespace", "create", "tenants")
    assert "tenants" in wrangler("ai-search", "namespace", "list")
    config = CONFIG | {
        "ai_search": [{"binding": "MANUALS", "instance_name": "manuals"}],
        "ai_search_namespaces": [{"binding": "TENANTS", "namespace": "tenants"}],
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "index.js").write_text(SEARCHES)
    wrangler("deploy")
    said = cloudflare.worker("by-wrangler", "GET", "/").json()
    assert said == {"found": "hours.md", "made": "one"}
    wrangler("ai-search", "delete", "manuals", "--force")
    assert "manuals" not in wrangler("ai-search", "list")


def test_dispatch_namespaces(wrangler, cloudflare: Api, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrangler("dispatch-namespace", "create", "customers")
    assert "customers" in wrangler("dispatch-namespace", "list")
    wrangler("dispatch-namespace", "rename", "customers", "clients")
    assert "clients" in wrangler("dispatch-namespace", "get", "clients")
    (tmp_path / "index.js").write_text("export default { fetch: (_, env) => new Response(`hi ${env.WHO}`) };")
    (tmp_path / "wrangler.json").write_text(json.dumps(CONFIG | {"name": "anna", "vars": {"WHO": "anna"}}))
    wrangler("deploy", "--dispatch-namespace", "clients")
    bound = {"dispatch_namespaces": [{"binding": "CLIENTS", "namespace": "clients"}]}
    (tmp_path / "wrangler.json").write_text(json.dumps(CONFIG | bound))
    (tmp_path / "index.js").write_text(
        "export default { fetch: (request, env) => env.CLIENTS.get('anna').fetch(request) };"
    )
    wrangler("deploy")
    assert cloudflare.worker("by-wrangler", "GET", "/").text == "hi anna"
    wrangler("dispatch-namespace", "delete", "clients")
    assert "clients" not in wrangler("dispatch-namespace", "list")
    assert cloudflare.worker("by-wrangler", "GET", "/").status_code == 500
