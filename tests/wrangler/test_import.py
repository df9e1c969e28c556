"""`inferstack import wrangler`: environments, and which resources are one."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.config import load_stack
from tests.wrangler.conftest import Import, notes, one

ZONE = "0123456789abcdef0123456789abcdef"


# Environments


def test_the_top_level_is_a_stack_beside_the_environments_and_nothing_is_inherited_that_wrangler_does_not(
    bring: Import, tmp_path: Path
) -> None:
    found = bring(
        {
            "vars": {"STAGE": "production"},
            "kv_namespaces": [{"binding": "CACHE", "id": "aaaa"}],
            "ai": {"binding": "AI"},
            "triggers": {"crons": ["0 3 * * *"]},
            "observability": {"enabled": True},
            "routes": [{"pattern": "shop.example.com", "custom_domain": True}],
            "env": {"staging": {"vars": {"STAGE": "staging"}, "triggers": {"crons": ["0 4 * * *"]}}, "empty": {}},
        }
    )
    assert list(found.files) == ["stacks/default.yaml", "stacks/staging.yaml", "stacks/empty.yaml"]
    top, staging, empty = (load_stack(name, tmp_path).workers["shop"] for name in ("default", "staging", "empty"))
    assert (top.vars, list(top.bindings)) == ({"STAGE": "production"}, ["CACHE", "AI"])
    assert (staging.vars, staging.bindings) == ({"STAGE": "staging"}, {})
    assert (empty.vars, empty.bindings) == ({}, {})
    assert [worker.crons for worker in (top, staging, empty)] == [["0 3 * * *"], ["0 4 * * *"], ["0 3 * * *"]]
    assert [worker.domains[0].hostname for worker in (top, staging, empty)] == ["shop.example.com"] * 3
    assert all(worker.observability for worker in (top, staging, empty))


def test_a_route_of_an_environment_stands_for_all_routes_it_would_inherit(bring: Import, tmp_path: Path) -> None:
    own = {"route": {"pattern": "b.example.com/*", "zone_id": ZONE}}
    bring({"routes": [{"pattern": "a.example.com/*", "zone_id": ZONE}], "env": {"b": own}})
    routes = {name: [r.pattern for r in load_stack(name, tmp_path).workers["shop"].routes] for name in ("default", "b")}
    assert routes == {"default": ["a.example.com/*"], "b": ["b.example.com/*"]}


@pytest.mark.parametrize(
    ("name", "key", "physical"),
    [
        (None, "shop", "shop-prod"),
        ("till", "till", "till-prod"),
        ("till-prod", "till", "till-prod"),
        ("till-api", "till-api", "till-api-prod"),
    ],
)
def test_the_name_of_an_environments_worker_is_kept(
    bring: Import, tmp_path: Path, name: str | None, key: str, physical: str
) -> None:
    bring({"env": {"prod": {"name": name} if name else {}}})
    spec = load_stack("prod", tmp_path)
    assert list(spec.workers) == [key]
    assert spec.physical(key) == physical


def test_no_two_environments_meet_in_one_file(bring: Import, tmp_path: Path) -> None:
    (tmp_path / "stacks" / "dev.yaml").write_text("environment: dev\ntarget: local\n")
    found = bring({"env": {"default": {}, "Prod": {}, "prod": {}, "dev": {}, "base": {}}})
    assert list(found.files) == [
        f"stacks/{name}.yaml" for name in ("top-level", "default", "prod", "prod-2", "dev-2", "base-2")
    ]
    assert (tmp_path / "stacks" / "dev.yaml").read_text() == "environment: dev\ntarget: local\n"
    assert "there is a stack `dev` already: this one is `dev-2`" in found.notes


def test_a_configuration_built_for_one_environment_is_that_one(bring: Import) -> None:
    found = bring({"targetEnvironment": "staging", "name": "shop-staging", "topLevelName": "shop"})
    assert list(found.files) == ["stacks/staging.yaml"]


# Which resources are one


def test_resources_are_told_apart_by_what_wrangler_knows_them_by(bring: Import, tmp_path: Path) -> None:
    spec = one(
        bring,
        tmp_path,
        kv_namespaces=[
            {"binding": "CACHE", "id": "bbbb"},
            {"binding": "cache", "id": "cccc"},
            {"binding": "SESSIONS", "id": "bbbb", "preview_id": "dddd"},
        ],
        r2_buckets=[
            {"binding": "A", "bucket_name": "files"},
            {"binding": "B", "bucket_name": "files", "jurisdiction": "eu"},
            {"binding": "C", "bucket_name": "files"},
        ],
        d1_databases=[
            {"binding": "D", "database_name": "Main", "database_id": "1"},
            {"binding": "E", "database_name": "main", "database_id": "2"},
            {"binding": "F", "database_name": "renamed", "database_id": "1"},
        ],
        queues={"producers": [{"binding": "G", "queue": "jobs"}, {"binding": "H", "queue": "jobs"}]},
    )
    bound = {
        name: next(iter(b.model_dump(exclude_none=True).values())) for name, b in spec.workers["shop"].bindings.items()
    }
    assert bound == {
        **{"CACHE": "cache", "cache": "cache-2", "SESSIONS": "cache"},
        **{"A": "files", "B": "files-2", "C": "files"},
        **{"D": "main", "E": "main-2", "F": "main"},
        **{"G": "jobs", "H": "jobs"},
    }
    assert [spec.buckets[key].jurisdiction for key in ("files", "files-2")] == [None, "eu"]


def test_ids_that_are_yet_to_be_filled_in_make_nothing_one(bring: Import, tmp_path: Path) -> None:
    spec = one(
        bring,
        tmp_path,
        kv_namespaces=[{"binding": "A", "id": "<YOUR_ID>"}, {"binding": "B", "id": "<YOUR_ID>"}],
        r2_buckets=[{"binding": "C", "bucket_name": "example"}, {"binding": "D", "bucket_name": "example"}],
    )
    assert (list(spec.namespaces), list(spec.buckets)) == (["a", "b"], ["example"])


def test_a_binding_alone_is_enough(bring: Import, tmp_path: Path) -> None:
    spec = one(
        bring,
        tmp_path,
        d1_databases=[{"binding": "DB"}],
        r2_buckets=[{"binding": "FILES"}],
        kv_namespaces=[{"binding": "CACHE"}],
        limits={"subrequests": 50},
    )
    assert (list(spec.databases), list(spec.buckets), list(spec.namespaces)) == (["db"], ["files"], ["cache"])
    assert spec.workers["shop"].raw.version == {"limits": {"subrequests": 50}}


def test_a_wrong_item_takes_none_along(bring: Import, tmp_path: Path) -> None:
    found = bring(
        {
            "d1_databases": [{"database_name": "a"}, 5, {"binding": "B", "database_name": 5}, {"binding": "C"}],
            "kv_namespaces": {"binding": "X"},
            "r2_buckets": [{"binding": "a-b"}, {"binding": "C"}],
        }
    )
    assert list(load_stack("default", tmp_path).workers["shop"].bindings) == ["C"]
    assert notes(found) == [
        "not carried: `d1_databases[0]` has no `binding`",
        "not carried: `d1_databases[1]` is a whole number; wrangler wants a mapping",
        "not carried: `d1_databases[2].database_name` is a whole number; wrangler wants text",
        "not carried: `kv_namespaces` is a mapping; wrangler wants a list",
        "not carried: `a-b` is no name of letters, digits and underscores",
        "not carried: `env.C` is something else already",
    ]
