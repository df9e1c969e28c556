"""A project with a wrangler project in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import StackSpec, load_stack
from inferstack.wrangler.wrangler_import import Imported, import_wrangler

Import = Callable[..., Imported]
LAST = "names on Cloudflare are `<name>-<environment>` here: what wrangler deployed stays as it is"
CODE = "export default { fetch: () => new Response('hi'), queue() {} };\n"


@pytest.fixture
def bring(tmp_path: Path) -> Import:
    """Writes `app/` with one Worker and its configuration, then imports it; other files as `path=text`."""
    (tmp_path / "stacks").mkdir()

    def run(
        config: Any, *, target: str = "cloudflare", files: dict[str, str] | None = None, folder: str = "app"
    ) -> Imported:
        app = tmp_path / folder
        app.mkdir(parents=True, exist_ok=True)
        (app / "index.js").write_text(CODE)
        for path, text in (files or {}).items():
            (app / path).parent.mkdir(parents=True, exist_ok=True)
            (app / path).write_text(text)
        if isinstance(config, str):
            (app / "wrangler.toml").write_text(config)
        else:
            basis = {"name": "shop", "main": "index.js", "compatibility_date": "2026-05-01"}
            (app / "wrangler.json").write_text(json.dumps({**basis, **config}, indent=1))
        return import_wrangler([app], tmp_path, target)

    return run


def notes(found: Imported) -> list[str]:
    """Without places, and without what is always said."""
    return [note.partition(": ")[2] for note in found.notes if note != LAST]


def one(bring: Import, root: Path, **config: Any) -> StackSpec:
    """The stack of a configuration that is carried whole."""
    found = bring(config)
    assert (notes(found), found.wrong) == ([], False)
    return load_stack("default", root)
