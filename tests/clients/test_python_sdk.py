"""Cloudflare's own Python SDK cannot tell: its generated tests, strictly typed, against the local Cloudflare."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter

import pytest

from inferstack import local
from tests.clients.environment import HERE, environment
from tests.conftest import Api

AT_LEAST = 460  # it can only rise
ACCOUNT = "one account and its user come with the local Cloudflare, which makes, changes and ends none"
ZONES = "a zone is there when its name is asked for (inferstack/local/zones.py), and nobody makes or ends one"
WEIGHTS = "LoRA fine-tunes need the weights of Cloudflare's models; refused by name"
LETTERS = "Cloudflare tells a bucket's location in capitals (terraform-provider-cloudflare#5819, 2025-07); the SDK lists small"
PLACED = "Cloudflare tells `placement: {}` of a Worker that is not placed (seen 2026-04); the SDK demands a member"
UNREADABLE = "the SDK's own classes: no schema can be made of them, whatever is answered"
# What fails, and why that is right: the beginning of the test's name and what its error says.
REASONS = {
    ("test_accounts:", "Method not allowed"): ACCOUNT,
    ("test_memberships:", "Method not allowed"): ACCOUNT,
    ("test_user:", "Method not allowed"): ACCOUNT,
    ("test_zones:", "Method not allowed"): ZONES,
    ("ai/test_finetunes:create", "no weights of the models"): WEIGHTS,
    ("ai/finetunes/test_assets:create", "no weights of the models"): WEIGHTS,
    ("ai/test_finetunes:list", "input_value=[]"): "Cloudflare answers with a list, and the SDK reads one fine-tune",
    ("ai/test_to_markdown:transform", "TypeError"): "the SDK's method calls its own client wrongly",
    ("r2/test_buckets:", "result."): LETTERS,
    ("workers/scripts/test_versions:", "PydanticSchemaGenerationError"): UNREADABLE,
    ("workers/scripts/test_script_and_version_settings:", "result.placement"): PLACED,
    (
        "workers/observability/test_telemetry:query",
        "needle.value",
    ): "a text is told as it was given; the SDK reads a class",
}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_sdk_s_own_tests_pass_on_things_that_are_there(cloudflare: Api) -> None:
    folder = environment()
    told = (str(folder / "sdk"), cloudflare.running.base_url, local.ACCOUNT_ID, local.token_of(cloudflare.folder))
    command = [str(folder / "bin" / "python"), str(HERE / "sdk_calls.py"), *told]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1400, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    outcomes = said["outcomes"]
    counts = Counter(outcome if outcome in ("passed", "not claimed") else "failed" for outcome in outcomes.values())
    faults = [f"{name}: {outcome}" for name, outcome in outcomes.items() if outcome not in ("passed", "not claimed")]
    print(dict(counts), {key: said["odd"][key] for key in ("refused", "taken")}, *faults, sep="\n")
    assert said["odd"]["failed"] == []
    reasons = [(fault, [why for why in REASONS if fault.startswith(why[0]) and why[1] in fault]) for fault in faults]
    assert [fault for fault, why in reasons if not why] == []
    assert set(REASONS) - {each for _, why in reasons for each in why} == set(), (
        "a reason without a fault: strike it out"
    )
    assert counts["passed"] >= AT_LEAST, "\n".join(faults)
