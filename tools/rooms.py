"""The rooms of `inferstack/` and what they import of each other, read from the code: a page and its one picture.

`make docs` calls this; nothing here is written by hand, so nothing of it can be out of date.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tools.room_imports import PACKAGE, imported_modules
from tools.rooms_picture import draw

Imports = dict[str, Counter[str]]  # importing room -> imported room -> how many import statements


def room_of(name: str) -> str:
    """The folder or file right under the package."""
    return name.removesuffix(".py")


def read_imports(package: Path) -> Imports:
    found: Imports = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).parts
        if parts[0].startswith("_"):
            continue
        room = found.setdefault(room_of(parts[0]), Counter())
        others = (module.split(".")[1] for module in imported_modules(file))
        room.update(other for other in others if other != room_of(parts[0]))
    return {room: Counter({o: n for o, n in others.items() if o in found}) for room, others in found.items()}


def about(package: Path, room: str) -> tuple[str, int]:
    """The first line of a room's docstring, and how many files it has."""
    if (package / room).is_dir():
        first, files = package / room / "__init__.py", len(list((package / room).rglob("*.py")))
    else:
        first, files = package / f"{room}.py", 1
    text = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) if first.is_file() else None
    return " ".join((text or "").split("\n\n")[0].split()), files


def page(root: Path) -> dict[str, str]:
    """`architecture.md` and `architecture.svg`."""
    package = root / PACKAGE
    imports = read_imports(package)
    known = {room: about(package, room) for room in imports}
    picture, order = draw(
        {room: set(others) for room, others in imports.items()}, {r: n for r, (_, n) in known.items()}
    )
    lines = [
        "# Architecture",
        "",
        "A room is a folder or a file right under `inferstack/`. An arrow goes from a room to ",
    ]
    lines[-1] += "what it imports. What follows from other arrows is left out of the picture and stands in the table."
    lines += ["", "![The rooms and their imports, from the command line down](architecture.svg)", ""]
    lines += ["`make docs` draws this page from the code; `tests/test_rooms.py` holds the directions.", ""]
    lines += ["| room | what it is | imports (how often) |", "| --- | --- | --- |"]
    for room in order:
        others = ", ".join(f"{other} ({count})" for other, count in imports[room].most_common())
        lines.append(f"| `{room}` | {known[room][0]} | {others or 'nothing of ours'} |")
    return {"architecture.md": "\n".join(lines) + "\n", "architecture.svg": picture}
