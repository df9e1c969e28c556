"""What the Automation API asks Pulumi before each run, where the answer is known: 0.13 s for each question."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from inferstack.engine.interrupted import run_to_its_end
from inferstack.toolchain import Toolchain
from inferstack.versions import PULUMI


class Command(auto.PulumiCommand):
    """The CLI. One from PATH may have been replaced since `setup` looked: it is asked for its version, as always."""

    def __init__(self, toolchain: Toolchain) -> None:
        if toolchain.pulumi_from == "PATH":
            super().__init__(root=str(toolchain.pulumi.parent.parent))
            return
        self.command, self.version = str(toolchain.pulumi), VersionInfo.parse(PULUMI)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Plugins beside the CLI come before others of their name. Raises `auto.CommandError`."""
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        if Path(self.command).is_absolute():
            environment["PATH"] = os.pathsep.join([str(Path(self.command).parent), environment.get("PATH", "")])
        command = [self.command, "--non-interactive", *args]
        code, out, error = run_to_its_end(command, cwd, environment, on_output, on_error)
        result = auto.CommandResult(stdout=out, stderr=error, code=code)
        if code != 0:
            raise create_command_error(result)
        return result


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
