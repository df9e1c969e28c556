"""`inferstack export wrangler`: what a wrangler file says of a stack, and what is told because it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.wrangler.wrangler_export import export_wrangler

ZONE = "0123456789abcdef0123456789abcdef"
STACK = f"""environment: dev
target: local
databases: {{ main: {{ migrations: sql, migrations_table: done, location: weur }} }}
buckets: {{ files: {{ jurisdiction: eu, storage_class: InfrequentAccess }} }}
namespaces: {{ cache: {{}} }}
queues:
  jobs: {{ delivery_delay: 5, consumer: {{ worker: own, max_wait_ms: 1500, retry_delay: 9, max_concurrency: 2 }} }}
workers:
  own:
    source: own.js
    compatibility_date: "2026-06-01"
    bindings:
      DB: {{ database: main }}
      FILES: {{ bucket: files }}
      A: {{ namespace: cache }}
      B: {{ namespace: cache }}
      VERSION: {{ version_metadata: true }}
      MAIL: {{ email: {{ to: [you@example.com] }} }}
      ANY: {{ email: true }}
      CALLS: {{ analytics: model-calls }}
      LIMIT: {{ rate_limit: {{ requests: 5, seconds: 10 }} }}
    vars: {{ PLANS: [free, 5], TEXT: "$${{x}}" }}
    assets: {{ directory: site, binding: SITE, run_worker_first: true }}
    domains: [{{ hostname: a.example.com, zone: {ZONE} }}]
    smoke: [{{ request: GET / }}]
    tail_consumers: [watch]
    raw:
      worker: {{ tailConsumers: [], observability: {{ enabled: true, logs: {{ enabled: true, headSamplingRate: 0.5 }} }} }}
      version: {{ limits: {{ cpuMs: 5, subrequests: 9 }}, placement: {{ region: "aws:us-east-1" }} }}
  watch:
    source: own.js
    compatibility_date: "2026-06-01"
    subrequests: 7
    placement: {{ host: "db.example.com:5432" }}
    logpush: true
"""


@pytest.fixture
def exported(tmp_path: Path) -> tuple[dict[str, Any], list[str], Path]:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "dev.yaml").write_text(STACK)
    (tmp_path / "own.js").write_text("export default { fetch() {}, queue() {} };\n")
    (tmp_path / "sql").mkdir()
    (tmp_path / "site" / "deep").mkdir(parents=True)
    (tmp_path / "site" / "deep" / "a.html").write_text("a")
    (tmp_path / "sql" / "1.sql").write_text("SELECT 1;\n")
    _, notes = export_wrangler("dev", tmp_path, tmp_path / "out")
    text = (tmp_path / "out" / "own" / "wrangler.jsonc").read_text()
    return json.loads(text.partition("\n")[2]), notes, tmp_path / "out" / "own"


def test_settings_and_bindings_are_in_wranglers_words(exported: tuple[dict[str, Any], list[str], Path]) -> None:
    config, _, _ = exported
    assert config["vars"] == {"PLANS": ["free", 5], "TEXT": "${x}"}
    mail = {"name": "MAIL", "allowed_destination_addresses": ["you@example.com"]}
    assert config["send_email"] == [mail, {"name": "ANY"}]
    assert config["tail_consumers"] == [{"service": "watch-dev"}]
    assert config["observability"] == {"enabled": True, "logs": {"enabled": True, "head_sampling_rate": 0.5}}
    assert (config["limits"], config["placement"]) == (
        {"cpu_ms": 5, "subrequests": 9},
        {"mode": "targeted", "region": "aws:us-east-1"},
    )
    assert config["routes"] == [{"pattern": "a.example.com", "custom_domain": True, "zone_id": ZONE}]
    assert (config["workers_dev"], config["preview_urls"]) == (True, False)
    assert config["r2_buckets"] == [{"binding": "FILES", "bucket_name": "files-dev", "jurisdiction": "eu"}]
    [consumer] = config["queues"]["consumers"]
    assert (consumer["retry_delay"], consumer["max_concurrency"]) == (9, 2)
    assert config["version_metadata"] == {"binding": "VERSION"}
    assert config["analytics_engine_datasets"] == [{"binding": "CALLS", "dataset": "model-calls"}]
    [limit] = config["ratelimits"]
    assert (limit["name"], limit["simple"]) == ("LIMIT", {"limit": 5, "period": 10})


def test_what_is_kept_and_sent_is_in_wranglers_words(tmp_path: Path) -> None:
    stack = """environment: dev
target: local
destinations: { otel: { url: "https://otel.example/v1/traces" } }
workers:
  own:
    source: own.js
    compatibility_date: "2026-06-01"
    observability: { logs: true, traces: { sample: 0.1, keep: false, to: [otel] } }
"""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "dev.yaml").write_text(stack)
    (tmp_path / "own.js").write_text("export default { fetch() {} };\n")
    export_wrangler("dev", tmp_path, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "own" / "wrangler.jsonc").read_text().partition("\n")[2])
    traces = {"enabled": True, "head_sampling_rate": 0.1, "persist": False, "destinations": ["otel-dev"]}
    logs = {"enabled": True, "head_sampling_rate": 1, "persist": True}
    assert config["observability"] == {"enabled": True, "logs": logs, "traces": traces}


def test_migrations_and_static_assets_go_along(exported: tuple[dict[str, Any], list[str], Path]) -> None:
    config, _, folder = exported
    [database] = config["d1_databases"]
    assert database["migrations_table"] == "done"
    assert (folder / database["migrations_dir"] / "1.sql").read_text() == "SELECT 1;\n"
    assert config["assets"] == {"directory": "assets", "binding": "SITE", "run_worker_first": True}
    assert (folder / "assets" / "deep" / "a.html").read_text() == "a"


def test_what_a_wrangler_file_cannot_say_is_told(exported: tuple[dict[str, Any], list[str], Path]) -> None:
    _, notes, _ = exported
    assert notes == [
        "own: `A` and `B` are one namespace: give them one `id`",
        "workers.own.smoke: a wrangler file has no word for it",
        "workers.own.raw.worker.tailConsumers: a wrangler file has no word for it",
        "databases.main.location: a wrangler file has no word for it",
        "buckets.files.storage_class: a wrangler file has no word for it",
        "queues.jobs.delivery_delay: no Worker of the stack sends to it, and wrangler's file says it there",
        "queues.jobs.consumer.max_wait_ms: wrangler waits whole seconds",
    ]


def test_limits_and_placement_of_the_language(exported: tuple[dict[str, Any], list[str], Path]) -> None:
    text = (exported[2].parent / "watch" / "wrangler.jsonc").read_text()
    config = json.loads(text.partition("\n")[2])
    assert (config["limits"], config["logpush"]) == ({"subrequests": 7}, True)
    assert config["placement"] == {"mode": "targeted", "host": "db.example.com:5432"}
