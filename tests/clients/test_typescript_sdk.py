"""Cloudflare's own TypeScript SDK cannot tell: what its Python sister's tests ask, asked by it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import IO

import pytest

from inferstack import local
from tests.clients.environment import HERE, environment, node_environment
from tests.conftest import Api

FAMILIES = re.findall(
    r'"(\w+)"', re.findall(r"FAMILIES = \(.*?\n\)", (HERE / "sdk_calls.py").read_text(), re.DOTALL)[0]
)
AT_LEAST = 455  # it can only rise


def started(*command: str) -> subprocess.Popen[str]:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)


def line(of: subprocess.Popen[str]) -> str:
    stream: IO[str] | None = of.stdout
    assert stream is not None
    return stream.readline()


def tell(to: subprocess.Popen[str], text: str) -> None:
    assert to.stdin is not None
    to.stdin.write(text.rstrip("\n") + "\n")
    to.stdin.flush()


def outcomes(api: Api) -> tuple[dict[str, str], set[str], list[str]]:
    """By test what came of it; the methods that were called; all methods of the families."""
    base, token = api.running.base_url, local.token_of(api.folder)
    folder, node = environment(), shutil.which("node")
    assert node is not None
    told = (str(folder / "sdk"), base, local.ACCOUNT_ID, token)
    script = str(node_environment() / "sdk_calls.mjs")
    found, called = {}, set()
    with (
        started(str(folder / "bin/python"), str(HERE / "asked_calls.py"), *told) as asking,
        started(node, script, base, token, ",".join(FAMILIES)) as asked,
    ):
        while question := line(asking):
            call = json.loads(question)
            if "failed" in call:
                found[call["name"]] = call["failed"]
            else:
                tell(asked, question)
                found[call["name"]] = json.loads(line(asked))
                called.add(call["method"].replace("_", "").lower())
            tell(asking, "next")
        assert asked.stdin is not None
        asked.stdin.close()
        every = json.loads(line(asked))
    return found, called, every


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_method_answers_what_the_python_sdk_asks(cloudflare: Api) -> None:
    found, called, every = outcomes(cloudflare)
    absent = [name for name, said in found.items() if said == "not in this SDK"]
    wrong = [f"{name}: {said}" for name, said in found.items() if said not in ("passed", "not in this SDK")]
    wrong = [each for each in wrong if "not emulated" not in each]
    passed = sum(said == "passed" for said in found.values())
    left = [each for each in every if each.lower() not in called]
    print(
        f"{passed} of {len(found)} calls, {len(absent)} not in this SDK, {len(left)} of {len(every)} methods not called"
    )
    print(*absent, "", *wrong, "", *left, sep="\n")
    assert passed >= AT_LEAST, "\n".join(wrong)
