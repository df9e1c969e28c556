"""Files of `NAME=value` lines, such as `.dev.vars` and `.env`, as dotenv reads them."""

from __future__ import annotations

import re
from pathlib import Path

LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)[ \t]*(?:=|:[ \t])[ \t]*"""
    r"""(?:(?P<quote>["'`])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)|(?P<bare>[^#\n]*))""",
    re.MULTILINE | re.DOTALL,
)
EXPANDED = {r"\n": "\n", r"\r": "\r"}  # in double quotes


def env_file(path: Path) -> dict[str, str]:
    """Raises `OSError`, `UnicodeDecodeError`."""
    found = {}
    for line in LINE.finditer(path.read_bytes().decode("utf-8-sig")):
        value = line["quoted"] if line["quote"] else line["bare"].strip()
        if line["quote"] == '"':
            value = re.sub(r"\\[nr]", lambda sign: EXPANDED[sign.group()], value)
        found[line["name"]] = value
    return found


def split_reference(where: str, root: Path) -> tuple[Path, str | None]:
    """`path#NAME` is one value of such a file; a file of that very name is itself."""
    path, sign, name = where.rpartition("#")
    return (root / path, name) if sign and path and not (root / where).is_file() else (root / where, None)
