"""`inferstack import wrangler`: environments, which resources are one, values that keep their meaning, what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import StackSpec, load_stack
from inferstack.render import render_worker
from inferstack.wrangler.wrangler_import import Imported
from tests.wrangler.conftest import Import

ZONE = "0123456789abcdef0123456789abcdef"
LAST = "names on Cloudflare are `<name>-<environment>` here: what wrangler deployed stays as it is"


def notes(found: Imported) -> list[str]:
    """Without places, and without what is always said."""
    return [note.partition(": ")[2] for note in found.notes if note != LAST]


def one(bring: Import, root: Path, **config: Any) -> StackSpec:
    """The stack of a configuration that is carried whole."""
    found = bring(config)
    assert (notes(found), found.wrong) == ([], False)
    return load_stack("default", root)


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


# Values that keep their meaning


@pytest.mark.parametrize(
    "value", [5, 0.5, True, False, ["a", {"b": [1]}], {"a": None, "b": "${NOT_SET}"}, "${NOT_SET} $${x}", "", "no"]
)
def test_a_variable_is_the_value_it_was(bring: Import, tmp_path: Path, value: Any) -> None:
    assert one(bring, tmp_path, vars={"A": value}).workers["shop"].vars == {"A": value}


@pytest.mark.parametrize(
    ("given", "on", "raw"),
    [
        ({"enabled": True}, True, None),
        ({"enabled": True, "head_sampling_rate": 1}, True, None),
        ({"enabled": True, "head_sampling_rate": 0}, True, {"enabled": True, "headSamplingRate": 0}),
        (
            {"logs": {"enabled": True, "invocation_logs": False, "persist": False, "head_sampling_rate": 0.5}},
            False,
            {
                "enabled": False,
                "headSamplingRate": 1,
                "logs": {"enabled": True, "headSamplingRate": 0.5, "invocationLogs": False, "persist": False},
            },
        ),
        (
            {"enabled": True, "traces": {"enabled": True, "destinations": ["otel"]}},
            True,
            {"enabled": True, "headSamplingRate": 1, "traces": {"enabled": True, "destinations": ["otel"]}},
        ),
    ],
)
def test_observability_is_carried_whole(
    bring: Import, tmp_path: Path, given: dict[str, Any], on: bool, raw: dict[str, Any] | None
) -> None:
    worker = one(bring, tmp_path, observability=given).workers["shop"]
    assert (worker.observability, worker.raw.worker.get("observability")) == (on, raw)


def test_queues_are_carried_whole(bring: Import, tmp_path: Path) -> None:
    consumer = {
        "queue": "Jobs",
        "max_batch_size": 7,
        "max_batch_timeout": 2,
        "max_retries": 0,
        "dead_letter_queue": "dead",
    }
    spec = one(
        bring,
        tmp_path,
        queues={
            "producers": [{"binding": "Q", "queue": "Jobs", "delivery_delay": 5}],
            "consumers": [{**consumer, "max_concurrency": 2, "retry_delay": 30}],
        },
    )
    assert spec.queues["jobs"].model_dump(exclude_defaults=True) == {
        "delivery_delay": 5,
        "consumer": {
            **{"worker": "shop", "batch_size": 7, "max_wait_ms": 2000, "max_retries": 0},
            **{"retry_delay": 30, "max_concurrency": 2, "dead_letter": "dead"},
        },
    }


@pytest.mark.parametrize(
    ("config", "raw"),
    [
        ({"limits": {"cpu_ms": 5, "subrequests": 9}}, {"version": {"limits": {"cpuMs": 5, "subrequests": 9}}}),
        ({"placement": {"region": "aws:us-east-1"}}, {"version": {"placement": {"region": "aws:us-east-1"}}}),
        ({"logpush": True}, {"worker": {"logpush": True}}),
        ({"workers_dev": False}, {"worker": {"subdomain": {"enabled": False, "previewsEnabled": False}}}),
        ({"preview_urls": True}, {"worker": {"subdomain": {"enabled": True, "previewsEnabled": True}}}),
        ({"workers_dev": True, "preview_urls": False}, {}),
        (
            {"routes": [{"pattern": "a.example.com", "custom_domain": True, "zone_name": "example.com"}]},
            {"worker": {"subdomain": {"enabled": False, "previewsEnabled": False}}},
        ),
        ({"placement": {"mode": "off"}, "no_bundle": True, "route": ""}, {}),
    ],
)
def test_what_the_language_has_no_word_for_goes_to_the_provider_as_it_is(
    bring: Import, tmp_path: Path, config: dict[str, Any], raw: dict[str, Any]
) -> None:
    assert one(bring, tmp_path, **config).workers["shop"].raw.model_dump(exclude_defaults=True) == raw


def test_rate_limits_are_carried_from_either_key(bring: Import, tmp_path: Path) -> None:
    limit = {"namespace_id": "1", "simple": {"limit": 10, "period": 10}}
    old = {"bindings": [{**limit, "name": "OLD", "type": "ratelimit", "namespace_id": "2"}]}
    bindings = one(bring, tmp_path, ratelimits=[{**limit, "name": "NEW"}], unsafe=old).workers["shop"].bindings
    limits = {name: binding.rate_limit for name, binding in bindings.items()}
    assert {name: limit and (limit.requests, limit.seconds) for name, limit in limits.items()} == {
        "NEW": (10, 10),
        "OLD": (10, 10),
    }


def test_datasets_are_carried_by_their_names(bring: Import, tmp_path: Path) -> None:
    datasets = [{"binding": "CALLS", "dataset": "model_calls"}, {"binding": "VISITS"}]
    bindings = one(bring, tmp_path, analytics_engine_datasets=datasets).workers["shop"].bindings
    assert {name: binding.analytics for name, binding in bindings.items()} == {
        "CALLS": "model_calls",
        "VISITS": "VISITS",
    }


def test_static_assets_are_carried_beside_code_and_alone(bring: Import, tmp_path: Path) -> None:
    own = {"binding": "FILES", "not_found_handling": "404-page", "run_worker_first": ["/api/*"]}
    found = bring(
        {
            "assets": {"directory": "./public/", **own},
            "version_metadata": {"binding": "VERSION"},
            "env": {"alone": {"main": "", "assets": {"directory": "public", "html_handling": "none"}}},
        },
        files={"public/a.html": "a", "index.js": "export default { fetch: (r, env) => env.FILES.fetch(env.VERSION) };"},
    )
    assert (notes(found), found.wrong) == ([], False)
    worker, alone = (load_stack(name, tmp_path).workers["shop"] for name in ("default", "alone"))
    assert (worker.assets.model_dump(exclude_none=True) if worker.assets else None) == {
        "directory": "app/public",
        **own,
    }
    assert worker.bindings["VERSION"].version_metadata
    assert (alone.source, alone.assets and alone.assets.html_handling) == (None, "none")


def test_durable_objects_come_with_what_became_of_their_classes(bring: Import, tmp_path: Path) -> None:
    code = "export class Tally {}\nexport class Old {}\nexport class Other {}\nexport default {};\n"
    bindings = [
        {"name": "TALLIES", "class_name": "Tally"},
        {"name": "OLD", "class_name": "Old", "script_name": "rooms"},
    ]
    migrations = [
        {"tag": "v1", "new_sqlite_classes": ["Counter", "Other", "Gone"], "new_classes": ["Old"]},
        {"tag": "v2", "renamed_classes": [{"from": "Counter", "to": "Tally"}], "deleted_classes": ["Gone"]},
    ]
    config = {"name": "rooms", "main": "rooms.js", "durable_objects": {"bindings": bindings}, "migrations": migrations}
    found = bring(config, files={"rooms.js": code})
    assert notes(found) == []
    objects = load_stack("default", tmp_path).workers["rooms"].objects
    assert {name: each.model_dump(exclude_unset=True) for name, each in objects.items()} == {
        "TALLIES": {"class_name": "Tally", "renamed_from": "Counter"},
        "OLD": {"class_name": "Old", "storage": "legacy-kv"},
        "OTHER": {"class_name": "Other"},
        "GONE": {"class_name": "Gone", "deleted": True},
    }


def test_durable_objects_of_another_worker_and_declared_exports_come_along(bring: Import, tmp_path: Path) -> None:
    exports = {
        "Counter": {"type": "durable-object", "state": "renamed", "renamed_to": "Tally"},
        "Tally": {"type": "durable-object", "storage": "sqlite"},
        "Gone": {"type": "durable-object", "state": "deleted"},
        "Api": {"type": "worker", "cache": True},
    }
    files = {"rooms.js": "export class Tally {}\nexport default {};\n"}
    found = bring({"name": "rooms", "main": "rooms.js", "exports": exports}, files=files)
    assert notes(found) == ["not carried: `exports.Api.cache`"]
    bindings = [{"name": name, "class_name": "Tally", "script_name": name.lower()} for name in ("ROOMS", "NOWHERE")]
    config = {"name": "users", "main": "users.js", "durable_objects": {"bindings": bindings}}
    more = bring(config, folder="more", files={"users.js": "export default {};\n"})
    assert "the Worker `nowhere` is not in this stack" in notes(more)[0]
    workers = load_stack("default", tmp_path).workers
    assert workers["rooms"].objects["TALLY"].renamed_from == "Counter"
    assert workers["rooms"].objects["GONE"].deleted
    assert workers["users"].objects["ROOMS"].model_dump(exclude_unset=True) == {
        "class_name": "Tally",
        "worker": "rooms",
    }


def test_migrations_are_found_and_recorded_where_wrangler_does(bring: Import, tmp_path: Path) -> None:
    database = {"binding": "DB", "database_name": "a", "migrations_table": "mine", "migrations_dir": "sql"}
    found = bring({"d1_databases": [database]}, files={"sql/1.sql": "SELECT 1;"})
    assert notes(found) == []
    spec = load_stack("default", tmp_path)
    assert (spec.databases["a"].migrations, spec.databases["a"].migrations_table) == ("app/sql", "mine")


def test_what_the_bundler_is_told_is_carried_and_holds(bring: Import, tmp_path: Path) -> None:
    code = 'import text from "./a.md"; import { b } from "lib"; import { c } from "@/c";\n'
    code += "export default { fetch: () => new Response(text + b + c + VERSION) };"
    files = {
        "index.ts": code,
        "a.md": "# one",
        "lib.ts": "export const b = 'two';",
        "own/c.ts": "export const c = 'three';",
    }
    settings = {"define": {"VERSION": '"four"'}, "alias": {"lib": "./lib.ts"}, "tsconfig": "tsconfig.build.json"}
    rules = [{"type": "Text", "globs": ["**/*.md"], "fallthrough": True}, {"type": "ESModule", "globs": ["**/*.js"]}]
    paths = {"compilerOptions": {"paths": {"@/*": ["./own/*"]}}}
    config = {"main": "index.ts", **settings, "rules": rules, "env": {"staging": {}}}
    found = bring(config, files={**files, "tsconfig.build.json": json.dumps(paths)})
    # `define` is of its environment alone, as wrangler has it; the rest is inherited.
    assert not found.wrong
    bundles = {name: load_stack(name, tmp_path).workers["shop"].bundle for name in ("default", "staging")}
    same = {
        "alias": {"lib": "./app/lib.ts"},
        "tsconfig": "app/tsconfig.build.json",
        "rules": [{"type": "Text", "globs": ["**/*.md"]}],
    }
    assert {name: bundle.model_dump(exclude_defaults=True) for name, bundle in bundles.items() if bundle} == {
        "default": {**same, "define": {"VERSION": '"four"'}},
        "staging": same,
    }
    module = render_worker(load_stack("default", tmp_path), "shop", tmp_path).modules[0].content.decode()
    assert all(word in module for word in ("# one", "two", "three", "four"))


def test_rules_that_no_end_of_a_name_tells_are_left_out_by_name(bring: Import) -> None:
    rules = [
        {"type": "Text", "globs": ["docs/**"]},
        {"type": "Odd", "globs": ["**/*.md"]},
        {"type": "Data", "globs": ["*.dat"]},
    ]
    found = bring({"rules": rules})
    assert [note.split(";")[0] for note in notes(found)] == [
        "not carried: `rules[0]`: Text by docs/**",
        "not carried: `rules[1]`: Odd by **/*.md",
    ]
    assert "*.dat" in next(iter(found.files.values()))


# What is left out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"site": {"bucket": "public"}}, ["`site`; static files are not served"]),
        (
            {"workflows": [{"name": "rooms", "binding": "ROOM", "class_name": "Room"}]},
            ["`workflows`; `env.ROOM` is nothing there"],
        ),
        (
            {"hyperdrive": [{"binding": "A", "id": "x"}, {"binding": "B", "id": "y"}]},
            ["`hyperdrive`; `env.A` and `env.B` is nothing there"],
        ),
        ({"placement": {"mode": "smart", "hint": "wnam"}}, ["`placement.hint`"]),
        ({"vectorz": [1]}, ["`vectorz`"]),
        ({"limits": {"cpu_ms": 5, "memory": 9}}, ["`limits.memory`"]),
        ({"observability": {"enabled": True, "logs": {"enabled": True, "sink": "x"}}}, ["`observability.logs.sink`"]),
        (
            {"queues": {"consumers": [{"queue": "q", "visibility_timeout_ms": 9}]}},
            ["`queues.consumers[0].visibility_timeout_ms`"],
        ),
        (
            {"queues": {"consumers": [{"queue": "q", "type": "http_pull"}]}},
            ["`queues.consumers[0]`; `q` is pulled by HTTP"],
        ),
        (
            {"services": [{"binding": "S", "service": "a", "entrypoint": "E"}]},
            ["`services[0]`; a binding to a Worker has no `entrypoint` here, so that `env.S` is nothing"],
        ),
        (
            {"routes": ["example.com/*", {"pattern": "a.example.com/*", "zone_name": "example.com"}]},
            [f"`routes[{place}]`; a route needs the id of its zone: add it under `routes:`" for place in (0, 1)],
        ),
        (
            {"d1_databases": [{"binding": "D", "migrations_dir": "no"}]},
            ["`d1_databases[0].migrations_dir`; there is no folder app/no"],
        ),
        ({"env": {"x": {"browser": {"binding": "WEB"}}}}, ["`env.x.browser`; `env.WEB` is nothing there"]),
    ],
)
def test_what_nobody_reads_is_told_at_every_depth_and_written_beside(
    bring: Import, tmp_path: Path, config: dict[str, Any], said: list[str]
) -> None:
    found = bring(config)
    assert notes(found) == [f"not carried: {text}" for text in said]
    stack = (tmp_path / list(found.files)[-1]).read_text()
    for text in said:
        assert f"# not carried: {text} (app/wrangler.json:" in stack


def test_what_a_build_writes_out_for_nothing_is_not_told(bring: Import) -> None:
    empty: dict[str, Any] = {name: [] for name in ("workflows", "migrations", "send_email", "hyperdrive", "pipelines")}
    empty |= {name: {} for name in ("cloudchamber", "triggers", "vars", "unsafe", "build", "define")}
    empty |= {name: {"bindings": []} for name in ("durable_objects", "logfwdr")}
    empty |= {"keep_vars": False, "minify": False, "upload_source_maps": False, "site": None, "tsconfig": ""}
    facts = {
        "configPath": "/x/w.json",
        "userConfigPath": "/x/w.jsonc",
        "topLevelName": "x",
        "definedEnvironments": ["a"],
    }
    usual = {"jsx_factory": "React.createElement", "jsx_fragment": "React.Fragment", "legacy_env": True}
    usual |= {"python_modules": {"exclude": ["**/*.pyc"]}, "dev": {"ip": "localhost", "enable_containers": True}}
    usual |= {
        "rules": [{"type": "ESModule", "globs": ["**/*.js", "**/*.mjs"]}],
        "queues": {"producers": [], "consumers": []},
    }
    assets = {"directory": "../client"}
    found = bring({**empty, **facts, **usual, "no_bundle": True, "assets": assets}, files={"../client/a.html": "a"})
    assert notes(found) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('name = "a"\nmain = "index.js"\n[site]\nbucket = "x"\n', "3:1"),
        (
            'main = "index.js"\n[[queues.consumers]]\nqueue = "a"\n[[queues.consumers]]\nqueue = "b" # x\nodd = 1\n',
            "6:1",
        ),
        ('main = "index.js"\nlimits = { cpu_ms = 5, "odd" = """\n]\n""" }\n', "2:24"),
        ('main = "index.js"\n[observability.logs]\nenabled = true\nodd.deep = [1, 2]\n', "4:1"),
        ("main = 'index.js'\nroutes = [\n  # first\n  'a.b/*',\n]\n", "4:3"),
    ],
)
def test_places_in_toml(bring: Import, text: str, place: str) -> None:
    found = bring('compatibility_date = "2026-05-01"\n' + text)
    line, column = place.split(":")
    lost = [note for note in found.notes if "not carried" in note]
    assert [note.split(": ")[0] for note in lost] == [f"app/wrangler.toml:{int(line) + 1}:{column}"]


def test_places_in_json_with_comments(bring: Import, tmp_path: Path) -> None:
    text = '{ // a "comment": 1\n "main": "index.js", /* {\n */ "kv_namespaces": [ { "binding": "A", "odd": 1, }, ],\n}'
    found = bring({}, files={"wrangler.jsonc": text})
    assert [note for note in found.notes if "odd" in note] == []
    (tmp_path / "app" / "wrangler.json").unlink()
    (tmp_path / "stacks" / "default.yaml").unlink()
    found = bring("", files={"wrangler.jsonc": text})
    assert [note.split(": ")[0] for note in found.notes if "odd" in note] == ["app/wrangler.jsonc:3:42"]


def test_a_name_cannot_become_a_line_of_the_stack(bring: Import, tmp_path: Path) -> None:
    evil = "a\nproduction: true # \x1b[31m\x07"
    found = bring({"queues": {"consumers": [{"queue": evil}]}, evil: 1, "env": {evil: {"vectorz": evil}}})
    assert not found.wrong
    for stack in found.stacks:
        assert load_stack(stack, tmp_path).production is False
    assert "\x1b" not in "".join(found.notes)
