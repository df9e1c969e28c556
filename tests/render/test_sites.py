"""Workers Sites: which files the code's manifest names, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inferstack.config import WorkerSpec
from inferstack.errors import ConfigError
from inferstack.render.source import read_source

FILES = {
    "index.html": "home",
    "css/a.css": "a",
    "css/old/b.css": "b",
    "notes/c.txt": "c",
    "README": "d",
    ".env": "hidden",
    ".well-known/security.txt": "e",
    "node_modules/x.js": "x",
    "_headers": "/*\n  x: y\n",
}
CODE = 'import manifest from "__STATIC_CONTENT_MANIFEST";\nexport default { fetch: () => new Response(manifest) };\n'


def worker(**assets: Any) -> WorkerSpec:
    given = {"directory": "public", "binding": "__STATIC_CONTENT", "html_handling": "none", "run_worker_first": True}
    return WorkerSpec.model_validate(
        {"source": "main.js", "compatibility_date": "2024-05-03", "assets": {**given, "site": {}, **assets}}
    )


def manifest(root: Path, site: dict[str, list[str]]) -> dict[str, str]:
    for path, text in FILES.items():
        (root / "public" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "public" / path).write_text(text)
    (root / "main.js").write_text(CODE)
    [module] = read_source(worker(site=site), root).modules
    found = re.search(r"manifest_default = ('.*'|\".*\");", module.text)
    assert found, module.text
    text = found[1][1:-1].replace('\\"', '"')
    keys: dict[str, str] = json.loads(text)
    return keys


@pytest.mark.parametrize(
    ("site", "names"),
    [
        ({}, [".well-known/security.txt", "README", "css/a.css", "css/old/b.css", "index.html", "notes/c.txt"]),
        ({"exclude": ["css/old", "*.txt"]}, ["README", "css/a.css", "index.html"]),
        ({"include": ["css"]}, ["css/a.css", "css/old/b.css"]),
        ({"include": ["/css/*.css", "README"]}, ["README", "css/a.css"]),
    ],
    ids=["all that is not hidden", "without some", "a folder", "by a path"],
)
def test_the_manifest_names(tmp_path: Path, site: dict[str, list[str]], names: list[str]) -> None:
    assert sorted(manifest(tmp_path, site)) == names


def test_a_key_tells_the_content_so_that_an_etag_does(tmp_path: Path) -> None:
    keys = manifest(tmp_path, {})
    assert re.fullmatch(r"css/a\.[0-9a-f]{10}\.css", keys["css/a.css"])
    assert re.fullmatch(r"README\.[0-9a-f]{10}", keys["README"])
    (tmp_path / "public" / "README").write_text("another")
    [module] = read_source(worker(), tmp_path).modules
    assert keys["README"] not in module.text


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text(CODE)
    with pytest.raises(ConfigError, match="the folder `public` cannot be read: No such file"):
        read_source(worker(), tmp_path)


@pytest.mark.parametrize(
    ("assets", "problem"),
    [
        ({"binding": None}, "need a `binding`"),
        ({"html_handling": None}, "`html_handling: none`"),
        ({"run_worker_first": None}, "`run_worker_first: true`"),
    ],
)
def test_what_goes_with_it_is_asked_for(assets: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        worker(**assets)
