"""Where secrets come from: environment variables, files, and commands of a password manager."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from inferstack.config import env_file, split_reference

SECONDS = 60.0  # for a command
NO_COMMANDS = "INFERSTACK_NO_COMMANDS"  # set where the stack files may be a stranger's: what they name is not run


class SecretMissing(Exception):
    """`why` and `fix` name the place, never a value."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


def read_secret(reference: str, root: Path) -> str:
    """The value behind `env:`, `file:` or `command:`. Raises `SecretMissing`."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "")
        if not value:
            raise SecretMissing(f"the environment variable `{name}` is not set", f"export {name}")
        return value
    return _from_file(name, root) if kind == "file" else _from_command(name, root)


def _from_file(where: str, root: Path) -> str:
    path, name = split_reference(where, root)
    try:
        value = path.read_text().strip() if name is None else env_file(path).get(name, "")
    except (OSError, UnicodeDecodeError):
        raise SecretMissing(f"the file `{where}` cannot be read", "write the secret to that file, mode 600") from None
    if not value and name is not None:
        shown = where.removesuffix(f"#{name}")
        raise SecretMissing(f"the file `{shown}` has no value for `{name}`", f"add a line {name}=…")
    if not value:
        raise SecretMissing(f"the file `{where}` is empty", "write the secret to that file, mode 600")
    return value


def commands_off() -> bool:
    return os.environ.get(NO_COMMANDS, "") not in ("", "0")


def _from_command(command: str, root: Path) -> str:
    """Run without a shell, in the project's folder. What it prints on errors may hold anything, so it is not shown."""
    if commands_off():
        raise SecretMissing(f"the command `{command}` is not run ({NO_COMMANDS} is set)", f"unset {NO_COMMANDS}")
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        text = f"the command `{command}` does not run ({type(error).__name__})"
        raise SecretMissing(text, "run it by hand; sign in first if it asks for that") from None
    if done.returncode != 0 or not done.stdout.strip():
        ended = f"ended with {done.returncode}" if done.returncode else "printed nothing"
        text = f"the command `{command}` {ended}"
        raise SecretMissing(text, "run it by hand; sign in first if it asks for that")
    return done.stdout.strip()
