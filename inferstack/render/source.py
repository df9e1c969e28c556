"""A Worker's own code: taken as it stands when workerd can read it so, else bundled by esbuild.

JavaScript that imports only its own files needs no bundler. TypeScript, packages of npm, JSON, variables of the build and
modules of Node that the runtime lacks do. Python is passed through, file by file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from inferstack.config import WorkerSpec, find_entry, text_in
from inferstack.errors import ConfigError
from inferstack.render import node_modules, script_syntax
from inferstack.render.bundler import BundleError, Bundling, refuse_outside
from inferstack.render.module import DATA, JAVASCRIPT, NO_CODE, Module, Source

IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']""")
BUILT_IN = ("node:", "cloudflare:", "workerd:")
KINDS = {".js": JAVASCRIPT, ".mjs": JAVASCRIPT, ".py": "text/x-python", **NO_CODE}
VENDORED = "python_modules"
OF_THE_BUILD = "process.env.NODE_ENV"  # without `nodejs_compat` there is no `process`


def read_source(worker: WorkerSpec, root: Path) -> Source:
    """The modules of the Worker's `source`, the entry first; raises `ConfigError`."""
    assert worker.source is not None
    entry = find_entry(root / worker.source)
    if entry is None:
        raise ConfigError(f"`{worker.source}` has no entry, such as src/index.ts\n  fix: name the file itself")
    refuse_outside([entry], root)
    if entry.suffix == ".py":
        return _python(entry, root)
    as_written = None if worker.bundle or (worker.assets and worker.assets.site) else _as_written(entry, worker, root)
    if as_written is None and worker.bundle is False:
        shown = entry.relative_to(root)
        text = f"`{shown}` cannot be taken as it stands: it imports what only a bundler can add"
        raise BundleError(f"{text}\n  fix: remove `bundle: false`")
    return as_written or Bundling(entry, worker, root).run()


def _python(entry: Path, root: Path) -> Source:
    """Its folder's files, and the packages that `pywrangler sync` puts into the `python_modules` of the project."""
    packages = next((f for above in entry.parents if (f := above / VENDORED).is_dir() and f.is_relative_to(root)), None)
    own = sorted(f for f in entry.parent.rglob("*.py") if f != entry and not (packages and f.is_relative_to(packages)))
    vendored = sorted(f for f in packages.rglob("*") if f.is_file() and f.suffix != ".pyc") if packages else []
    refuse_outside([entry, *own, *vendored], root)
    code = _taken([entry, *own], entry.parent)
    if packages is None:
        return code
    modules = (Module(f.relative_to(packages.parent).as_posix(), f.read_bytes(), _kind(f, packages)) for f in vendored)
    return Source((*code.modules, *modules), code.files | frozenset(vendored))


def _kind(file: Path, packages: Path) -> str:
    """As wrangler uploads them (4.86, find-additional-modules): bytes, but for the JavaScript of Cloudflare's own SDK."""
    own = file.is_relative_to(packages / "workers") and file.suffix in (".js", ".mjs")
    return JAVASCRIPT if own else DATA


def _as_written(entry: Path, worker: WorkerSpec, root: Path) -> Source | None:
    """Every file that the entry reaches by relative imports; None when something needs the bundler."""
    folder, found, left = entry.parent, [entry], [entry]
    while left:
        file = left.pop()
        if file.suffix not in KINDS or not file.is_relative_to(folder):
            return None
        if KINDS[file.suffix] != JAVASCRIPT:
            continue
        code = text_in(file, root)
        if OF_THE_BUILD in code and worker.bundle is not False:
            return None
        if file == entry and script_syntax.is_script(code):
            return None
        for name in imports(code):
            if name.startswith("node:"):
                node_modules.check_import(name, file.relative_to(root), worker.compatibility_flags)
                if not node_modules.runs(name, worker.compatibility_date, worker.compatibility_flags):
                    return None
            if name.startswith(BUILT_IN):
                continue
            target = Path(os.path.normpath(file.parent / name))  # links stay as they are: where they lead is judged
            if not name.startswith(("./", "../")) or not target.is_file():
                return None
            refuse_outside([target], root)
            if target not in found:
                found.append(target)
                left.append(target)
    return _taken([entry, *sorted(found[1:])], folder)


def imports(code: str) -> list[str]:
    """What a module imports, comments aside."""
    return IMPORT.findall(_uncommented(code))


def _uncommented(code: str) -> str:
    return re.sub(r"^\s*//.*$", "", re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL), flags=re.MULTILINE)


def _taken(files: list[Path], folder: Path) -> Source:
    modules = (Module(f.relative_to(folder).as_posix(), f.read_bytes(), KINDS[f.suffix]) for f in files)
    return Source(tuple(modules), frozenset(files))
