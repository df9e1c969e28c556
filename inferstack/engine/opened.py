"""What the Automation API asks Pulumi before each run, where the answer is known: 0.13 s for each question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi import automation as auto
from semver import VersionInfo

from inferstack.toolchain import Toolchain
from inferstack.versions import PULUMI


class Command(auto.PulumiCommand):
    """The CLI. One from PATH may have been replaced since `setup` looked: it is asked for its version, as always."""

    def __init__(self, toolchain: Toolchain) -> None:
        if toolchain.pulumi_from == "PATH":
            super().__init__(root=str(toolchain.pulumi.parent.parent))
            return
        self.command, self.version = str(toolchain.pulumi), VersionInfo.parse(PULUMI)


class _Known(auto.Stack):
    """One that is there: it need not be selected, since each command names it."""

    def __init__(self, name: str, workspace: auto.Workspace) -> None:
        self.name, self.workspace = name, workspace
        self._mode: Any = None


def opened(name: str, workspace: auto.Workspace, backend: Path | None) -> auto.Stack:
    """The stack, made when it is not there. `backend` is the folder of a state in files. Raises `auto.CommandError`."""
    if backend is not None:
        project = workspace.project_settings().name
        if (backend / ".pulumi" / "stacks" / project / f"{name}.json").is_file():
            return _Known(name, workspace)
    return auto.Stack.create_or_select(name, workspace)
