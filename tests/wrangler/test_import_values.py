"""`inferstack import wrangler`: values that keep their meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import load_stack
from inferstack.render import render_worker
from tests.wrangler.conftest import CODE, Import, notes, one

ZONE = "0123456789abcdef0123456789abcdef"


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


@pytest.mark.parametrize(
    ("config", "additional"),
    [
        ({"main": "src/index.js"}, {"directory": "app/src"}),
        (
            {"main": "src/index.js", "base_dir": ".", "rules": [{"type": "ESModule", "globs": ["./lang/**/*.mjs"]}]},
            {"directory": "app", "globs": ["./lang/**/*.mjs"]},
        ),
        ({"preserve_file_names": True}, {"directory": "app"}),
        ({"find_additional_modules": False, "base_dir": "."}, None),
    ],
    ids=["beside the entry", "base_dir and rules", "names are kept anyway", "off"],
)
def test_additional_modules_are_carried(
    bring: Import, tmp_path: Path, config: dict[str, Any], additional: dict[str, Any] | None
) -> None:
    (tmp_path / "app" / "src").mkdir(parents=True)
    (tmp_path / "app" / "src" / "index.js").write_text(CODE)
    bundle = one(bring, tmp_path, **{"find_additional_modules": True, **config}).workers["shop"].bundle
    given = bundle.additional if bundle else None
    assert (given and given.model_dump(exclude_defaults=True)) == additional


def test_workers_sites_are_carried(bring: Import, tmp_path: Path) -> None:
    config = 'name = "a"\ntype = "webpack"\ncompatibility_date = "2026-05-01"\n[site]\nbucket = "./public"\n'
    code = "addEventListener('fetch', (event) => event.respondWith(new Response(__STATIC_CONTENT_MANIFEST)));\n"
    files = {"workers-site/index.js": code, "public/a.txt": "a", "public/b.txt": "b"}
    found = bring(f'{config}entry-point = "workers-site"\nexclude = ["b.txt"]\n', files=files)
    assert (found.wrong, [note for note in found.notes if "not carried" in note]) == (False, [])
    worker = load_stack("default", tmp_path).workers["a"]
    assert worker.source == "app/workers-site/index.js", "where the older ones have their code"
    assert worker.assets is not None
    assert (worker.assets.directory, worker.assets.binding) == ("app/public", "__STATIC_CONTENT")
    code = render_worker(load_stack("default", tmp_path), "a", tmp_path).modules[0].text
    assert "a.txt" in code
    assert "b.txt" not in code


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
