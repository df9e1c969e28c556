"""What the text of own code reads of `env`: told when nothing binds it, quiet when that is not sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import stack_names
from tests.conftest import ROOT

STACK = """environment: dev
target: local
workers:
  own:
    source: app/index.ts
    compatibility_date: "2026-06-01"
    bindings: { AI: { ai: true } }
    vars: { MODE: x }
    secrets: { KEY: env:PATH }
    raw: { version: { bindings: [{ name: BY_HAND, type: version_metadata }] } }
"""


def unbound(root: Path, **files: str) -> list[str]:
    """What is said to be read, as `NAME file:line:column`."""
    (root / "stacks").mkdir()
    (root / "stacks" / "dev.yaml").write_text(STACK)
    for name, text in files.items():
        file = root / "app" / name.replace("__", "/").replace("_ts", ".ts").replace("_js", ".js")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = check(["dev"], root).stacks["dev"]
    assert {finding.severity for finding in found} <= {"warning"}
    return [f"{f.message.split('`')[1].removeprefix('env.')} {f.message.split(' reads')[0].split()[-1]}" for f in found]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("export default { fetch: (r, env) => env.ROOM.idFromName('a') };", ["ROOM app/index.ts:1:37"]),
        ("export default {\n  fetch(r, env: Env) {\n    return env.ROOM;\n  },\n};", ["ROOM app/index.ts:3:12"]),
        ("app.get('/', (c) => c.env.db.prepare('x'));", ["db app/index.ts:1:21"]),
        ("class A extends W { fetch() { return this.env.ROOM.get(); } }", ["ROOM app/index.ts:1:38"]),
        ('import { env } from "cloudflare:workers";\nexport const a = env.ROOM;', ["ROOM app/index.ts:2:18"]),
        ("const { AI, ROOM, SIZE = 1 } = env;", ["ROOM app/index.ts:1:13"]),
        ("const a = `https://x/${env.ROOM}`;", ["ROOM app/index.ts:1:24"]),
        ("env.ROOM.get(); env.ROOM.list();", ["ROOM app/index.ts:1:1"]),
    ],
    ids=["member", "on its line", "hono", "class", "import", "taken apart", "filled in", "once"],
)
def test_a_name_that_nothing_binds_is_told(tmp_path: Path, code: str, wanted: list[str]) -> None:
    assert unbound(tmp_path, index_ts=code) == wanted


@pytest.mark.parametrize(
    "code",
    [
        "env.AI.run(env.MODE, env.KEY, env.BY_HAND.id);",
        "const a = env.SIZE ?? 5, b = env.LOG?.write('x'), c = env.NAME || 'x';",
        "if (env.ROOM) env.ROOM.get(); if (!env.TEAM) throw 1; const e = env.PORT ? 1 : 2;",
        "if (env.STAGE === 'prod') stop(); env.COUNT = 1;",
        "process.env.HOME; import.meta.env.DEV; Deno.env.HOME; config.env.NAME;",
        "const env = loadEnv();\nenv.HOME.length;",
        "const { env } = process;\nenv.HOME.length;",
        'import { env } from "./env";\nenv.HOME.length;',
        "// env.ROOM is for later\n/* env.TEAM */ say('env.CLUB', \"env.HALL\", `env.YARD`);",
        "env.get('x'); env.length; environment.ROOM.get(); my_env.ROOM.get();",
        "x;".ljust(6000) + "env.ROOM.get();",
    ],
    ids=[
        "bound",
        "with another way",
        "asked before",
        "compared or set",
        "of others",
        "made here",
        "of the process",
        "of a module",
        "no code",
        "no name of a binding",
        "a bundle",
    ],
)
def test_what_is_bound_asked_for_or_not_the_workers_is_not(tmp_path: Path, code: str) -> None:
    assert unbound(tmp_path, index_ts=code, env_ts="export const env = {};") == []


def test_modules_that_the_entry_reaches_are_read_too(tmp_path: Path) -> None:
    found = unbound(
        tmp_path,
        index_ts='import "./lib/a.js";\nimport x from "cloudflare:sockets";\nexport { b } from "./lib";\nconst c = import(x);\n',
        lib__a_ts="export const a = (env) => env.ONE.get();\n",
        lib__index_ts='import "../index.ts";\nexport const b = (env) =>\n  env.TWO.get();\n',
        alone_ts="export const a = (env) => env.THREE.get();\n",
    )
    assert found == ["ONE app/lib/a.ts:1:27", "TWO app/lib/index.ts:3:3"]


def test_what_a_package_puts_there_is_bound_where_the_code_has_the_package(tmp_path: Path) -> None:
    oauth = 'import { OAuthProvider } from "@cloudflare/workers-oauth-provider";\nimport "./page";\n'
    found = unbound(tmp_path, index_ts=oauth, page_ts="export const a = (env) => env.OAUTH_PROVIDER.x(env.ROOM);\n")
    assert found == ["ROOM app/page.ts:1:48"]


def test_the_name_alone_is_not(tmp_path: Path) -> None:
    assert unbound(tmp_path, index_ts="env.OAUTH_PROVIDER.x();") == ["OAUTH_PROVIDER app/index.ts:1:1"]


def test_the_samples_stay_quiet() -> None:
    said = check(stack_names(ROOT), ROOT).show("text")
    assert "IS109" not in said
