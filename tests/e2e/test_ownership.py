"""What destroys acts on what the stack's state holds, whatever names say; and says before what it will destroy."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # minutes: whole stacks, again and again

SMALL = """environment: {environment}
target: local
local: {{ port: 0, api_port: 0 }}
databases: {{ db: {{}} }}
buckets: {{ data: {{}} }}
"""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """`dev` and `production` (environment `prd`) as files, `live` as a folder; `production` and `live` are up."""
    project = make_project(tmp_path_factory.mktemp("ownership"))
    stacks = project.root / "stacks"
    for file in stacks.glob("*.yaml"):
        file.unlink()
    (stacks / "dev.yaml").write_text(SMALL.format(environment="dev"))
    (stacks / "production.yaml").write_text(SMALL.format(environment="prd"))
    (stacks / "live").mkdir()
    (stacks / "live" / "a.yaml").write_text(SMALL.format(environment="live"))
    (stacks / "linked.yaml").symlink_to("nowhere.yaml")
    project.run("up", "production")
    project.run("up", "live")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def put(project: Project, bucket: str, key: str) -> None:
    path = quote(key, safe="").replace(".", "%2E")
    project.api("PUT", f"/r2/buckets/{bucket}/objects/{path}", content=b"kept")


def objects(project: Project, bucket: str) -> list[str]:
    return [item["key"] for item in project.api("GET", f"/r2/buckets/{bucket}/objects")]


def databases(project: Project) -> set[str]:
    return {entry["name"] for entry in project.api("GET", "/d1/database")}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("live", "is a stack of its own"),
        ("production", "is a stack of its own"),
        ("linked", "is a stack of its own"),
        ("chat", "is a stack of its own"),
        ("base", "is a stack of its own"),
        ("prd", "the environment `prd` is that of stack `production`"),
        ("sample", "the environment `sample` is that of stack"),
        ("Live", "is no name of a stack"),
        ("../x", "is no name of a stack"),
    ],
    ids=["folder", "file", "broken link", "sample", "base", "environment", "environment of samples", "case", "path"],
)
def test_an_ephemeral_stack_takes_no_name_that_is_somebodys(ours: Project, name: str, said: str) -> None:
    before = sorted(path.name for path in (ours.root / "stacks").rglob("*"))
    assert said in ours.run("ephemeral", "up", name, "--from", "dev", code=2)
    assert sorted(path.name for path in (ours.root / "stacks").rglob("*")) == before


@pytest.mark.parametrize("name", ["live", "production"])
def test_ephemeral_down_refuses_a_stack_of_ones_own(ours: Project, name: str) -> None:
    before = databases(ours)
    assert "is not an ephemeral stack" in ours.run("ephemeral", "down", name, "--from", "dev", code=2)
    assert databases(ours) == before


def test_ephemeral_down_of_an_environment_empties_no_bucket_of_the_stack_that_has_it(ours: Project) -> None:
    put(ours, "data-prd", "precious")
    ours.run("ephemeral", "down", "prd", "--from", "dev", code=6)
    assert objects(ours, "data-prd") == ["precious"]


def test_a_deployed_stack_whose_file_is_gone_is_not_taken_for_an_ephemeral_one(ours: Project) -> None:
    folder, aside = ours.root / "stacks" / "live", ours.root / "aside"
    folder.rename(aside)
    try:
        for arguments, said in (
            (("up", "live"), "there is a stack `live` already, and it is not an ephemeral one"),
            (("down", "live"), "its state does not carry the mark"),
        ):
            assert said in ours.run("ephemeral", *arguments, "--from", "dev", code=2)
        (ours.root / "stacks" / "production.yaml").rename(ours.root / "production.yaml")
        said = ours.run("ephemeral", "up", "prd", "--from", "dev", code=2)
        assert "is that of the deployed stack `production`" in said
        assert "none has ended" in ours.run("ephemeral", "prune", "--from", "dev")
    finally:
        aside.rename(folder)
        (ours.root / "production.yaml").rename(ours.root / "stacks" / "production.yaml")
    assert {"db-live", "db-prd"} <= databases(ours)


def test_a_stack_that_ends_by_its_own_file_is_not_pruned(ours: Project) -> None:
    """`expires:` is a key that anybody can write; the mark is not."""
    file = ours.root / "stacks" / "mine.yaml"
    file.write_text(SMALL.format(environment="mine") + 'expires: "2020-01-01T00:00:00+00:00"\n')
    ours.run("up", "mine")
    assert "none has ended" in ours.run("ephemeral", "prune", "--from", "dev")
    file.rename(ours.root / "mine.yaml")
    try:
        assert "none has ended" in ours.run("ephemeral", "prune", "--from", "dev")
        assert "does not carry the mark" in ours.run("ephemeral", "down", "mine", "--from", "dev", code=2)
    finally:
        (ours.root / "mine.yaml").rename(file)
    assert "db-mine" in databases(ours)


def test_a_protected_ephemeral_stack_stays(ours: Project) -> None:
    ours.run("ephemeral", "up", "pr-1", "--from", "dev", "--ttl", "0s")
    put(ours, "data-pr-1", "precious")
    ours.edit("stacks/pr-1.yaml", "protect: false", "protect: true")
    ours.run("up", "pr-1")
    for arguments in (("down", "pr-1"), ("prune",)):
        assert "is protected" in ours.run("ephemeral", *arguments, "--from", "dev", code=1)
    assert objects(ours, "data-pr-1") == ["precious"]
    ours.edit("stacks/pr-1.yaml", "protect: true", "protect: false")
    ours.run("up", "pr-1")
    said = ours.run("ephemeral", "down", "pr-1", "--from", "dev")
    assert "bucket: data-pr-1" in said
    assert "on the local Cloudflare (account " in said
    assert "db-pr-1" not in databases(ours)


NAMED = """environment: named
target: local
local: { port: 0, api_port: 0 }
databases: { db: { name: Shop } }
buckets: { data: { name: shop-files } }
workers:
  w:
    source: w.js
    compatibility_date: "2026-06-01"
    workflows: { RUN: { class_name: Run, name: shop-run } }
