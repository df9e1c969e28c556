"""A Terraform project on the local Cloudflare, by OpenTofu and Cloudflare's own provider, from `apply` to `destroy`.

    INFERSTACK_TERRAFORM=1 python -m pytest tests/e2e/test_terraform.py

builds both from their Go modules first, where they are not built yet: about 15 minutes of one core, once on a machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project
from tools import terraform

HERE = ROOT / "tests" / "terraform"
BUILD = bool(os.environ.get("INFERSTACK_TERRAFORM"))
[GUIDE] = re.findall(r"^```hcl\n(.*?)^```$", (ROOT / "docs/guides/terraform.md").read_text(), re.MULTILINE | re.DOTALL)
STACK = "environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\n"
CHANGES = 2  # what `-detailed-exitcode` ends with when the plan is not empty

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # a first run builds both programs


@pytest.fixture(scope="module")
def programs() -> tuple[Path, Path]:
    if not terraform.built() and not BUILD:
        pytest.skip("OpenTofu and the Cloudflare provider are not built: INFERSTACK_TERRAFORM=1 builds them")
    return terraform.build(terraform.TOFU), terraform.build(terraform.PROVIDER)


class Tofu:
    """OpenTofu in a folder of a project, started as a user does: `inferstack run dev -- tofu ...`."""

    def __init__(self, project: Project, folder: Path, binary: Path, config: Path) -> None:
        self.project, self.folder = project, folder
        self._variables = {
            "PATH": f"{binary.parent}{os.pathsep}{os.environ['PATH']}",
            "TF_CLI_CONFIG_FILE": str(config),
            "CHECKPOINT_DISABLE": "1",
        }

    def __call__(self, command: str, *arguments: str, code: int = 0, **variables: str) -> str:
        given = {f"TF_VAR_{name}": value for name, value in variables.items()}
        words = ["tofu", f"-chdir={self.folder}", command, *arguments]
        return self.project.run("run", "dev", "--", *words, code=code, **self._variables, **given)

    def change(self, command: str, **variables: str) -> tuple[int, ...]:
        """How many resources were added, changed in place and destroyed."""
        said = self(command, "-auto-approve", "-no-color", **variables)
        counts = re.findall(r"(\d+) (?:added|changed|destroyed)", said)
        return tuple(map(int, counts))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state: values by address."""
        shown = json.loads(self("show", "-json"))
        listed = shown.get("values", {}).get("root_module", {}).get("resources", [])
        return {entry["address"].removeprefix("cloudflare_"): entry["values"] for entry in listed}

    def worker(self, path: str, name: str = "terraform-site") -> httpx.Response:
        url = f"http://127.0.0.1:{self.project.running.port}{path}"
        return httpx.get(url, headers={"host": f"{name}.local.localhost"}, timeout=60)

    def at(self, host: str, path: str) -> str:
        """What a Worker says at an address of a zone."""
        url = f"http://127.0.0.1:{self.project.running.port}{path}"
        return httpx.get(url, headers={"host": host}, timeout=60).text

    def beside(self, name: str) -> Tofu:
        """In another folder of the project."""
        beside = copy(self)
        beside.folder = self.project.root / name
        return beside


@pytest.fixture(scope="module")
def tofu(tmp_path_factory: pytest.TempPathFactory, programs: tuple[Path, Path]) -> Iterator[Tofu]:
    root = tmp_path_factory.mktemp("terraform")
    project = make_project(root)
    (root / "stacks" / "dev.yaml").write_text(STACK)
    project.run("up", "dev")
    for name in ("project", "versions", "edges"):
        shutil.copytree(HERE / name, root / name)
    (root / "guide").mkdir()
    (root / "guide" / "main.tf").write_text(GUIDE)
    binary, provider = programs
    config = root / "tofu.rc"
    config.write_text(
        f'provider_installation {{\n  dev_overrides {{ "cloudflare/cloudflare" = "{provider.parent}" }}\n  direct {{}}\n}}\n'
    )
    yield Tofu(project, root / "project", binary, config)
    local.stop(root / ".inferstack" / "local")


def test_what_is_applied_is_there_and_the_next_plan_is_empty(tofu: Tofu) -> None:
    before = tofu.project.everything()
    added, changed, destroyed = tofu.change("apply")
    assert (added, changed, destroyed) == (13, 0, 0)
    now = tofu.project.everything()
    made = {kind: now[kind] - before[kind] for kind in now}
    assert made == {
        "databases": 1,
        "namespaces": 1,
        "queues": 2,
        "indexes": 0,
        "gateways": 1,
        "workers": 1,
        "buckets": 1,
    }
    tofu("plan", "-detailed-exitcode", "-no-color")


