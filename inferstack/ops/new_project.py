"""`inferstack init --project`: a folder of one's own with the program, the templates and a first stack.

The toolchain stays where `make setup` put it: the new project links to that installation.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from inferstack.config.templates import HOME
from inferstack.errors import ConfigError
from inferstack.ops.environment import STATE, read_toolchain

COPIED = ("Pulumi.yaml", "__main__.py", "bin", "migrations")
LINKED = (".venv", "node_modules", f"{STATE}/toolchain.json")
IGNORED = ".inferstack/\n.venv\nnode_modules\n__pycache__/\n"
BASE = """# yaml-language-server: $schema=../docs/stack.schema.json
# What every environment of this project has in common. `inferstack add worker NAME --template T` adds to it.

models: {}
"""


def create(folder: Path) -> None:
    """Raises `ConfigError`, and leaves nothing behind, when there is something in the folder or no installation."""
    read_toolchain(HOME)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty\n  fix: name a new folder; `inferstack init STACK` adds to a project")
    there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            source = HOME / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, folder / name)
        for name in LINKED:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).symlink_to(HOME / name)
        for name in ("stacks", "docs"):
            (folder / name).mkdir()
        (folder / "stacks" / "base.yaml").write_text(BASE)
        shutil.copyfile(HOME / "docs" / "stack.schema.json", folder / "docs" / "stack.schema.json")
        (folder / ".gitignore").write_text(IGNORED)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if there:
            folder.mkdir()
        raise
