"""`inferstack import wrangler`: what is left out, told at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferstack.config import load_stack
from tests.wrangler.conftest import Import, notes, one

ZONE = "0123456789abcdef0123456789abcdef"


# What is left out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"pipelines": [{"pipeline": "rooms", "binding": "ROOM"}]},
            ["`pipelines`; `env.ROOM` is nothing there"],
        ),
        (
            {"vpc_services": [{"binding": "A", "service_id": "x"}, {"binding": "B", "service_id": "y"}]},
            ["`vpc_services`; `env.A` and `env.B` is nothing there"],
        ),
        (
            {"dispatch_namespaces": [{"binding": "C", "namespace": "n", "outbound": {"service": "out"}}]},
            [
                "`dispatch_namespaces[0].outbound`; an outbound Worker is not in the language: customers' Workers reach "
                "the internet themselves"
            ],
        ),
        ({"placement": {"mode": "smart", "hint": "wnam"}}, ["`placement.hint`"]),
        ({"vectorz": [1]}, ["`vectorz`"]),
        ({"build": {"command": "npm run build"}}, ["`build`; run `npm run build` yourself before `up`"]),
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
            {"containers": [{"class_name": "Box", "image": "./Dockerfile", "name": "boxes"}]},
            ["`containers`; the class has no container to start"],
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


def test_the_command_that_makes_the_code_is_named_where_the_code_is_missing(bring: Import) -> None:
    found = bring({"main": "dist/index.js", "build": {"command": "npm run build"}})
    assert notes(found) == ["not carried: `build`; run `npm run build` yourself before `up`"]
    [finding] = [each for each in found.findings if each.code == "IS086"]
    assert finding.fix.startswith("run `npm run build`, which makes it; or name the entry file")


def test_a_command_that_is_no_longer_needed_is_not(bring: Import, tmp_path: Path) -> None:
    bring({"build": {"command": "npm run build"}})
    assert load_stack("default", tmp_path).workers["shop"].built_by is None


def test_files_as_globals_are_carried(bring: Import, tmp_path: Path) -> None:
    config = {
        "wasm_modules": {"ADD": "add.wasm"},
        "text_blobs": {"NOTE": "./a/note.txt"},
        "data_blobs": {"RAW": "raw.bin"},
    }
    worker = one(bring, tmp_path, **config).workers["shop"]
    assert worker.bundle
    assert {name: (each.type, each.file) for name, each in worker.bundle.globals.items()} == {
        "ADD": ("CompiledWasm", "app/add.wasm"),
        "NOTE": ("Text", "app/a/note.txt"),
        "RAW": ("Data", "app/raw.bin"),
    }


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
        ('name = "a"\nmain = "index.js"\n[odd]\nbucket = "x"\n', "3:1"),
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
