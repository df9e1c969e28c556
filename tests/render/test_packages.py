"""Packages of npm that shared modules import: which file an import leads to, and what is not made for this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import load_stack
from inferstack.errors import ConfigError
from inferstack.render import render_worker
from inferstack.render.packages import is_package, package_modules
from inferstack.render.source import imports
from inferstack.toolchain import node_tools, packages_folder

CONDITIONS = ["workerd", "worker", "browser", "import", "default"]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an installed inferstack has its packages, without any yet."""
    monkeypatch.setattr(node_tools, "IS_CHECKOUT", False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = packages_folder("build")
    folder.mkdir(parents=True)
    return folder


def install(packages: Path, name: str, exports: Any, files: dict[str, str]) -> None:
    for path, text in {"package.json": json.dumps({"name": name, "exports": exports}), **files}.items():
        (packages / name / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / name / path).write_text(text)


def entry(name: str) -> str:
    return package_modules(name, imports)[0]


@pytest.mark.parametrize("name", ["jose", "jose/jwt/verify", "@scope/words"])
def test_a_bare_name_is_a_package(name: str) -> None:
    assert is_package(name) is True


@pytest.mark.parametrize("name", ["./words.js", "../words.js", "/words.js", "node:crypto", "cloudflare:workers"])
def test_files_and_what_the_runtime_has_are_none(name: str) -> None:
    assert is_package(name) is False


@pytest.mark.parametrize(
    ("exports", "name", "path"),
    [
        ({".": "./main.js"}, "words", "words/main.js"),
        ({".": "./lib/../main.js"}, "words", "words/main.js"),
        ({".": "./main.js", "./one": "./one.js"}, "words/one", "words/one.js"),
        ({"./lib/*": "./dist/*.js"}, "words/lib/a/b", "words/dist/a/b.js"),
        ({"./*.js": "./dist/*.js"}, "words/one.js", "words/dist/one.js"),
        ({"./*": "./any/*.js", "./lib/*": "./dist/*.js"}, "words/lib/one", "words/dist/one.js"),
        ({"./*": "./any/*.js", "./one": "./one.js"}, "words/one", "words/one.js"),
        ({"./one": "./one.js", "./*": "./any/*.js"}, "words/ones", "words/any/ones.js"),
        ({".": {"types": "./main.d.ts", "default": {"import": "./main.js"}}}, "words", "words/main.js"),
        ({".": {"import": {"types": "./main.d.ts"}, "default": "./main.js"}}, "words", "words/main.js"),
        ({"require": "./main.cjs", "import": "./main.js"}, "words", "words/main.js"),
        ("./main.js", "words", "words/main.js"),
    ],
)
def test_exports_tell_the_file(packages: Path, exports: Any, name: str, path: str) -> None:
    install(packages, "words", exports, {path.removeprefix("words/"): "export {};\n"})
    assert entry(name) == f"node_modules/{path}"


@pytest.mark.parametrize("first", range(len(CONDITIONS)), ids=CONDITIONS)
def test_what_is_made_for_workerd_comes_first(packages: Path, first: int) -> None:
    offered = {condition: f"./{condition}.js" for condition in reversed(CONDITIONS[first:])}
    wanted = f"{CONDITIONS[first]}.js"
    install(packages, "words", {".": {"require": "./main.cjs", **offered}}, {wanted: "export {};\n"})
    assert entry("words") == f"node_modules/words/{wanted}"


def test_all_that_a_module_reaches_comes_along_once_and_sorted(packages: Path) -> None:
    files = {
        "lib/main.js": 'import { b } from "./b.js";\nimport "node:crypto";\nexport { z } from "../z.js";\n',
        "lib/b.js": 'export { z } from "../z.js";\nimport "./main.js";\n',
        "z.js": "export const z = 1;\n",
        "unused.js": "export {};\n",
    }
    install(packages, "@scope/words", {".": "./lib/main.js"}, files)
    first, modules = package_modules("@scope/words", imports)
    assert first == "node_modules/@scope/words/lib/main.js"
    assert {module.name: module.text for module in modules} == {
        f"node_modules/@scope/words/{path}": text for path, text in files.items() if path != "unused.js"
    }
    assert [module.name for module in modules] == sorted(module.name for module in modules)
    assert {module.content_type for module in modules} == {"application/javascript+module"}


@pytest.mark.parametrize(
    ("exports", "name", "said"),
    [
        ({".": "./main.js"}, "word/one", "the npm package `word` is not installed\n  fix: inferstack setup"),
        ({".": "./main.js"}, "words/one", "the npm package `words` has no `./one`"),
        ({"./a*": "./main.js"}, "words/one", "the npm package `words` has no `./one`"),
        ({"./*e.js": "./main.js"}, "words/one.mjs", "the npm package `words` has no `./one.mjs`"),
        ({"./lib/*.js": "./main.js"}, "words/one.js", "the npm package `words` has no `./one.js`"),
        ({"./one": {"require": "./one.cjs"}}, "words/one", "the npm package `words` has no `./one`"),
        ({"./*": "./*.js", "./inner/*": None}, "words/inner/one", "the npm package `words` has no `./inner/one`"),
        ("./main.js", "words/one", "the npm package `words` has no `./one`"),
        ({".": "./gone.js"}, "words", "`words` lacks node_modules/words/gone.js\n  fix: inferstack setup"),
        ({".": "./main.js"}, "words", "the npm package of `words` needs `other`, which only a bundler can add"),
    ],
)
def test_what_is_missing_or_not_made_for_this_is_named(packages: Path, exports: Any, name: str, said: str) -> None:
    install(packages, "words", exports, {"main.js": 'import other from "other";\n'})
    with pytest.raises(ConfigError) as raised:
        package_modules(name, imports)
    assert str(raised.value) == (said if said.startswith("the") else f"the npm package of {said}")


def test_a_package_without_exports_is_none_of_ours(packages: Path) -> None:
    (packages / "old").mkdir()
    (packages / "old" / "package.json").write_text('{ "main": "index.js" }')
    with pytest.raises(ConfigError, match="`old` is not installed"):
        entry("old")


@pytest.mark.parametrize(
    "statement",
    [
        'export { two } from "NAME";',
        "export { two } from 'NAME';",
        'import "NAME";',
        'const words = import("NAME");',
        'import{two}from"NAME"; import { two as deux } from "NAME";',
    ],
)
def test_a_shared_module_finds_its_packages_as_files(packages: Path, tmp_path: Path, statement: str) -> None:
    install(packages, "words", {"./*": "./*.js"}, {"one.js": 'export { two } from "./two.js";\n', "two.js": "// two\n"})
    for path, text in {
        "stacks/s.yaml": "environment: x\ntarget: local\n"
        "workers: { w: { template: greet, compatibility_date: '2026-06-01' } }\n",
        "templates/greet/template.yaml": "summary: mine\n",
        "templates/greet/worker.js.j2": 'import { two } from "./mine.js";\n',
        "worker_src/mine.js": statement.replace("NAME", "words/one") + '\nimport { a } from "./beside.js";\n',
        "worker_src/beside.js": "export const a = 1;\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    modules = render_worker(load_stack("s", tmp_path), "w", tmp_path).modules
    assert [module.name for module in modules] == [
        "index.js",
        "beside.js",
        "mine.js",
        "node_modules/words/one.js",
        "node_modules/words/two.js",
    ]
    assert modules[2].text.splitlines()[0] == statement.replace("NAME", "./node_modules/words/one.js")
