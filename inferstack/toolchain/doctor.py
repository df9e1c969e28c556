"""`inferstack doctor`: what is there, what is missing, what would be used, and the fix for each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inferstack import __version__
from inferstack.errors import ToolchainError
from inferstack.text import paint
from inferstack.toolchain import node_tools, pulumi_cli
from inferstack.toolchain.folders import cache_folder, make_writable
from inferstack.toolchain.record import read_toolchain
from inferstack.toolchain.setup import LOCAL_FIX, missing_modules


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, missing (something does not work without it) or absent (something else is used)."""

    what: str
    state: str
    detail: str
    fix: str = ""


def examine(root: Path | None) -> list[Finding]:
    """`root` is the project, if this is one."""
    return [*_python(), *_pulumi(root), *_node(), *_places(root)]


def _missing(what: str, error: ToolchainError) -> Finding:
    text, _, fix = str(error).partition("\n  fix: ")
    return Finding(what, "missing", text, fix)


def _python() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{sys.version.split()[0]} at {sys.executable}")
    yield Finding("inferstack", "ok", __version__)
    missing = missing_modules()
    detail = f"not installed: {', '.join(missing)}" if missing else "its Python packages are installed"
    yield Finding("local Cloudflare", "missing" if missing else "ok", detail, LOCAL_FIX if missing else "")


def _pulumi(root: Path | None) -> Iterator[Finding]:
    try:
        found = read_toolchain(root or Path.cwd())
    except ToolchainError as error:
        yield _missing("Pulumi CLI", error)
        return
    version = ".".join(map(str, pulumi_cli.version_of(found.pulumi)))
    yield Finding("Pulumi CLI", "ok", f"{version} at {found.pulumi} (from {found.pulumi_from})")
    detail = "installed" if found.official_plugin else "not there: local stacks use the stand-in, others need it"
    fix = "" if found.official_plugin else "inferstack setup, where Pulumi's plugins can be downloaded"
    yield Finding("Cloudflare provider", "ok" if found.official_plugin else "absent", detail, fix)


def _node() -> Iterator[Finding]:
    for name, find in (("workerd", node_tools.find_workerd), ("simulators", node_tools.find_simulators)):
        try:
            yield Finding(name, "ok", str(find()))
        except ToolchainError as error:
            yield _missing(name, error)
    esbuild = node_tools.find_esbuild()
    if esbuild:
        yield Finding("esbuild", "ok", str(esbuild))
    else:
        yield Finding("esbuild", "missing", "Workers in TypeScript or with npm packages need it", "inferstack setup")
    for name, use in (
        ("npm", "installs workerd and esbuild"),
        ("go", "builds Pulumi where its release is not reached"),
    ):
        there = shutil.which(name) or (name == "npm" and " ".join(node_tools.find_npm() or []))
        fix = "" if there else "install Node.js 20 or newer" if name == "npm" else "install Go 1.26"
        yield Finding(name, "ok" if there else "absent", str(there or f"not on PATH; {use}"), fix)


def _places(root: Path | None) -> Iterator[Finding]:
    try:
        make_writable(cache_folder())
        yield Finding("cache", "ok", str(cache_folder()))
    except ToolchainError as error:
        yield _missing("cache", error)
    if root is None:
        yield Finding("project", "absent", "none here or above", "inferstack init FOLDER")
    else:
        yield Finding("project", "ok", str(root))
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"):
        known = bool(os.environ.get(name))
        fix = "" if known else f"export {name}=…, for stacks with `target: cloudflare`"
        yield Finding(name, "ok" if known else "absent", "set" if known else "not set; local stacks need none", fix)


def as_json(found: list[Finding]) -> dict[str, Any]:
    return {"version": 1, "ok": all(each.state != "missing" for each in found), "findings": [asdict(f) for f in found]}


def as_text(found: list[Finding]) -> str:
    width = max(len(each.what) for each in found)
    signs = {"ok": paint("ok     ", "green"), "missing": paint("MISSING", "red", "bold"), "absent": "-      "}
    lines = []
    for each in found:
        lines.append(f"{signs[each.state]}  {each.what.ljust(width)}  {each.detail}")
        if each.fix:
            lines.append(f"{' ' * (11 + width)}fix: {each.fix}")
    return "\n".join(lines)
