"""The page on which a Worker is tried in a browser, as a module: a template's `page/` and what all pages share."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import TemplateError

from inferstack.config import find_file
from inferstack.errors import ConfigError
from inferstack.render.jinja import templates_in
from inferstack.render.module import Module

MODULE = "page/files.js"
SHARED = (
    "worker_src/page/client.js",
    "worker_src/page/page.css",
    "worker_src/page/icon.svg",
    "worker_src/models/sse_reader.js",
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page_module(template: str, root: Path) -> Module:
    """Type and text of each file by its path. Raises `ConfigError` when the template has no page."""
    index = find_file(f"templates/{template}/page/index.html", root)
    if index is None:
        raise ConfigError(f"template `{template}` has no page/index.html\n  fix: write one, or set `page` to false")
    shared = [file for name in SHARED if (file := find_file(name, root)) is not None]
    own = [file for file in index.parent.iterdir() if file.suffix in TYPES and file != index]
    texts = {file.name: file.read_text() for file in [*shared, *own]}
    pages = templates_in([f"templates/{template}/page", "worker_src/page"], root)
    try:
        texts[index.name] = pages.get_template(index.name).render()
    except (TemplateError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"page/index.html of template `{template}`: {error}") from None
    files = {f"/page/{name}": (f"{TYPES[Path(name).suffix]}; charset=utf-8", text) for name, text in texts.items()}
    lines = [f"  {json.dumps(path)}: {json.dumps(file, ensure_ascii=False)},\n" for path, file in sorted(files.items())]
    head = '// The files of the page, by path.\n\n/** @type {import("../frame/page.js").Files} */\nexport default {\n'
    return Module(MODULE, (head + "".join(lines) + "};\n").encode())
