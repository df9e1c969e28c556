"""wrangler projects in and out; wrangler itself reads what is written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import json5
import pytest

from inferstack.author.check import check
from inferstack.config import load_stack
from inferstack.errors import ConfigError
from inferstack.wrangler.wrangler_export import export_wrangler
from inferstack.wrangler.wrangler_import import import_wrangler
from tests.conftest import ROOT

TOML = """
name = "Ask_Docs"
main = "src/index.ts"
compatibility_date = "2026-05-01"
compatibility_flags = ["nodejs_compat"]
account_id = "0123456789abcdef0123456789abcdef"
routes = [{ pattern = "ask.example.com", custom_domain = true }, { pattern = "example.com/ask/*", zone_name = "example.com" }]
assets = { directory = "./public" }

[vars]
GREETING = "hello ${name}"
LIMITS = { a = 1 }

[ai]
binding = "AI"

[[vectorize]]
binding = "DOCS"
index_name = "docs"

[[d1_databases]]
binding = "DB"
database_name = "content"
database_id = "xxx"
migrations_dir = "migrations"

[[queues.producers]]
binding = "JOBS"
queue = "jobs"

[[queues.consumers]]
queue = "jobs"
max_batch_size = 5
max_batch_timeout = 2
dead_letter_queue = "jobs-dead"

[triggers]
crons = ["0 * * * *"]

[env.staging]
vars = { GREETING = "hi" }

[env.production]
[[env.production.kv_namespaces]]
binding = "CACHE"
id = "yyy"
"""
JSONC = """{
  // a comment, and a trailing comma
  "name": "tiny", "main": "index.js", "compatibility_date": "2026-05-01", "limits": { "cpu_ms": 50 },
  "vars": { "SIGN": "\\ud83d\\ude00" },
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("stacks", "templates", "worker_src", "migrations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    app = tmp_path / "app"
    (app / "src").mkdir(parents=True)
    (app / "migrations").mkdir()
    (app / "src" / "index.ts").write_text("export default { fetch: () => new Response('hi') };\n")
    (app / "public").mkdir()
    (app / "public" / "a.html").write_text("a")
    (app / "index.js").write_text("export default { fetch: () => new Response('hi') };\n")
    return tmp_path


def test_each_environment_of_a_toml_becomes_a_stack_that_passes_check(root: Path) -> None:
    (root / "app" / "wrangler.toml").write_text(TOML)
    found = import_wrangler([root / "app"], root)
    assert list(found.files) == ["stacks/default.yaml", "stacks/staging.yaml", "stacks/production.yaml"]
    staging, production = load_stack("staging", root), load_stack("production", root)
    worker = staging.workers["ask-docs"]
    assert (worker.source, worker.compatibility_flags) == ("app/src/index.ts", ["nodejs_compat"])
    assert (worker.crons, worker.vars) == (["0 * * * *"], {"GREETING": "hi"})
    assert [domain.hostname for domain in worker.domains] == ["ask.example.com"]
    assert worker.bindings == {}, "wrangler's environments inherit no bindings"
    assert list(production.workers["ask-docs"].bindings) == ["CACHE"]
    assert not check(["default", "staging", "production"], root).wrong
    notes = "\n".join(found.notes)
    assert staging.workers["ask-docs"].assets is not None, "they are inherited"
    assert "app/wrangler.toml:7:66: not carried: `routes[1]`; a route needs the id of its zone" in notes


def test_a_file_without_environments_becomes_one_stack_with_its_bindings(root: Path) -> None:
    (root / "app" / "wrangler.toml").write_text(TOML[: TOML.index("[env.staging]")])
    found = import_wrangler([root / "app" / "wrangler.toml"], root)
    spec = load_stack("default", root)
    worker = spec.workers["ask-docs"]
    assert sorted(worker.bindings) == ["AI", "DB", "DOCS", "JOBS"]
    assert worker.vars == {"GREETING": "hello ${name}", "LIMITS": {"a": 1}}
    assert spec.databases["content"].migrations == "app/migrations"
    consumer = spec.queues["jobs"].consumer
    assert consumer is not None
    assert (consumer.batch_size, consumer.max_wait_ms, consumer.dead_letter) == (5, 2000, "jobs-dead")
    notes = "\n".join(found.notes)
    assert "how long the vectors of `docs` are" in notes


def test_json_with_comments_is_read(root: Path) -> None:
    (root / "app" / "wrangler.jsonc").write_text(JSONC)
    import_wrangler([root / "app"], root)
    worker = load_stack("default", root).workers["tiny"]
    assert (worker.cpu_ms, worker.vars) == (50, {"SIGN": "😀"})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("wrangler.toml", "name = [", "app/wrangler.toml:1:9: this is not TOML: Invalid value"),
        ("wrangler.toml", "a = 1\na = 2", "app/wrangler.toml:2:6: this is not TOML: Cannot overwrite a value"),
        ("wrangler.json", '{"name": "x",\n "main": }', "app/wrangler.json:2:10: this is not JSON: Unexpected"),
        ("wrangler.json", "[1]", "app/wrangler.json:1:1: the file is no mapping of keys to values"),
        (
            "wrangler.json",
            '{"name": "\\ud800"}',
            "app/wrangler.json:1:1: this is not JSON: it holds half of a character",
        ),
        ("wrangler.json", '{"a":' * 5000, "app/wrangler.json:1:1: the file nests too deep"),
        ("wrangler.toml", "a = " + "[" * 60 + "]" * 60, "app/wrangler.toml:1:1: the file nests too deep"),
    ],
    ids=["toml", "twice", "json", "a list", "half a sign", "deep", "deep in toml"],
)
def test_a_broken_file_is_told_by_its_place_and_nothing_is_written(root: Path, name: str, text: str, said: str) -> None:
    (root / "app" / name).write_text(text)
    with pytest.raises(ConfigError) as raised:
        import_wrangler([root / "app"], root)
    assert str(raised.value).startswith(said)
    assert "\n  fix: " in str(raised.value)
    assert not (root / "stacks" / "default.yaml").exists()


def test_what_is_exported_wrangler_takes(root: Path, tmp_path: Path) -> None:
    (root / "stacks" / "prod.yaml").write_text(
        (root / "stacks" / "prod.yaml").read_text().replace("account:", "#") + "\n"
    )
    written, notes = export_wrangler("prod", root, tmp_path / "out")
    config = json5.loads((tmp_path / "out" / "rag" / "wrangler.jsonc").read_text())
    assert config["name"] == "rag-prod"
    assert config["queues"]["consumers"][0]["queue"] == "ingest-prod"
    assert "rag: set the secret yourself: wrangler secret put API_TOKEN" in notes
    assert "indexes.docs: wrangler vectorize create docs-prod --dimensions=768 --metric=cosine" in notes
    done = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "wrangler"), "deploy", "--dry-run", "--outdir", str(tmp_path / "built")],
        cwd=tmp_path / "out" / "rag",
        capture_output=True,
        text=True,
        env={**os.environ, "WRANGLER_SEND_METRICS": "false", "HOME": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for binding in ("env.DOCS", "env.DB", "env.SOURCES", "env.CACHE", "env.INGEST", "env.AI"):
        assert binding in done.stdout
    assert len(written) == len(set(written)) > 2
    with pytest.raises(ConfigError, match="is not empty"):
        export_wrangler("prod", root, tmp_path / "out")
    assert json.dumps(config).count("$schema") == 0
