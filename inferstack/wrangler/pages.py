"""A Pages project as a Worker: its files as static assets, its `_worker.js` as the code.

Facts: "Migrate from Pages to Workers" and Pages' "Serving pages", "Advanced mode", "Functions routing" (Cloudflare's
documentation, as known in 2026-05). `functions/` is a language of its own that only wrangler compiles.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inferstack.catalog import asset_rules
from inferstack.errors import ConfigError
from inferstack.wrangler.reading import Value
from inferstack.wrangler.section import Section

WORKER, ROUTES = "_worker.js", "_routes.json"
FUNCTIONS = (".js", ".mjs", ".ts", ".tsx", ".jsx")


def read_output(section: Section, value: Value) -> None:
    """Raises `ConfigError` for a project with functions."""
    directory = section.path(value.text())
    folder = section.root / directory
    worker = folder / WORKER
    _refuse_functions(section, worker)
    assets: dict[str, Any] = {"directory": directory}
    # Pages takes a site without a page for what is not there for an application of one page.
    assets["not_found_handling"] = "404-page" if (folder / "404.html").is_file() else "single-page-application"
    if worker.exists():
        assets |= {"binding": "ASSETS", "run_worker_first": _routes(section, folder)}
        section.entry["source"] = f"{directory}/{WORKER}" + ("/index.js" if worker.is_dir() else "")
    section.entry["assets"] = assets


def _refuse_functions(section: Section, worker: Path) -> None:
    """Code in `_worker.js` stands for them, as on Pages."""
    folder = section.root / section.file.folder / "functions"
    if worker.exists() or not any(file.suffix in FUNCTIONS for file in folder.rglob("*")):
        return
    raise ConfigError(
        f"{section.file.shown}: the Pages project has functions (`functions/`), which only wrangler compiles\n"
        "  fix: wrangler pages functions build --outdir=worker, then put `main: worker/index.js` and "
        "`assets: { directory, binding: ASSETS }` in place of `pages_build_output_dir`"
    )


def _routes(section: Section, folder: Path) -> bool | list[str]:
    """Which requests the code gets: all, or those of `_routes.json`."""
    file = folder / ROUTES
    if not file.is_file():
        return True
    try:
        said = json.loads(file.read_text())
        given = [*said.get("include", []), *(f"!{path}" for path in said.get("exclude", []))]
        asset_rules.read_worker_first(given)
    except (ValueError, AttributeError, TypeError) as problem:
        section.note((), f"`{ROUTES}` is left out, and the code gets all requests: {problem}")
        return True
    return True if given == ["/*"] else given
