"""A stack made ready for Pulumi runs by the Automation API: the same program and state as `pulumi` by hand."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pulumi import automation as auto

from inferstack import local
from inferstack.config import StackSpec, load_stack
from inferstack.engine import output, progress, speakers
from inferstack.engine.environment import STATE, folder_of, local_account, local_settings, run_environment, state_folder
from inferstack.engine.holdings import empty_buckets, held, what_is_lost
from inferstack.engine.locks import with_lock
from inferstack.engine.opened import Command, opened
from inferstack.engine.project_file import check_project_file
from inferstack.errors import AuthenticationError, UserError
from inferstack.toolchain import read_toolchain

MOST_UPDATES = 200  # looked at for the one that deployed; a pipeline may have run `up` daily since


class RunFailed(UserError):
    """Pulumi has shown what went wrong; only its exit code is left to hand on."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("")
        self.exit_code = exit_code


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ensure_cloudflare(spec: StackSpec, root: Path) -> local.Running | None:
    """Start the local Cloudflare of a stack with `target: local` unless it runs already."""
    if spec.target != "local":
        return None
    settings = local_settings(spec, root)
    running, started = local.ensure(settings)
    state = "started" if started else "running"
    say(f"local Cloudflare {state}: API on port {running.api_port}, Workers on port {running.port}")
    for line in speakers.lines(spec, local.speakers(settings.folder, running, local_account(spec))):
        say(line)
    return running


def open_stack(name: str, spec: StackSpec, root: Path, *, quiet: bool = False) -> auto.Stack:
    check_project_file(root)
    toolchain = read_toolchain(root)
    environment = run_environment(spec, root)
    if spec.target == "local" and not quiet:
        say(f"Pulumi from {toolchain.pulumi_from}; Cloudflare's resources are served by the {toolchain.provider}")
    workspace = auto.LocalWorkspace(work_dir=str(root), env_vars=environment, pulumi_command=Command(toolchain))
    try:
        return opened(name, workspace, folder_of(environment.get("PULUMI_BACKEND_URL", "")))
    except auto.CommandError as error:
        raise _not_opened(error) from None


@contextmanager
def run_of(name: str, root: Path, more: dict[str, str] | None = None) -> Iterator[tuple[StackSpec, auto.Stack]]:
    """A stack that is ready to run, its Cloudflare up; Pulumi's failures leave as this project's errors."""
    spec = load_stack(name, root)
    check_project_file(root)  # before anything is started
    ensure_cloudflare(spec, root)
    try:
        stack = open_stack(name, spec, root)
        stack.workspace.env_vars = {**stack.workspace.env_vars, **(more or {})}
        yield spec, stack
    except auto.CommandError as error:
        raise failed(error) from None


def refresh(name: str, root: Path, *, expect_no_changes: bool = False) -> dict[str, int]:
    """The number of resources per operation."""
    with run_of(name, root) as (_, stack), progress.shown(f"refreshing {name}") as follow:
        done = with_lock(
            stack,
            say,
            lambda: stack.refresh(on_output=show, on_event=follow, expect_no_changes=expect_no_changes or None),
        )
    return counts(done.summary)


def counts(summary: auto.UpdateSummary) -> dict[str, int]:
    """Resources per operation."""
    return {str(op): count for op, count in (summary.resource_changes or {}).items()}


def updates(name: str, spec: StackSpec, root: Path, most: int = 20) -> list[auto.UpdateSummary]:
    """The stack's own history, newest first."""
    try:
        return open_stack(name, spec, root, quiet=True).history(page_size=most)
    except auto.CommandError as error:
        raise failed(error) from None


def update_starts(name: str, spec: StackSpec, root: Path) -> list[datetime]:
    """When each `up` began, newest first."""
    entries = updates(name, spec, root, most=MOST_UPDATES)
    return [entry.start_time.replace(tzinfo=UTC) for entry in entries if entry.kind == "update"]


def loss_of_down(name: str, root: Path) -> str:
    """What `down` would destroy, and where."""
    spec = load_stack(name, root)
    try:
        return what_is_lost(name, held(open_stack(name, spec, root, quiet=True)), spec)
    except auto.CommandError as error:
        raise failed(error) from None


def down(name: str, root: Path) -> dict[str, int]:
    """Destroy the stack; a local one's Cloudflare is stopped afterwards, and its state stays for the next `up`.

    The number of resources per operation.
    """
    with run_of(name, root) as (spec, stack):
        if spec.protected:  # Pulumi would delete the Workers first, then stop at the first protected database
            fix = f"set `production: false` or `protect: false`, run `inferstack up {name}`, then this again"
            raise UserError(f"stack `{name}` is protected; nothing was destroyed\n  fix: {fix}")
        resources = held(stack)
        say(what_is_lost(name, resources, spec))
        empty_buckets(resources, spec, root)
        with progress.shown(f"destroying {name}") as follow:
            done = with_lock(stack, say, lambda: stack.destroy(on_output=show, on_event=follow, show_secrets=False))
    if spec.target == "local" and local.stop(local_settings(spec, root).folder):
        say("local Cloudflare stopped")
    return counts(done.summary)


def down_samples(root: Path) -> None:
    """Destroy the sample stacks that are up on the local Cloudflare."""
    state = state_folder(root) / "pulumi" / ".pulumi" / "stacks"
    for file in sorted(state.glob("*/*.json")):
        if (root / "examples" / f"{file.stem}.yaml").is_file() and not (root / "stacks" / file.name).is_file():
            with run_of(file.stem, root) as (spec, stack):
                resources = held(stack)
                if resources:
                    empty_buckets(resources, spec, root)
                    stack.destroy(on_output=show, show_secrets=False)


def loss_of_reset(root: Path) -> str:
    """What `local reset` wipes, by name."""
    states = (state_folder(root) / "pulumi" / ".pulumi" / "stacks").glob("*/*.json")
    names = sorted(file.stem for file in states)
    return f"this wipes the local Cloudflare in {STATE}/ with all its data, and the state of: {', '.join(names) or 'no stack'}"


def reset(root: Path) -> None:
    """Wipe what the local Cloudflare and Pulumi keep of local stacks. The toolchain stays.

    So does the passphrase: Pulumi.<stack>.yaml beside the stacks holds what it encrypts, and is not ours to change.
    """
    folders = ("local", "pulumi", "pulumi-home", "secrets")
    with progress.counted("wiping", len(folders)) as tell:
        tell(0)
        local.stop(state_folder(root) / "local")
        for count, folder in enumerate(folders, 1):
            shutil.rmtree(state_folder(root) / folder, ignore_errors=True)
            tell(count)


def _not_opened(error: auto.CommandError) -> UserError:
    """Before anything has run: Pulumi's own `error:` lines, which nobody has seen yet."""
    said = re.findall(r"error: (.*)", str(error))
    text = "\n  ".join(said) or "Pulumi cannot open the stack"
    if code_of(error) == AuthenticationError.exit_code:
        return AuthenticationError(f"{text}\n  fix: pulumi login, or set PULUMI_BACKEND_URL")
    return UserError(text)


def code_of(error: auto.CommandError) -> int:
    match = re.search(r"code: (-?\d+)", str(error))
    return int(match.group(1)) if match else 1


def show(line: str) -> None:
    for each in _filter.lines(line):
        output.write(each)


_filter = output.Filter()


def failed(error: auto.CommandError) -> UserError:
    """Its text is all output, which may hold anything and was shown already: only the code is used."""
    code = code_of(error)
    return RunFailed(code if code > 0 else 1)