def test_the_worker_has_what_the_project_binds(tofu: Tofu) -> None:
    assert tofu.worker("/").json() == {"said": "hello", "kept": "hello", "notes": []}
    assert tofu.worker("/send?note=by+queue").text == "sent"
    deadline = time.monotonic() + 20
    while not (notes := tofu.worker("/").json()["notes"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert notes == ["by queue"]


def test_a_change_is_made_in_place(tofu: Tofu) -> None:
    before = tofu.resources()
    tofu("plan", "-detailed-exitcode", code=CHANGES, greeting="good day")
    assert tofu.change("apply", greeting="good day") == (0, 2, 0)
    assert tofu.worker("/").json()["said"] == tofu.worker("/").json()["kept"] == "good day"
    after = tofu.resources()
    assert {name: values.get("id") for name, values in after.items()} == {
        name: values.get("id") for name, values in before.items()
    }
    tofu("plan", "-detailed-exitcode", greeting="good day")


def test_what_is_forgotten_is_imported_again(tofu: Tofu) -> None:
    state = tofu.resources()
    account = local.ACCOUNT_ID
    paths = {
        "d1_database.notes": f"{account}/{state['d1_database.notes']['id']}",
        "workers_kv_namespace.settings": f"{account}/{state['workers_kv_namespace.settings']['id']}",
        "queue.failed": f"{account}/{state['queue.failed']['queue_id']}",
        "ai_gateway.models": f"{account}/terraform-models",
        "r2_bucket.files": f"{account}/terraform-files/default",
    }
    for address, path in paths.items():
        tofu("state", "rm", f"cloudflare_{address}")
        tofu("import", f"cloudflare_{address}", path, greeting="good day")
    tofu("plan", "-detailed-exitcode", "-no-color", greeting="good day")


def test_what_another_hand_deleted_is_made_again(tofu: Tofu) -> None:
    tofu.project.api("DELETE", "/ai-gateway/gateways/terraform-models")
    assert tofu.change("apply", greeting="good day") == (1, 0, 0)
    assert tofu.project.api("GET", "/ai-gateway/gateways/terraform-models")["cache_ttl"] == 60


def test_destroy_leaves_nothing(tofu: Tofu) -> None:
    assert tofu.change("destroy") == (13,)
    assert not any(tofu.project.everything().values())
    assert tofu.resources() == {}


def test_a_worker_by_its_versions(tofu: Tofu) -> None:
    versions = tofu.beside("versions")
    assert versions.change("apply") == (7, 0, 0)
    assert versions.worker("/", "terraform-hello").text == "hello, 8"
    versions("plan", "-detailed-exitcode", "-no-color")
    before = versions.resources()["worker.hello"]["id"]
    assert versions.change("apply", greeting="good day") == (2, 0, 2)  # a version and a deployment never change
    assert versions.worker("/", "terraform-hello").text == "good day, 8"
    assert versions.resources()["worker.hello"]["id"] == before
    assert versions.change("destroy") == (7,)
    assert not any(tofu.project.everything().values())


def test_files_objects_addresses_and_a_search(tofu: Tofu) -> None:
    edges = tofu.beside("edges")
    assert edges.change("apply") == (8, 0, 0)
    edges("plan", "-detailed-exitcode", "-no-color")
    assert "A page of Terraform" in edges.worker("/", "terraform-edges").text
    assert [edges.worker("/count", "terraform-edges").json() for _ in range(2)] == [1, 2]
    assert edges.at("shop.example.com", "/api/x") == "shop.example.com/api/x"
    assert edges.at("files.example.com", "/x") == "files.example.com/x"
    # Not the search: provider 5.24 takes `modified_at` for what never changes, so that each change of one is an error of its own.
    assert edges.change("apply", pattern="shop.example.com/v2/*") == (0, 1, 0)
    assert edges.project.api("GET", "/ai-search/instances/terraform-texts")["source"] == "terraform-texts"
    assert edges.at("shop.example.com", "/v2/x") == "shop.example.com/v2/x"
    assert edges.worker("/count", "terraform-edges").json() == 3, "objects keep their state"


def test_these_are_imported_too_and_go(tofu: Tofu) -> None:
    edges = tofu.beside("edges")
    told = {"pattern": "shop.example.com/v2/*"}
    state, account = edges.resources(), local.ACCOUNT_ID
    paths = {
        "workers_route.api": f"{state['workers_route.api']['zone_id']}/{state['workers_route.api']['id']}",
        "workers_custom_domain.files": f"{account}/{state['workers_custom_domain.files']['id']}",
    }  # no search: provider 5.24 reads neither `chunk` nor `summarization`, and imports no namespace
    for address, path in paths.items():
        edges("state", "rm", f"cloudflare_{address}")
        edges("import", f"cloudflare_{address}", path, **told)
    edges("plan", "-detailed-exitcode", "-no-color", **told)
    assert edges.change("destroy", **told) == (8,)
    assert not any(tofu.project.everything().values())


def test_the_project_of_the_guide(tofu: Tofu) -> None:
    guide = tofu.beside("guide")
    assert guide.change("apply") == (3, 0, 0)
    assert guide.worker("/", "hello-terraform").text == "no word yet"
    guide("plan", "-detailed-exitcode", "-no-color")
    assert guide.change("destroy") == (3,)
