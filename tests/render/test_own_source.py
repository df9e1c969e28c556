"""A Worker's own code: which files are taken, when esbuild bundles them and what of them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferstack.config import WorkerSpec
from inferstack.errors import ConfigError
from inferstack.render import bundler
from inferstack.render.bundler import Bundling
from inferstack.render.module import Module
from inferstack.render.source import imports, read_source
from inferstack.toolchain import node_tools

JAVASCRIPT = "application/javascript+module"


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def own(source: str, **fields: Any) -> WorkerSpec:
    """A Worker of own code."""
    given = {"compatibility_date": "2026-06-01", "compatibility_flags": ["nodejs_compat"], **fields}
    return WorkerSpec.model_validate({"source": source, **given})


def modules_of(source: str, root: Path, **fields: Any) -> tuple[Module, ...]:
    return read_source(own(source, **fields), root).modules


def own_esbuild(folder: Path, script: str) -> None:
    """A program that stands where npm puts esbuild."""
    file = folder / "node_modules" / ".bin" / "esbuild"
    write(file.parent, {"esbuild": f"#!/bin/sh\n{script}\n"})
    file.chmod(0o755)


def writes(text: str) -> str:
    """A script that bundles everything to `text`, and read nothing for it."""
    return (
        'for a in "$@"; do case "$a" in\n'
        f'--outdir=*) mkdir -p "${{a#--outdir=}}"; printf %s "{text}" > "${{a#--outdir=}}/index.js";;\n'
        '--metafile=*) printf \'{"inputs": {}, "outputs": {"out/index.js": {"imports": []}}}\' > "${a#--metafile=}";;\n'
        "esac; done"
    )


def refused(name: str, root: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        modules_of(name, root)
    return str(raised.value)


def bundled(root: Path, code: str, **files: str) -> str:
    write(root, {"main.ts": code, **files})
    [module] = modules_of("main.ts", root)
    assert (module.name, module.content_type) == ("index.js", JAVASCRIPT)
    return module.text


def test_plain_javascript_is_taken_as_it_stands_with_all_that_it_imports(tmp_path: Path) -> None:
    files = {
        "w/index.js": 'import { z } from "./z.mjs";\nimport a from "./lib/a.js";\nimport "node:crypto";\n'
        'import { DurableObject } from "cloudflare:workers";\nimport "workerd:unsafe";\n',
        "w/lib/a.js": 'import { z } from "../z.mjs";\nimport page from "./page.html";\nexport default z + page;\n',
        "w/z.mjs": 'export { z } from "./lib/../z.mjs";\nimport "./index.js";\nimport sum from "./sum.wasm";\n'
        'import q from "./q.sql";\nimport n from "./n.txt";\nimport b from "./b.bin";\n',
        "w/lib/page.html": '<script>import x from "x"</script>\n',
        "w/sum.wasm": "\0asm",
        "w/q.sql": "SELECT 1;\n",
        "w/n.txt": 'a word from "nowhere"\n',
        "w/b.bin": "01",
    }
    write(tmp_path, {**files, "w/unused.js": "export {};\n"})
    modules = modules_of("w", tmp_path)
    assert [(module.name, module.content_type) for module in modules] == [
        ("index.js", JAVASCRIPT),
        ("b.bin", "application/octet-stream"),
        ("lib/a.js", JAVASCRIPT),
        ("lib/page.html", "text/plain"),
        ("n.txt", "text/plain"),
        ("q.sql", "text/plain"),
        ("sum.wasm", "application/wasm"),
        ("z.mjs", JAVASCRIPT),
    ]
    assert {f"w/{module.name}": module.text for module in modules} == files


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('import a from "./a.js";', ["./a.js"]),
        ("import './a.js'", ["./a.js"]),
        ('export * from"./a.js";const b = await import( "./b.js" )', ["./a.js", "./b.js"]),
        ('// import a from "./a.js";\n  // from "./b.js"\nimport "./c.js";', ["./c.js"]),
        ('/* import "./a.js"; */ import "./b.js"; /* from\n"./c.js" */ import "./d.js";', ["./b.js", "./d.js"]),
        ('import /* from "./a.js" */ "./b.js";', ["./b.js"]),
        ('const at = "https://a.example"; import "./b.js";', ["./b.js"]),
        ("const imported = 'no';", []),
    ],
)
def test_imports_are_found_and_comments_are_not(code: str, found: list[str]) -> None:
    assert imports(code) == found


@pytest.mark.parametrize(
    "code",
    [
        'import words from "words";\n',
        'import words from "./words.json";\n',
        'import { words } from "./lib/words";\n',
        'import { words } from "../outside.js";\n',
    ],
)
def test_what_workerd_cannot_read_is_bundled(tmp_path: Path, code: str) -> None:
    write(
        tmp_path,
        {
            "w/index.js": code + "export default words;\n",
            "w/words.json": '["hello"]',
            "w/lib/words.js": 'export const words = ["hello"];\n',
            "outside.js": 'export const words = ["hello"];\n',
            "node_modules/words/index.js": 'export default ["hello"];\n',
        },
    )
    [module] = modules_of("w", tmp_path)
    assert module.name == "index.js"
    assert '["hello"]' in module.text
    assert "import" not in module.text


def test_a_bundle_is_one_module_for_workerd(tmp_path: Path) -> None:
    code = bundled(
        tmp_path,
        'import { env } from "cloudflare:workers";\nimport { createHash } from "node:crypto";\n'
        'import note from "./note.txt";\nimport page from "./page.html";\nimport query from "./query.sql";\n'
        'import where from "by-condition";\nimport kind from "by-field";\n/*! a licence */\n'
        "const typed: string = note + page + query + where + kind;\nusing held = env.held;\n"
        'export default { typed, createHash, sign: "é" };\n',
        **{"note.txt": "a note", "page.html": "<p>", "query.sql": "SELECT 1"},
        **{"node_modules/by-condition/package.json": '{"exports": {"workerd": "./here.js", "default": "./any.js"}}'},
        **{"node_modules/by-condition/here.js": 'export default "for workerd";'},
        **{"node_modules/by-field/package.json": '{"main": "main.js", "module": "module.js"}'},
        **{"node_modules/by-field/module.js": 'export default "a module";'},
    )
    assert 'from "cloudflare:workers"' in code
    assert 'from "node:crypto"' in code
    for text in ('"a note"', '"<p>"', '"SELECT 1"', '"for workerd"', '"a module"', '"é"', "export {"):
        assert text in code
    for text in (": string", "licence", "using held", 'by-field"', "./note.txt"):
        assert text not in code


def test_esbuild_s_own_words_are_shown(tmp_path: Path) -> None:
    write(tmp_path, {"w/main.ts": 'import { gone } from "./gone";\nexport default gone;\n'})
    said = refused("w/main.ts", tmp_path)
    assert said == 'w/main.ts:1:21: Could not resolve "./gone"\n  fix: create the file, or correct the path'


def test_what_it_says_need_not_be_text(tmp_path: Path) -> None:
    write(tmp_path, {"main.ts": ""})
    own_esbuild(tmp_path, "printf 'no\\377' >&2; exit 1")
    assert refused("main.ts", tmp_path) == "esbuild cannot bundle `main.ts`: no\ufffd"


def test_it_does_not_run_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"main.ts": ""})
    own_esbuild(tmp_path, "exec sleep 60")
    monkeypatch.setattr(bundler, "SECONDS", 1)
    assert refused("main.ts", tmp_path) == "esbuild did not finish `main.ts` in 1 seconds"


def test_the_nearest_esbuild_of_the_project_is_taken(tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(root, {"w/src/main.ts": "export default 1;\n"})
    own_esbuild(tmp_path, writes("above the project"))

    def text() -> str:
        return Bundling(root / "w" / "src" / "main.ts", own("w"), root).run().modules[0].text

    assert "above the project" not in text()
    own_esbuild(root, writes("of the project"))
    assert text() == "of the project"
    own_esbuild(root / "w", writes("of the Worker"))
    assert text() == "of the Worker"


def test_without_esbuild_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"w/main.ts": "export default 1;\n"})
    monkeypatch.setattr(node_tools, "IS_CHECKOUT", False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    assert refused("w/main.ts", tmp_path) == (
        "`w/main.ts` needs esbuild, which is not installed\n"
        "  fix: inferstack setup, or write plain JavaScript that imports only its own files"
    )


def test_a_folder_without_an_entry_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"w/notes.txt": ""})
    said = "`w` has no entry, such as src/index.ts\n  fix: name the file itself"
    assert refused("w", tmp_path) == said


@pytest.mark.parametrize(
    ("files", "link"),
    [
        ({}, "w/index.js"),
        ({"w/index.js": 'import { key } from "./key.js";\n'}, "w/key.js"),
        ({"w/index.ts": 'import { key } from "./key.js";\nexport default key;\n'}, "w/key.js"),
        ({"w/index.py": "import key\n"}, "w/key.py"),
    ],
    ids=["entry", "as it stands", "bundled", "python"],
)
def test_no_link_takes_a_file_of_the_machine_along(tmp_path: Path, files: dict[str, str], link: str) -> None:
    root = tmp_path / "project"
    write(tmp_path, {"secret.js": 'export const key = "secret";\n'})
    write(root, files)
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(tmp_path / "secret.js")
    said = refused("w", root)
    shown = said.split("`")[1]
    assert shown in (link, "../secret.js")
    assert said == f"`{shown}` leads out of the project\n  fix: put the file itself into the project"


def test_packages_may_lie_above_the_project(tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(tmp_path, {"node_modules/words/index.js": 'export default "from above";\n'})
    assert '"from above"' in bundled(root, 'import words from "words";\nexport default words;\n')


def test_python_comes_entry_first_then_by_path(tmp_path: Path) -> None:
    write(tmp_path, {"w/index.py": "", "w/a.py": "", "w/z/b.py": "", "w/notes.txt": "", "other.py": ""})
    modules = modules_of("w", tmp_path)
    assert [module.name for module in modules] == ["index.py", "a.py", "z/b.py"]
    assert {module.content_type for module in modules} == {"text/x-python"}


def test_vendored_packages_of_python_come_as_wrangler_uploads_them(tmp_path: Path) -> None:
    """Beside the project's other files, whichever folder of it has the entry; what Python compiled stays here."""
    packages = {"python_modules/words/__init__.py": "A = 1\n", "python_modules/words/data.txt": "one\n"}
    packages |= {"python_modules/workers/sdk.mjs": "export {};\n", "python_modules/words/old.pyc": "x"}
    for entry in ("src/main.py", "main.py"):
        root = tmp_path / entry.replace("/", "-")
        write(root, {entry: "import words\n", **packages})
        kinds = {module.name: module.content_type for module in modules_of(entry, root)}
        assert kinds == {
            "main.py": "text/x-python",
            "python_modules/words/__init__.py": "application/octet-stream",
            "python_modules/words/data.txt": "application/octet-stream",
            "python_modules/workers/sdk.mjs": "application/javascript+module",
        }


@pytest.mark.parametrize(
    ("code", "date"),
    [
        ("export default { fetch: (): Response => new Response(process.platform) };\n", "2025-09-27"),
        ("addEventListener('fetch', (event) => event.respondWith(new Response('hi')));\n", "2026-06-01"),
    ],
    ids=["globals that the runtime lacks", "service-worker syntax"],
)
def test_a_bundle_is_the_same_at_each_run_and_tells_no_path_of_the_machine(
    tmp_path: Path, code: str, date: str
) -> None:
    folders = [tmp_path / "one", tmp_path / "deeper" / "two"]
    for folder in folders:
        write(folder, {"main.ts": code})
    first, second = (modules_of("main.ts", folder, compatibility_date=date) for folder in folders)
    assert first == second
    assert "../" not in "".join(line for line in first[0].text.splitlines() if line.startswith("//"))
