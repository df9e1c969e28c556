"""Files of ephemeral stacks among those of stacks: which are ours to write over and remove, and which names are taken."""

from __future__ import annotations

import os
from pathlib import Path

from inferstack.config import check_stack, stack_names
from inferstack.errors import ConfigError, UserError

HEAD = "# Made by `inferstack ephemeral`: an environment for a while. Not for git.\n"


def file_of(name: str, root: Path) -> Path:
    return root / "stacks" / f"{name}.yaml"


def made_for_a_while(name: str, root: Path) -> bool:
    """Whether the stack's files are the one that `inferstack ephemeral up` writes."""
    file = file_of(name, root)
    if file.is_symlink() or (root / "stacks" / name).exists():
        return False
    try:
        return file.read_text(errors="replace").startswith(HEAD)
    except OSError:
        return False


def is_own(name: str, root: Path) -> bool:
    """Whether somebody wrote this stack: a file, a folder of files, a link, a sample."""
    written = (file_of(name, root), root / "stacks" / name, root / "examples" / f"{name}.yaml")
    return any(os.path.lexists(path) for path in written) and not made_for_a_while(name, root)


def environment_of(name: str, root: Path) -> str:
    """As the files say; the name where they cannot be read."""
    try:
        tree = check_stack(name, root).tree
    except UserError:
        return name
    given = tree.value.get("environment") if tree is not None else None
    return str(given.value) if given is not None else name


def user_of(environment: str, root: Path, besides: str) -> str | None:
    """The stack of this project, other than `besides`, whose resources have this environment's names."""
    names = [*stack_names(root), *(file.stem for file in (root / "examples").glob("*.yaml"))]
    return next((name for name in names if name != besides and environment_of(name, root) == environment), None)


def refuse_taken(name: str, root: Path) -> None:
    """Raises `ConfigError` when the name, or the environment that it would be, is somebody's."""
    if name == "base" or is_own(name, root):
        raise ConfigError(f"`{name}` is a stack of its own, or its base\n  fix: choose another name, such as pr-123")
    other = user_of(name, root, besides=name)
    if other is not None:
        text = f"the environment `{name}` is that of stack `{other}`: both would have the same names on Cloudflare"
        raise ConfigError(f"{text}\n  fix: choose another name, such as pr-123")
