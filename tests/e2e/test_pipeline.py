"""The steps of the generated workflow, one after another, in a clean folder and environment, with Pulumi's state in S3."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from inferstack import local
from inferstack.toolchain import cache_folder, find_simulators, find_workerd
from tests.conftest import ROOT
from tests.e2e.test_installed import wheel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
STACKS = {
    "base": "workers:\n  hello:\n    source: code/index.js\n    compatibility_date: '2026-06-01'\n"
    "    bindings: { FILES: { bucket: files } }\nbuckets: { files: {} }\n",
    "staging": "extends: base.yaml\nenvironment: staging\ntarget: local\nlocal: { port: 0, api_port: 0 }\n",
    "prod": "extends: base.yaml\nenvironment: prod\ntarget: local\nlocal: { port: 0, api_port: 0 }\n",
}
CODE = "export default { fetch: () => new Response('hello') };\n"
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of Pulumi's state in a bucket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while True:
        try:
            httpx.put(f"http://127.0.0.1:{port}/state").raise_for_status()
            break
        except httpx.HTTPError:
            assert time.monotonic() < end
            time.sleep(0.2)
    yield f"s3://state?endpoint=http://127.0.0.1:{port}&use_path_style=true&disable_https=true&region=us-east-1"
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, s3: str) -> dict[str, Any]:
    """A machine of a pipeline: an environment that is empty, the wheel where pip looks, and the variables of a job.

    The stacks are local: nothing offline stands for Cloudflare on other addresses than loopback.
    """
    root = tmp_path_factory.mktemp("runner")
    wheel(root / "dist")
    subprocess.run([sys.executable, "-m", "venv", root / "env"], check=True)
    (root / "cache" / "inferstack").mkdir(parents=True)
    if (cache_folder() / "pulumi").is_dir():
        (root / "cache" / "inferstack" / "pulumi").symlink_to(cache_folder() / "pulumi")
    tools = [str(Path(found).parent) for name in ("npm", "go") if (found := shutil.which(name))]
    places = [root / "env" / "bin", *tools, "/usr/bin", "/bin"]
    kept = {k: v for k, v in os.environ.items() if k.lower().startswith(("pip_", "npm_", "ssl_"))}
    variables = {
        **kept,
        **AWS,
        "PATH": os.pathsep.join(map(str, places)),
        "HOME": str(root / "home"),
        "XDG_CACHE_HOME": str(root / "cache"),
        "INFERSTACK_LOCAL_BACKEND_URL": s3,
        "INFERSTACK_WORKERD": str(find_workerd()),  # neither of them in what deploys only
        "INFERSTACK_SIMULATORS": str(find_simulators().parents[2]),
        "PIP_FIND_LINKS": str(root / "dist"),
    }
    (root / "home").mkdir()
    secrets = {
        "CLOUDFLARE_ACCOUNT_ID": local.ACCOUNT_ID,
        "CLOUDFLARE_API_TOKEN": "a token of the account",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
    }
    return {"root": root, "variables": variables, "secrets": secrets}


@pytest.fixture(scope="module")
def checkout(runner: dict[str, Any], s3: str) -> Iterator[Path]:
    """A project with its generated workflow, as `actions/checkout` leaves it."""
    folder = runner["root"] / "checkout"
    (folder / "stacks").mkdir(parents=True)
    (folder / "code").mkdir()
    (folder / "code" / "index.js").write_text(CODE)
    for name, text in STACKS.items():
        (folder / "stacks" / f"{name}.yaml").write_text(text)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    shutil.copyfile(ROOT / "__main__.py", folder / "__main__.py")
    (folder / "requirements.txt").write_text("inferstack[local]\n")
    command = [
        str(Path(sys.executable).parent / "inferstack"),
        "gitops",
        "github",
        "--staging",
        "staging",
        "--prod",
        "prod",
    ]
    subprocess.run([*command, "--backend", s3], cwd=folder, check=True, capture_output=True)
    yield folder
    local.stop(folder / ".inferstack" / "local")


def steps(checkout: Path, job: str) -> list[dict[str, Any]]:
    workflow = yaml.safe_load((checkout / ".github" / "workflows" / "inferstack.yml").read_text())
    return [step for step in workflow["jobs"][job]["steps"] if "run" in step]


def attempt(runner: dict[str, Any], checkout: Path, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """As GitHub's runner does it; a secret that a step does not name is not there."""

    def value(text: str) -> str:
        return re.sub(r"\$\{\{ secrets\.(\w+) \}\}", lambda found: runner["secrets"].get(found[1], ""), text)

    given = {name: value(str(text)) for name, text in (step.get("env") or {}).items()}
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", step["run"]],
        cwd=checkout,
        env={**runner["variables"], **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    for name, secret in runner["secrets"].items():
        assert name == "CLOUDFLARE_ACCOUNT_ID" or secret not in done.stdout
    return done


def run(runner: dict[str, Any], checkout: Path, step: dict[str, Any]) -> str:
    done = attempt(runner, checkout, step)
    assert done.returncode == 0, f"{step['run']}\n{done.stdout}"
    return done.stdout


def deployed(checkout: Path, stack: str) -> str:
    running = local.find(checkout / ".inferstack" / "local")
    assert running is not None
    host = {"host": f"hello-{stack}.local.localhost"}
    return httpx.get(f"http://127.0.0.1:{running.port}/", headers=host).text


def test_a_merge_deploys_staging_and_then_prod(runner: dict[str, Any], checkout: Path, s3: str) -> None:
    said = [run(runner, checkout, step) for job in ("staging", "prod") for step in steps(checkout, job)]
    assert "created" in "".join(said)
    assert [deployed(checkout, stack) for stack in ("staging", "prod")] == ["hello", "hello"]
    kept = httpx.get(f"{re.findall('endpoint=([^&]+)', s3)[0]}/state?list-type=2").text
    assert {f".pulumi/stacks/shop/{stack}.json" for stack in ("staging", "prod")} <= set(
        re.findall("<Key>([^<]+)", kept)
    )


def test_a_pull_request_shows_its_plan(runner: dict[str, Any], checkout: Path) -> None:
    """After the merge: the plan of what is deployed already has no change."""
    (checkout / "code" / "index.js").write_text(CODE.replace("hello", "hello, world"))
    for step in steps(checkout, "plan"):
        if not step["run"].startswith("gh "):
            run(runner, checkout, step)
    (checkout / "code" / "index.js").write_text(CODE)
    plan = (checkout / "plan.md").read_text()
    assert "hello" in plan and "| " in plan


def test_of_two_runs_at_once_one_waits_or_is_refused_and_nothing_is_lost(
    runner: dict[str, Any], checkout: Path
) -> None:
    """The workflow's own `concurrency` lets no two begin; two workflows, or a person beside one, still may."""
    (checkout / "code" / "index.js").write_text(CODE.replace("hello", "hello again"))
    [up] = [step for step in steps(checkout, "staging") if step["run"].startswith("inferstack up")]
    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda _: attempt(runner, checkout, up), range(2)))
    assert 0 in [done.returncode for done in ended]
    for done in ended:
        assert done.returncode == 0 or "another run holds the lock of this stack" in done.stdout
        assert "Traceback" not in done.stdout
    assert "hello" in run(runner, checkout, up)
    assert deployed(checkout, "staging") == "hello again"


def test_each_night_drift_is_looked_for(runner: dict[str, Any], checkout: Path) -> None:
    (checkout / "code" / "index.js").write_text(CODE)
    for step in steps(checkout, "nightly"):
        run(runner, checkout, step)
