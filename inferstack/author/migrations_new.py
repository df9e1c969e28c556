"""`inferstack database … new`: the next file of a database's migrations."""

from __future__ import annotations

import re
from pathlib import Path

from inferstack.config import DatabaseSpec, check_stack, format_findings, lacking, stack_names
from inferstack.errors import ConfigError, UserError

WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,79}")
NUMBER = re.compile(r"(\d+)_")
TEXT = """-- {title}
-- It runs once, before the new code of the Workers: what the old code uses stays until a later migration.
"""


def new_migration(root: Path, name: str, stack: str | None = None, key: str | None = None) -> str:
    """The file's path in the project. Without a stack, of the one folder that all stacks share; else `ConfigError`."""
    check_name(name)
    return write(root, migrations_of(root, stack, key), name)


def check_name(name: str) -> None:
    """Raises `ConfigError`."""
    if not WORDS.fullmatch(name):
        raise ConfigError(
            f"`{name[:80]}` is no name of a migration\n  fix: letters, digits, - and _; such as add-email"
        )


def migrations_of(root: Path, stack: str | None, key: str | None) -> Path:
    """The folder. Raises `ConfigError`."""
    return root / (_of(root, stack, key) if stack and key else _only(root))


def write(root: Path, folder: Path, name: str, text: str = "") -> str:
    """The next file of the folder, with the usual head; its path in the project. `UserError` where the name is taken."""
    title = re.sub(r"[ -]+", "_", name.lower())
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [found[1] for file in folder.glob("*.sql") if (found := NUMBER.match(file.name))]
    width, next_one = max((len(number) for number in numbers), default=4), max(map(int, numbers), default=0) + 1
    file = folder / f"{next_one:0{width}}_{title}.sql"
    if any(other.stem.partition("_")[2] == title for other in folder.glob("*.sql")):
        raise UserError(f"there is a migration `{title}` in {folder.relative_to(root)}\n  fix: name this one otherwise")
    with file.open("x") as opened:
        opened.write(TEXT.format(title=name) + text)
    return str(file.relative_to(root))


def _declared(stack: str, root: Path) -> dict[str, DatabaseSpec]:
    """Also of a stack that is wrong because the folder is not there yet."""
    checked = check_stack(stack, root)
    if checked.declared is None:
        raise ConfigError(format_findings(checked.findings, root))
    return checked.declared.databases


def _of(root: Path, stack: str, key: str) -> str:
    databases = _declared(stack, root)
    if key not in databases:
        raise ConfigError(lacking(f"stack `{stack}`", "database", key, databases))
    folder = databases[key].migrations
    if folder is None:
        raise ConfigError(f"database `{key}` has no migrations\n  fix: add `migrations: migrations/{key}` to it")
    return folder


def _only(root: Path) -> str:
    found: dict[str, str] = {}
    for stack in stack_names(root):
        for key, database in _declared(stack, root).items():
            if database.migrations is not None:
                found.setdefault(database.migrations, f"inferstack database {stack} {key} new NAME")
    if len(found) == 1:
        return next(iter(found))
    which = "; ".join(found.values()) if found else "declare a database with `migrations:` first"
    raise ConfigError(f"the project has {len(found) or 'no'} folders of migrations\n  fix: {which}")
