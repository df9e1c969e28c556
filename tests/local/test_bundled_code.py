"""Code of one's own, bundled as for a deployment and run in workerd: what people import, and what a build defines."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import WorkerSpec
from inferstack.errors import ConfigError
from inferstack.render.source import read_source
from tests.conftest import Api
from tests.local.test_workers_run import release

DATE = "2025-09-27"
# A module that exports `add`: (i32, i32) -> i32.
ADD = base64.b64decode("AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=")
COMMON = 'const path = require("path"); const { EOL } = require("node:os"); module.exports = path.join("a", "b") + EOL.length;\n'
FILES: dict[str, str | bytes] = {
    "add.wasm": ADD,
    "bytes.bin": b"\0\1\2\3",
    "page.md": "# a page",
    "common.cjs": COMMON,
    "node_modules/cjs/package.json": '{ "main": "index.js" }',
    "node_modules/cjs/index.js": 'const { EventEmitter } = require("events"); exports.kind = typeof new EventEmitter().on;\n',
    "lib/deep.ts": "export const deep: string = 'by a path';\n",
    "lang/deep/de.mjs": 'import { mark } from "../mark.mjs"; export default "hallo" + mark;\n',
    "lang/mark.mjs": 'export const mark = "!";\n',
    "lang/page.md": "# page",
    "lang/other.js": "export default 'not by the glob';\n",
    "tsconfig.json": '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
}


def run(api: Api, root: Path, code: str, **fields: Any) -> Any:
    """What the code's `value` is in a Worker."""
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    text = f"{code}\nexport default {{ async fetch(request, env) {{ return Response.json({{ value: await value(env) }}); }} }};\n"
    (root / "main.ts").write_text(text)
    given = {"compatibility_date": DATE, "compatibility_flags": ["nodejs_compat"], **fields}
    worker = WorkerSpec.model_validate({"source": "main.ts", **given})
    modules = [
        {
            "name": module.name,
            "content_type": module.content_type,
            "content_base64": base64.b64encode(module.content).decode(),
        }
        for module in read_source(worker, root).modules
    ]
    api.client.post("/workers/workers", json={"name": "bundled", "subdomain": {"enabled": True}})
    body = {"main_module": modules[0]["name"], "modules": modules}
    body |= {name: given[name] for name in ("compatibility_date", "compatibility_flags")}
    made = api.client.post("/workers/workers/bundled/versions", json=body)
    assert made.status_code == 200, made.text
    release(api, "bundled", {made.json()["result"]["id"]: 100})
    answer = api.worker("bundled", "GET", "/")
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


