"""Where a path really leads, for paths that come out of files."""

from __future__ import annotations

import os
from pathlib import Path

from inferstack.shipped import HOME

TOOL = HOME  # where templates/ and worker_src/ that come with it lie


def real_path(path: Path) -> Path:
    """With all links followed. A link that goes round, or a name no system takes, stays as it is: reading it fails."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()


def leaves(path: Path, root: Path) -> bool:
    """Whether a path leads out of the project."""
    return not real_path(path).is_relative_to(real_path(root))


def foreign(path: Path, root: Path) -> bool:
    """Whether a path leads out of the project and out of this tool's own folder, whose templates projects link to."""
    return leaves(path, root) and leaves(path, TOOL)
