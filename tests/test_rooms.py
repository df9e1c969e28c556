"""Each room imports only what the design lets it, and by the door of those that have one."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from tests.conftest import ROOT
from tools.room_imports import imported_modules

PACKAGE = ROOT / "inferstack"
ANYWHERE = {"asset_files", "errors", "json_text", "picture", "shipped", "text", "versions", "__version__"}
BASE = {"catalog", "config", "render", "resources", "cloudflare", "local", "toolchain"}
ALLOWED: dict[str, set[str]] = {
    "catalog": set(),
    "toolchain": set(),
    "cloudflare": set(),
    "judging": {"config"},
    "config": {"catalog"},
    "render": {"config", "catalog", "toolchain"},
    "resources": {"config", "render", "catalog", "judging"},
    "plugin": {"cloudflare"},
    "provider": {"plugin", "cloudflare", "judging"},
    "standin": {"plugin", "cloudflare"},
    "local": {"catalog", "toolchain"},
    "cost": {"catalog", "config"},
    "engine": {*BASE, "cost"},
    "clients": {*BASE, "engine"},
    "author": {*BASE, "cost", "engine", "clients"},
    "wrangler": {*BASE, "author"},
    "gitops": {*BASE, "author"},
    "change": {*BASE, "cost", "engine", "author"},
    "testing": {*BASE, "engine"},
    "agents": {"config"},
    "live": {*BASE, "judging", "cost", "engine", "clients", "author", "change"},
}
# Rooms whose names all come from the package itself. The others have public modules instead, each with one command's
# work: a door would import Pulumi's SDK (0.3 s) for a `check` that needs none. So it is with the modules named here:
# `client` is httpx, `setup`, `doctor` and `weights` are commands.
DOORS: dict[str, set[str]] = {
    "catalog": set(),
    "config": {"checks", "findings"},
    "render": set(),
    "toolchain": {"setup", "doctor", "weights"},
    "cloudflare": {"client"},
}


def crossings() -> Iterator[tuple[str, str, str]]:
    """A file, its room, and a module of another room."""
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0]
        for name in imported_modules(file):
            other = name.split(".")[1]
            if other != room and other not in ANYWHERE:
                yield str(file.relative_to(ROOT)), room, name


def test_imports_go_one_way() -> None:
    wrong = [
        f"{file} imports {name}"
        for file, room, name in crossings()
        if room in ALLOWED and name.split(".")[1] not in ALLOWED[room]
    ]
    assert not wrong


def test_every_room_is_in_the_table() -> None:
    rooms = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    assert rooms - {"cli"} == set(ALLOWED)


def test_imports_go_through_the_door() -> None:
    wrong = []
    for file, _, name in crossings():
        _, room, *inside = name.split(".")
        if room in DOORS and inside and inside[0] not in DOORS[room]:
            wrong.append(f"{file} imports {name}")
    assert not wrong


def test_no_private_module_is_imported_from_outside() -> None:
    assert not [f"{file} imports {name}" for file, _, name in crossings() if "._" in name]


def test_module_names_tell_them_apart() -> None:
    """Apart from the parts that each product of the local Cloudflare has."""
    files = [file for file in PACKAGE.rglob("*.py") if "local" not in file.relative_to(PACKAGE).parts]
    counted = Counter(file.name for file in files if not file.name.startswith("__"))
    assert not {name for name, count in counted.items() if count > 1}


def test_errors_are_told_apart_by_their_kind() -> None:
    assert not [str(file) for file in PACKAGE.rglob("*.py") if "in str(error)" in file.read_text()]


def test_files_and_functions_are_short() -> None:
    long = []
    for file in (*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        text = file.read_text()
        if len(text.splitlines()) > 400:
            long.append(str(file))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 50:
                    long.append(f"{file}:{node.lineno} {node.name}: {lines} lines")
    assert not long


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 20
