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

AT_LEAST = 445  # it can only rise


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
    assert counts["passed"] >= AT_LEAST, "\n".join(faults)
