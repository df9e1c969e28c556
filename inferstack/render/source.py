"""A Worker's own code: taken as it stands when workerd can read it so, else bundled by esbuild.

JavaScript that imports only its own files needs no bundler. TypeScript, packages of npm and JSON do. Python is passed
through, file by file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from inferstack.config import find_entry, leaves, real_path
from inferstack.errors import ConfigError
from inferstack.render.module import JAVASCRIPT, Module
from inferstack.toolchain import find_esbuild

IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']""")
BUILT_IN = ("node:", "cloudflare:", "workerd:")
KINDS = {
    ".js": JAVASCRIPT,
    ".mjs": JAVASCRIPT,
    ".py": "text/x-python",
    ".txt": "text/plain",
    ".html": "text/plain",
    ".sql": "text/plain",
    ".bin": "application/octet-stream",
    ".wasm": "application/wasm",
}
SECONDS = 120


def source_modules(source: str, root: Path) -> tuple[Module, ...]:
    """The modules of `source`, the entry first; raises `ConfigError`."""
    entry = find_entry(root / source)
    if entry is None:
        raise ConfigError(f"`{source}` has no entry, such as src/index.ts\n  fix: name the file itself")
    refuse_outside([entry], root)
    if entry.suffix == ".py":
        files = [entry, *sorted(f for f in entry.parent.rglob("*.py") if f != entry)]
        refuse_outside(files, root)
        return tuple(_module(file, entry.parent) for file in files)
    return _as_written(entry, root) or (bundle(entry, root),)


def refuse_outside(files: Iterable[Path], root: Path) -> None:
    """Code goes to Cloudflare and is served: a link or an import must not take a file of the machine along.

    Packages may lie above the project or behind links, as npm's workspaces and pnpm have it. Raises `ConfigError`.
    """
    for file in files:
        if leaves(file, root) and "node_modules" not in real_path(file).parts:
            shown = os.path.relpath(file, root)
            raise ConfigError(f"`{shown}` leads out of the project\n  fix: put the file itself into the project")


def _as_written(entry: Path, root: Path) -> tuple[Module, ...] | None:
    """Every file that the entry reaches by relative imports; None when something needs the bundler."""
    folder, found, left = entry.parent, [entry], [entry]
    while left:
        file = left.pop()
        if file.suffix not in KINDS or not file.is_relative_to(folder):
            return None
        if KINDS[file.suffix] != JAVASCRIPT:
            continue
        for name in imports(file.read_text()):
            if name.startswith(BUILT_IN):
                continue
            target = Path(os.path.normpath(file.parent / name))  # links stay as they are: where they lead is judged
            if not name.startswith(("./", "../")) or not target.is_file():
                return None
            refuse_outside([target], root)
            if target not in found:
                found.append(target)
                left.append(target)
    return tuple(_module(file, folder) for file in (entry, *sorted(found[1:])))


def imports(code: str) -> list[str]:
    """What a module imports, comments aside."""
    return IMPORT.findall(_uncommented(code))


def _uncommented(code: str) -> str:
    return re.sub(r"^\s*//.*$", "", re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL), flags=re.MULTILINE)


def _module(file: Path, folder: Path) -> Module:
    return Module(file.relative_to(folder).as_posix(), file.read_bytes(), KINDS[file.suffix])


def bundle(entry: Path, root: Path) -> Module:
    """One ES module out of everything that `entry` imports."""
    with tempfile.TemporaryDirectory() as folder:
        out, facts = Path(folder) / "index.js", Path(folder) / "facts.json"
        command = [
            _esbuild(entry, root),
            str(entry),
            *("--bundle", "--format=esm", "--target=es2022", "--platform=neutral", "--main-fields=module,main"),
            *("--conditions=workerd,worker,browser", "--external:node:*", "--external:cloudflare:*"),
            *("--log-level=warning", "--loader:.txt=text", "--loader:.html=text", "--loader:.sql=text"),
            *("--charset=utf8", "--legal-comments=none", f"--outfile={out}", f"--metafile={facts}"),
        ]
        try:
            done = subprocess.run(command, capture_output=True, cwd=root, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise ConfigError(f"esbuild did not finish `{entry.relative_to(root)}` in {SECONDS} seconds") from None
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace").strip()
            raise ConfigError(f"esbuild cannot bundle `{entry.relative_to(root)}`\n{text}")
        refuse_outside([root / name for name in json.loads(facts.read_text())["inputs"]], root)
        return Module("index.js", out.read_bytes())


def _esbuild(entry: Path, root: Path) -> str:
    """The nearest node_modules' own, else the one that `inferstack setup` installed, else the one on PATH."""
    for folder in entry.parents:
        found = folder / "node_modules" / ".bin" / "esbuild"
        if found.is_file():
            return os.fspath(found)
        if folder == root:
            break
    ours = find_esbuild()
    if ours is None:
        fix = "inferstack setup, or write plain JavaScript that imports only its own files"
        raise ConfigError(f"`{entry.relative_to(root)}` needs esbuild, which is not installed\n  fix: {fix}")
    return os.fspath(ours)