"""
RUN = """import { WorkflowEntrypoint } from "cloudflare:workers";
export class Run extends WorkflowEntrypoint { async run() {} }
export default { fetch: () => new Response("fine") };
"""


def test_an_ephemeral_stack_has_other_names_than_those_its_source_says(ours: Project) -> None:
    (ours.root / "stacks" / "named.yaml").write_text(NAMED)
    (ours.root / "w.js").write_text(RUN)
    ours.run("up", "named")
    put(ours, "shop-files", "precious")
    ours.run("ephemeral", "up", "pr-4", "--from", "named")
    assert databases(ours) >= {"Shop", "db-pr-4"}
    assert {each["name"] for each in ours.api("GET", "/workflows")} == {"shop-run", "w-run-pr-4"}
    ours.run("ephemeral", "down", "pr-4", "--from", "named")
    assert objects(ours, "shop-files") == ["precious"]
    assert "Shop" in databases(ours)


KEYS = ["what?#1", "..", ".", "a/../b", "a b", "a%2Fb", "a%25b", "#", "?", "a//b", "/a", "Straße.txt", "日本語", "a\\b"]


def test_a_bucket_is_emptied_of_any_key_and_of_nothing_else(ours: Project) -> None:
    ours.run("ephemeral", "up", "pr-2", "--from", "dev")
    victim = next(entry["uuid"] for entry in ours.api("GET", "/d1/database") if entry["name"] == "db-live")
    for key in [*KEYS, f"../../../../../../d1/database/{victim}", f"../../../../d1/database/{victim}"]:
        put(ours, "data-pr-2", key)
    others = databases(ours) - {"db-pr-2"}
    ours.run("ephemeral", "down", "pr-2", "--from", "dev")
    assert databases(ours) == others
    assert "data-pr-2" not in {bucket["name"] for bucket in ours.api("GET", "/r2/buckets")["buckets"]}


def test_a_bucket_that_cannot_be_emptied_ends_in_an_error_and_not_in_a_loop(ours: Project) -> None:
    ours.run("ephemeral", "up", "pr-3", "--from", "dev")
    put(ours, "data-pr-3", "stuck")
    ours.run("local", "fault", "add", "--path", "/objects/stuck", "--method", "DELETE", "--status", "503")
    said = ours.run("ephemeral", "down", "pr-3", "--from", "dev", code=1)
    assert "object 'stuck' of bucket `data-pr-3` cannot be emptied" in said
    assert "db-pr-3" in databases(ours)
    ours.run("local", "fault", "clear")
    ours.run("ephemeral", "down", "pr-3", "--from", "dev")


def test_down_names_what_it_destroys_and_where(ours: Project) -> None:
    said = ours.run("down", "live", "--yes")
    assert "stack `live` on the local Cloudflare (account 10ca110ca110ca110ca110ca110ca110) holds 2 resources" in said
    assert "database: db-live" in said


def test_after_a_reset_the_next_up_works(ours: Project) -> None:
    said = ours.run("local", "reset")
    assert "wipes the local Cloudflare" in said
    assert "production" in said
    ours.run("up", "dev")


def test_a_passphrase_that_is_gone_is_replaced_unless_it_guards_a_secret(ours: Project) -> None:
    ours.run("down", "dev", "--yes")
    (ours.root / ".inferstack" / "passphrase").unlink()
    ours.run("local", "reset")
    ours.run("up", "dev")
    ours.pulumi("config", "set", "--secret", "token", "t0p-secret", "-s", "dev")
    (ours.root / ".inferstack" / "passphrase").rename(ours.root / "kept")
    for _ in range(2):
        said = ours.run("up", "dev", code=2)
        assert "Pulumi.dev.yaml holds secrets whose passphrase" in said
    (ours.root / "kept").rename(ours.root / ".inferstack" / "passphrase")
    ours.run("up", "dev")
