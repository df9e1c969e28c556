"""Modules of npm packages that the shared modules import, taken from where the lock file's versions were installed.

Only packages that ship plain ES modules: their files are uploaded as they are, under `node_modules/`, without a bundler.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inferstack.errors import ConfigError
from inferstack.render.module import Module
from inferstack.toolchain import packages_folder

FOLDER = "node_modules"
CONDITIONS = ("workerd", "worker", "browser", "import", "default")
NAME = re.compile(r"(?P<package>(?:@[^/]+/)?[^/]+)(?P<inner>/.*)?")
Imports = Callable[[str], list[str]]


def is_package(name: str) -> bool:
    """Whether an import names a package, and neither a file nor what the runtime has."""
    return not name.startswith((".", "/")) and ":" not in name


def package_modules(name: str, imports: Imports) -> tuple[str, list[Module]]:
    """Of an import such as `jose/jwt/verify`: the path of its module, and all modules that it reaches.

    Raises `ConfigError` when the package is not installed or not made for this.
    """
    first = _entry(name)
    found: dict[str, Module] = {}
    left = [first]
    while left:
        path = left.pop()
        if path in found:
            continue
        try:
            found[path] = Module(path, (_home() / path).read_bytes())
        except OSError:
            raise ConfigError(f"the npm package of `{name}` lacks {path}\n  fix: inferstack setup") from None
        for wanted in imports(found[path].text):
            if is_package(wanted):
                raise ConfigError(f"the npm package of `{name}` needs `{wanted}`, which only a bundler can add")
            if wanted.startswith("."):
                left.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted)))
    return first, [found[path] for path in sorted(found)]


def _home() -> Path:
    """The folder whose node_modules has the packages."""
    return packages_folder("build").parent


def _entry(name: str) -> str:
    """Where the package's `exports` lead to (Node's rules, without nested folders)."""
    parts = NAME.fullmatch(name)
    assert parts is not None
    folder = f"{FOLDER}/{parts['package']}"
    try:
        exports = json.loads((_home() / folder / "package.json").read_text())["exports"]
    except (OSError, ValueError, KeyError):
        raise ConfigError(f"the npm package `{parts['package']}` is not installed\n  fix: inferstack setup") from None
    if not isinstance(exports, dict) or not all(key.startswith(".") for key in exports):
        exports = {".": exports}
    inner = f".{parts['inner'] or ''}"
    for pattern, target in sorted(exports.items(), key=lambda entry: -len(entry[0])):
        before, star, after = pattern.partition("*")
        if pattern == inner or (star and inner.startswith(before) and inner.endswith(after)):
            chosen = _of_condition(target)
            if chosen is None:
                break
            part = inner[len(before) : len(inner) - len(after)] if star else ""
            return posixpath.normpath(f"{folder}/{chosen.replace('*', part)}")
    raise ConfigError(f"the npm package `{parts['package']}` has no `{inner}`")


def _of_condition(target: Any) -> str | None:
    """The first that is made for workerd; None where nothing is."""
    if isinstance(target, dict):
        found = (_of_condition(target[condition]) for condition in CONDITIONS if condition in target)
        return next((path for path in found if path is not None), None)
    return target if isinstance(target, str) else None
