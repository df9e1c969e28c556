"""Rendered Workers: the same bytes each time, known to reviewers, typed strictly, linted; values never become code."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from inferstack.config import load_stack
from inferstack.config.templates import template_names
from inferstack.render import render_worker
from inferstack.render.page import MODULE, SHARED, page_module
from tests.conftest import ROOT
from tests.render.golden import GOLDEN, rendered

BIN = ROOT / "node_modules" / ".bin"
TYPES = "node_modules/@cloudflare/workers-types/2023-07-01/index.d.ts"


@pytest.fixture(scope="module", autouse=True)
def account() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef0123456789abcdef")
        yield


def test_every_rendered_worker_is_the_golden_one() -> None:
    now = rendered()
    kept = {str(file.relative_to(GOLDEN)): file.read_text() for file in sorted(GOLDEN.rglob("*.js"))}
    assert kept == now, "read the difference, then: python -m tests.render.golden"
    assert {path.split("/")[0] for path in now} == set(template_names(ROOT))


def test_rendering_twice_gives_the_same_bytes() -> None:
    spec = load_stack("dev", ROOT)
    assert render_worker(spec, "rag", ROOT) == render_worker(spec, "rag", ROOT)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rendered Workers beside the modules that they share."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    shutil.copytree(ROOT / "worker_src", folder, dirs_exist_ok=True)
    for path, text in rendered().items():
        (folder / path.replace("/", "--")).write_text(text)
    (folder / MODULE).write_bytes(page_module("chat", ROOT).content)
    return folder


def type_check(folder: Path, lib: list[str], types: list[str]) -> None:
    options = {"checkJs": True, "allowJs": True, "strict": True, "noEmit": True, "noUnusedLocals": True}
    options |= {"target": "es2022", "module": "es2022", "moduleResolution": "bundler", "lib": lib}
    options |= {"skipLibCheck": True, "types": types}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.js"]}))
    done = subprocess.run([BIN / "tsc", "-p", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_rendered_code_passes_strict_type_checks(code: Path) -> None:
    type_check(code, ["es2023"], [str(ROOT / TYPES)])


def test_what_runs_in_a_browser_passes_them(tmp_path: Path) -> None:
    files = [ROOT / name for name in SHARED] + list(ROOT.glob("templates/*/page/*"))
    for file in files:
        shutil.copyfile(file, tmp_path / file.name)
    type_check(tmp_path, ["es2023", "dom", "dom.iterable", "dom.asynciterable"], [])


def test_rendered_code_passes_the_linter(code: Path) -> None:
    rules = ["-D", "correctness", "-D", "suspicious", "-A", "consistent-function-scoping"]
    done = subprocess.run(
        [BIN / "oxlint", *rules, "--ignore-pattern", "node_modules", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


HOSTILE = "`${x}` </script> \" \\ ' */ \u2028 {{ 7*7 }} {% raw %}"


def test_no_value_becomes_code(tmp_path: Path) -> None:
    """What stands in YAML reaches the Worker as the text it is, in comments and strings alike."""
    (tmp_path / "stacks").mkdir()
    stack = {
        "environment": "x",
        "target": "local",
        "models": {"c": {"model": "@cf/meta/llama-3.2-3b-instruct", "system": HOSTILE}},
        "workers": {
            "w": {
                "template": "structured",
                "compatibility_date": "2026-06-01",
                "models": {"chat": "c"},
                "bindings": {"AI": {"ai": True}},
                "secrets": {"API_TOKEN": "env:PATH"},
                "options": {"schema": {"title": HOSTILE.replace("${", "$ {")}},
            }
        },
    }
    text = json.dumps(stack).replace("${", "$${")
    (tmp_path / "stacks" / "s.yaml").write_text(text)
    main = render_worker(load_stack("s", tmp_path), "w", tmp_path).modules[0].text
    models = json.loads(main.split("const models = ")[1].split(";\n")[0])
    assert models["chat"]["system"] == HOSTILE
    assert "49" not in main


def test_a_project_s_own_template_comes_before_the_tool_s(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    for name in ("chat", "greet"):
        (tmp_path / "templates" / name).mkdir(parents=True)
        (tmp_path / "templates" / name / "template.yaml").write_text("summary: mine\n")
        (tmp_path / "templates" / name / "worker.js.j2").write_text(
            'import { json } from "./frame/service.js";\nexport default { fetch: () => json({{ worker | tojson }}) };\n'
        )
    workers = "".join(
        f"  {name}: {{ template: {name}, compatibility_date: '2026-06-01' }}\n" for name in ("chat", "greet")
    )
    (tmp_path / "stacks" / "s.yaml").write_text(f"environment: x\ntarget: local\nworkers:\n{workers}")
    spec = load_stack("s", tmp_path)
    for name in ("chat", "greet"):
        modules = {module.name: module.text for module in render_worker(spec, name, tmp_path).modules}
        assert modules["index.js"].endswith(f'json("{name}") }};\n')
        assert modules["frame/service.js"] == (ROOT / "worker_src" / "frame" / "service.js").read_text()
    assert "structured" in template_names(tmp_path)


def test_a_python_worker_is_passed_through_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "app" / "lib").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("from lib.words import WORDS\n")
    (tmp_path / "app" / "lib" / "words.py").write_text("WORDS = []\n")
    worker = "{ source: app/main.py, compatibility_date: '2026-06-01', compatibility_flags: [python_workers] }"
    (tmp_path / "stacks" / "s.yaml").write_text(
        f'environment: x\ntarget: cloudflare\naccount: "{"0" * 32}"\nworkers: {{ w: {worker} }}\n'
    )
    modules = render_worker(load_stack("s", tmp_path), "w", tmp_path).modules
    assert [(m.name, m.content_type) for m in modules] == [
        ("main.py", "text/x-python"),
        ("lib/words.py", "text/x-python"),
    ]
