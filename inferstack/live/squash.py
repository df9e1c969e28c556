"""`inferstack database … new NAME --squash`: migrations that nobody has had become one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from inferstack.author.migrations_new import check_name, migrations_of, write
from inferstack.config import StackSpec, check_stack, format_findings, stack_names, text_in
from inferstack.engine.environment import local_settings
from inferstack.errors import ConfigError, UserError
from inferstack.live.databases import Database


def squash(root: Path, name: str, stack: str | None = None, key: str | None = None) -> str:
    """One file `name` in place of all that no database of this project's stacks has had.

    Every stack with this folder is asked. Raises `UserError` when one cannot be, or when there are not two files left:
    what was applied runs nowhere again, so that a database made anew would lack it.
    """
    check_name(name)
    folder = migrations_of(root, stack, key)
    files, had = sorted(folder.glob("*.sql")), _applied(root, folder)
    left = [file for file in files if file.name not in had]
    if len(left) < 2:
        raise UserError(_too_few(files, had, left))
    late = max((file for file in had if file > left[0].name), default=None)
    if late is not None:
        text = f"`{left[0].name}` is pending, and {had[late]} has had `{late}`, which comes after it"
        raise UserError(f"{text}\n  fix: inferstack up there first")
    made = write(root, folder, name, "".join(f"\n-- {file.name}\n{_ended(text_in(file, root))}" for file in left))
    for file in left:
        file.unlink()
    return f"{made} has what stood in: {', '.join(file.name for file in left)}"


def _applied(root: Path, folder: Path) -> dict[str, str]:
    """Files, and the stack whose database has had each."""
    found: dict[str, str] = {}
    for stack in stack_names(root):
        checked = check_stack(stack, root)
        if checked.declared is None:
            raise ConfigError(format_findings(checked.findings, root))
        databases = checked.declared.databases.items()
        keys = [key for key, database in databases if database.migrations and root / database.migrations == folder]
        if keys and (checked.declared.target != "local" or _was_up(checked.declared, root)):
            for known in (Database(stack, root, key) for key in keys):
                found |= dict.fromkeys(known.applied() if known.uuid else (), f"`{stack}`")
    return found


def _was_up(spec: StackSpec, root: Path) -> bool:
    return (local_settings(spec, root).folder / "cloudflare.db").exists()


def _too_few(files: list[Path], had: dict[str, str], left: list[Path]) -> str:
    applied = [f"{file.name} ({had[file.name]})" for file in files if file.name in had]
    text = f"{len(left) or 'no'} file{'' if len(left) == 1 else 's'} here that no database has had"
    return f"{text}: there is nothing to squash" + (f"\n  applied already: {', '.join(applied)}" if applied else "")


def _ended(text: str) -> str:
    """With its last statement closed."""
    text = text.rstrip() + "\n"
    return text if sqlite3.complete_statement(text) else f"{text};\n"
