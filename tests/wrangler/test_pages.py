"""Pages projects (`pages_build_output_dir`) as Workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import WorkerSpec, load_stack
from inferstack.errors import ConfigError
from tests.wrangler.conftest import Import, notes

CONFIG = 'name = "site"\npages_build_output_dir = "./dist"\ncompatibility_date = "2026-05-01"\n'
CODE = "export default { fetch: (request, env) => env.ASSETS.fetch(request) };\n"


def page(bring: Import, root: Path, files: dict[str, str], said: int = 0) -> WorkerSpec:
    found = bring(CONFIG, target="local", files={"dist/index.html": "home", **files})
    assert not found.wrong, found.findings
    assert len(notes(found)) == said
    return load_stack("default", root).workers["site"]


@pytest.mark.parametrize(
    ("files", "handling"),
    [({}, "single-page-application"), ({"dist/404.html": "gone"}, "404-page")],
    ids=["an application of one page", "with a page for what is not there"],
)
def test_static_files_are_assets_alone(bring: Import, tmp_path: Path, files: dict[str, str], handling: str) -> None:
    worker = page(bring, tmp_path, files)
    assert worker.assets is not None
    assert (worker.source, worker.assets.model_dump(exclude_defaults=True)) == (
        None,
        {"directory": "app/dist", "not_found_handling": handling},
    )


def test_what_is_for_code_is_left_out_of_static_files(bring: Import, tmp_path: Path) -> None:
    more = '[vars]\nA = "1"\n[[kv_namespaces]]\nbinding = "KV"\nid = "x"\n'
    found = bring(CONFIG + more, target="local", files={"dist/index.html": "home"})
    assert not found.wrong
    assert notes(found) == [f"not carried: `{name}`; static files alone read none" for name in ("vars", "bindings")]
    assert load_stack("default", tmp_path).workers["site"].vars == {}


@pytest.mark.parametrize(
    ("routes", "first"),
    [
        (None, True),
        ({"version": 1, "include": ["/*"], "exclude": []}, True),
        ({"version": 1, "include": ["/*"], "exclude": ["/build/*"]}, ["/*", "!/build/*"]),
        ({"version": 1, "include": ["/api/*"], "exclude": []}, ["/api/*"]),
    ],
    ids=["no routes", "all", "all but files", "some"],
)
def test_worker_js_is_the_code(bring: Import, tmp_path: Path, routes: Any, first: Any) -> None:
    files = {"dist/_worker.js": CODE} | ({"dist/_routes.json": json.dumps(routes)} if routes else {})
    worker = page(bring, tmp_path, files)
    assert worker.source == "app/dist/_worker.js"
    assert worker.assets is not None
    assert (worker.assets.binding, worker.assets.run_worker_first) == ("ASSETS", first)


def test_worker_js_may_be_a_folder(bring: Import, tmp_path: Path) -> None:
    assert page(bring, tmp_path, {"dist/_worker.js/index.js": CODE}).source == "app/dist/_worker.js/index.js"


@pytest.mark.parametrize("text", ["{", '{"include": []}', '{"include": ["api"]}', "[]", '{"include": 1}'])
def test_routes_that_are_none_are_told(bring: Import, tmp_path: Path, text: str) -> None:
    worker = page(bring, tmp_path, {"dist/_worker.js": CODE, "dist/_routes.json": text}, said=1)
    assert worker.assets is not None
    assert worker.assets.run_worker_first is True


def test_functions_are_refused_with_the_command_that_compiles_them(bring: Import, tmp_path: Path) -> None:
    files = {"dist/index.html": "home", "functions/api/[id].ts": "export const onRequest = () => new Response('hi');\n"}
    with pytest.raises(ConfigError) as raised:
        bring(CONFIG, files=files)
    assert str(raised.value).startswith("app/wrangler.toml: the Pages project has functions (`functions/`)")
    assert "\n  fix: wrangler pages functions build --outdir=worker" in str(raised.value)
    assert not (tmp_path / "stacks" / "default.yaml").exists()
