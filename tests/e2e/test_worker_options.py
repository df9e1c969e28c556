"""Crons, routes, domains, limits, placement, services and raw properties, through the engine and back."""

from __future__ import annotations

import base64
import time

import httpx

from tests.e2e.conftest import Project

ZONE = "0123456789abcdef0123456789abcdef"
EXTRAS = f"""
    crons: ["0 6 * * *", "*/15 * * * *"]
    cpu_ms: 200
    subrequests: 40
    logpush: true
    placement: smart
    routes:
      - {{ pattern: "docs.example.com/ask/*", zone: {ZONE} }}
    domains:
      - {{ hostname: ask.example.com, zone: {ZONE} }}
    raw:
      version: {{ annotations: {{ workersMessage: by hand }} }}
  front:
    template: front
    compatibility_date: "2026-06-01"
    bindings:
      RAG: {{ service: rag }}
      CALLS: {{ analytics: calls_of_front }}
    tail_consumers: [rag]
    placement: {{ region: "aws:us-east-1" }}
"""
FRONT = """export default {
  async fetch(request, env) {
    env.CALLS?.writeDataPoint({ blobs: [new URL(request.url).pathname], doubles: [1] });
    return env.RAG.fetch(new Request("http://rag/nowhere"));
  },
};
"""


def tables(project: Project) -> str:
    environment = project.environment()
    url = f"{environment['CLOUDFLARE_BASE_URL']}/accounts/{environment['CLOUDFLARE_ACCOUNT_ID']}/analytics_engine/sql"
    headers = {"authorization": f"Bearer {environment['CLOUDFLARE_API_TOKEN']}"}
    return httpx.post(url, content=b"SHOW TABLES", headers=headers).text


def write(project: Project) -> None:
    template = project.root / "templates" / "front"
    template.mkdir()
    (template / "template.yaml").write_text("summary: calls another Worker\nneeds: { bindings: { RAG: service } }\n")
    (template / "worker.js.j2").write_text(FRONT)
    file = project.root / "stacks" / "dev.yaml"
    file.write_text(file.read_text().rstrip() + EXTRAS)

    (project.root / "prompts").mkdir()
    (project.root / "prompts" / "chat.md").write_text("Answer in one sentence, from the sources.\n")
    text = file.read_text() + "models: { chat: { system: null, system_file: prompts/chat.md } }\n"
    file.write_text(text + "gateways: { main: { retries: { attempts: 3 }, logs: { keep: 20000 } } }\n")


def test_what_a_worker_can_be_given_is_applied_and_settles(project: Project) -> None:
    write(project)
    project.run("up", "dev")
    [gateway] = project.api("GET", "/ai-gateway/gateways")
    kept = [gateway[key] for key in ("retry_max_attempts", "retry_delay", "retry_backoff", "log_management")]
    assert kept == [3, 1000, "exponential", 20000]
    schedules = project.api("GET", "/workers/scripts/rag-dev/schedules")["schedules"]
    assert [entry["cron"] for entry in schedules] == ["0 6 * * *", "*/15 * * * *"]
    [domain] = project.api("GET", "/workers/domains")
    assert (domain["hostname"], domain["service"]) == ("ask.example.com", "rag-dev")
    workers = {worker["name"]: worker for worker in project.api("GET", "/workers/workers")}
    worker, caller = workers["rag-dev"], workers["front-dev"]
    assert worker["logpush"] is True
    assert caller["tail_consumers"] == [{"name": "rag-dev"}]
    [of_caller] = project.api("GET", f"/workers/workers/{caller['id']}/versions")
    assert of_caller["placement"]["region"] == "aws:us-east-1"
    [version] = project.api("GET", f"/workers/workers/{worker['id']}/versions")
    assert version["annotations"]["workers/message"] == "by hand"
    assert version["limits"] == {"cpu_ms": 200, "subrequests": 40}
    whole = project.api("GET", f"/workers/workers/{worker['id']}/versions/{version['id']}?include=modules")
    [main] = [module for module in whole["modules"] if module["name"] == "index.js"]
    assert b"Answer in one sentence, from the sources." in base64.b64decode(main["content_base64"])
    front = httpx.get(f"http://127.0.0.1:{project.running.port}/", headers={"host": "front-dev.local.localhost"})
    assert (front.status_code, front.json()["detail"]) == (404, "there is no GET /nowhere")

    end = time.monotonic() + 10
    while "calls_of_front" not in tables(project):
        assert time.monotonic() < end, "no point of data is kept"
        time.sleep(0.2)

    project.run("preview", "dev", "--expect-no-changes")
    project.run("refresh", "dev", "--expect-no-changes")

    project.edit("stacks/dev.yaml", '"0 6 * * *", ', "")
    assert project.operations(project.run("up", "dev"))["updated"] == 1
    [left] = project.api("GET", "/workers/scripts/rag-dev/schedules")["schedules"]
    assert left["cron"] == "*/15 * * * *"

    secret = {"name": "ADDED_BY_HAND", "text": "a secret", "type": "secret_text"}
    project.api("PUT", "/workers/scripts/rag-dev/secrets", json=secret)
    versions = project.api("GET", f"/workers/workers/{worker['id']}/versions")
    newest = max(versions, key=lambda entry: entry["number"])
    assert [len(versions), newest["limits"], newest["placement"]["mode"]] == [2, version["limits"], "smart"]

    project.run("down", "dev", "--yes")