MD = {"bundle": {"rules": [{"type": "Text", "globs": ["**/*.md"]}]}}
DEFINED = {"bundle": {"define": {"VERSION": '"1.2"', "globalThis.FLAG": "true"}}}
MORE = {"bundle": {"additional": {"directory": ".", "globs": ["lang/**/*.mjs"]}, **MD["bundle"]}}
INSIDE = {"bundle": {"additional": {"directory": "lang"}}}
ALIAS = {"bundle": {"alias": {"gone": "./lib/deep.ts"}}}
NO_NODE = {"compatibility_flags": []}
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "a module of Node by its bare name": (
        'import E from "events"; const value = () => typeof new E().on;',
        {},
        "function",
    ),
    "a module by a name of run time": (
        'const name = ["deep", "de"].join("/"); const value = async () => (await import(`./${"lang/" + name}.mjs`)).default;',
        MORE,
        "hallo!",
    ),
    "the same by a variable": (
        'const value = async (_, name = "./lang/deep/de.mjs") => (await import(name)).default;',
        MORE,
        "hallo!",
    ),
    "text by a variable": (
        'const value = async (_, name = "./lang/page.md") => (await import(name)).default;',
        MORE,
        "# page",
    ),
    "what no glob names": (
        'const value = (_, name = "./lang/other.js") => import(name).then(() => "there", () => "not there");',
        MORE,
        "not there",
    ),
    "from another folder": (
        'import add from "./add.wasm"; const value = async (_, name = "./deep/de.mjs") =>'
        " [(await import(name)).default, (await WebAssembly.instantiate(add)).exports.add(1, 2)];",
        INSIDE,
        ["hallo!", 3],
    ),
    "require in CommonJS": ('import x from "./common.cjs"; const value = () => x;', {}, "a/b1"),
    "a CommonJS package": ('import { kind } from "cjs"; const value = () => kind;', {}, "function"),
    "a module that is not native yet": (
        'import cp from "node:child_process"; const value = () => typeof cp.spawn;',
        {},
        "function",
    ),
    "the same by its bare name": (
        'import { spawn } from "child_process"; const value = () => typeof spawn;',
        {},
        "function",
    ),
    "a module that is native since": (
        'import { spawn } from "child_process"; const value = () => typeof spawn;',
        {"compatibility_date": "2026-06-01"},
        "function",
    ),
    "NODE_ENV": ("const value = () => process.env.NODE_ENV;", {}, "production"),
    "NODE_ENV without Node": ("const value = () => process.env.NODE_ENV;", NO_NODE, "production"),
    "process": ("const value = () => [typeof process.nextTick, process.platform];", {}, ["function", "linux"]),
    "Buffer": ('const value = () => Buffer.from("aGk=", "base64").toString();', {}, "hi"),
    "wasm": (
        'import add from "./add.wasm"; const value = async () => (await WebAssembly.instantiate(add)).exports.add(2, 3);',
        {},
        5,
    ),
    "wasm as a module": (
        'import add from "./add.wasm?module"; const value = async () => (await WebAssembly.instantiate(add)).exports.add(2, 3);',
        {},
        5,
    ),
    "bytes": ('import b from "./bytes.bin"; const value = () => [...new Uint8Array(b)];', {}, [0, 1, 2, 3]),
    "text by a rule": ('import page from "./page.md"; const value = () => page;', MD, "# a page"),
    "define": (
        "declare const VERSION: string; const value = () => [VERSION, globalThis.FLAG];",
        DEFINED,
        ["1.2", True],
    ),
    "alias": ('import { deep } from "gone"; const value = () => deep;', ALIAS, "by a path"),
    "paths of tsconfig": ('import { deep } from "@lib/deep"; const value = () => deep;', {}, "by a path"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_runs(cloudflare: Api, tmp_path: Path, name: str) -> None:
    code, fields, expected = CASES[name]
    assert run(cloudflare, tmp_path, code, **fields) == expected


@pytest.mark.parametrize(
    ("code", "fields", "said"),
    [
        ('import E from "events"; const value = () => E;', NO_NODE, 'main.ts:1:14: Could not resolve "events"'),
        ('import E from "node:events"; const value = () => E;', NO_NODE, "`main.ts` imports `node:events`"),
        ('import x from "not-there/x"; const value = () => x;', {}, "fix: npm install not-there"),
        ('import x from "@a/b/c"; const value = () => x;', {}, "fix: npm install @a/b"),
        ("const value = () => ;", {}, 'main.ts:1:20: Unexpected ";"'),
        ('import p from "./page.md"; const value = () => p;', {}, "main.ts:1:14: No loader is configured"),
        ("const value = () => 1;", {"bundle": {"additional": {"directory": "no"}}}, "there is no folder `no`"),
        ('import x from "cjs"; const value = () => x;', {"bundle": False}, "fix: remove `bundle: false`"),
    ],
)
def test_what_cannot_be_bundled_is_told_with_its_place(
    cloudflare: Api, tmp_path: Path, code: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        run(cloudflare, tmp_path, code, **fields)
    assert said in str(raised.value)
    assert "\n  fix: " in str(raised.value)
    assert "[ERROR]" not in str(raised.value)
