"""Rules of buckets: an export writes wrangler's files for them, and wrangler's own commands set the same on R2."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from inferstack import local
from inferstack.wrangler.wrangler_export import export_wrangler
from tests.conftest import ROOT, Api

STACK = f"""environment: dev
target: local
buckets:
  files:
    jurisdiction: eu
    cors: [{{ origins: ["*"], methods: [GET], headers: [range], max_age: 60 }}]
    lifecycle: {{ tmp: {{ prefix: tmp/, delete_after_days: 2, infrequent_after_days: 1 }} }}
    lock: {{ law: {{ prefix: law/, until: 2031-01-01 }} }}
    events: [{{ queue: jobs, prefix: "in coming/", suffix: .txt, description: "what's new" }}]
    domains: [{{ hostname: f.example.com, zone: {"a" * 32}, min_tls: "1.3" }}]
  plain: {{}}
queues: {{ jobs: {{}} }}
"""


def test_the_commands_that_are_told_set_the_rules(cloudflare: Api, tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "dev.yaml").write_text(STACK)
    written, notes = export_wrangler("dev", tmp_path, tmp_path / "out")
    files = ["cors.json", "lifecycle.json", "lock.json"]
    assert sorted(Path(file).name for file in written) == files
    assert not [note for note in notes if note.startswith("buckets.") and ": wrangler r2" not in note]
    cloudflare.client.post("/r2/buckets", json={"name": "files-dev"}).raise_for_status()
    queue = cloudflare.client.post("/queues", json={"queue_name": "jobs-dev"}).json()["result"]["queue_id"]
    environment = {
        "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CI": "1",
        "CLOUDFLARE_API_BASE_URL": cloudflare.running.base_url,
        "CLOUDFLARE_API_TOKEN": local.token_of(cloudflare.folder),
        "CLOUDFLARE_ACCOUNT_ID": local.ACCOUNT_ID,
        "WRANGLER_SEND_METRICS": "false",
    }
    for note in notes:
        if note.startswith("buckets."):
            command = shlex.split(note.partition(": ")[2])
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{note}\n{done.stdout}{done.stderr}"
    path = "/r2/buckets/files-dev"

    def rules(where: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = cloudflare.client.get(where).json()["result"]["rules"]
        return found

    allowed = {"methods": ["GET"], "origins": ["*"], "headers": ["range"]}
    assert rules(f"{path}/cors") == [{"allowed": allowed, "maxAgeSeconds": 60}]
    [tmp] = rules(f"{path}/lifecycle")
    assert tmp["deleteObjectsTransition"] == {"condition": {"type": "Age", "maxAge": 172_800}}
    [law] = rules(f"{path}/lock")
    assert (law["id"], law["condition"]) == ("law", {"type": "Date", "date": "2031-01-01T00:00:00Z"})
    [event] = rules(f"/event_notifications/r2/files-dev/configuration/queues/{queue}")
    assert (event["prefix"], event["suffix"], event["description"]) == ("in coming/", ".txt", "what's new")
    [domain] = cloudflare.client.get(f"{path}/domains/custom").json()["result"]["domains"]
    assert (domain["domain"], domain["minTLS"]) == ("f.example.com", "1.3")
