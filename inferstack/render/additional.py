"""Modules that go up beside the bundle, for imports whose names are known at run time only.

wrangler's `find_additional_modules` (4.86, deployment-bundle/find-additional-modules): files of a folder by globs, each under
its path from there. Unlike wrangler, what the entry imports by a fixed name stays in the bundle.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from inferstack.config import BundleSpec
from inferstack.errors import ConfigError
from inferstack.render.module import BY_RULE, JAVASCRIPT, NO_CODE, Module

COMMON_JS = "application/javascript"
KINDS = {".js": JAVASCRIPT, ".mjs": JAVASCRIPT, ".cjs": COMMON_JS, **NO_CODE}
NEVER = {"node_modules", ".git", ".wrangler", ".inferstack"}


def additional_modules(spec: BundleSpec, entry: Path, root: Path) -> list[tuple[Path, Module]]:
    """By name, without the entry; a name that only has another kind of code (TypeScript) is none."""
    if spec.additional is None:
        return []
    folder = root / spec.additional.directory
    if not folder.is_dir():
        raise ConfigError(
            f"there is no folder `{spec.additional.directory}` for additional modules\n  fix: correct `additional.directory`"
        )
    globs = [glob_pattern(glob) for glob in spec.additional.globs]
    kinds = KINDS | {suffix: BY_RULE[rule.type] for rule in spec.rules for suffix in rule.suffixes}
    found = []
    for file in _files(folder):
        name = file.relative_to(folder).as_posix()
        kind = next((kind for suffix, kind in kinds.items() if name.endswith(suffix)), None)
        is_code = kind in (JAVASCRIPT, COMMON_JS)
        if kind is None or file == entry or (is_code and not any(glob.fullmatch(name) for glob in globs)):
            continue
        found.append((file, Module(name, file.read_bytes(), kind)))
    return found


def main_name(spec: BundleSpec | None, entry: Path, root: Path) -> str:
    """Where the bundle stands among them: what it imports by a relative name is found from there."""
    folder = root / spec.additional.directory if spec and spec.additional else entry.parent
    if not entry.is_relative_to(folder) or entry.parent == folder:
        return "index.js"
    return (entry.parent.relative_to(folder) / "index.js").as_posix()


def _files(folder: Path) -> list[Path]:
    found = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NEVER]
        found += [Path(at) / name for name in names]
    return sorted(found)


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Of paths with `/`."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./"))
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts))
