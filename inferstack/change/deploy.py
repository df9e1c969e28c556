"""`inferstack up` and `inferstack preview`: what would change, judged before it does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent

from inferstack.author.check import check
from inferstack.change.instances import find_running
from inferstack.change.plan import Collector, Plan
from inferstack.change.plan_formats import as_text
from inferstack.change.plan_formats import show as show_plan
from inferstack.config import StackSpec, load_stack
from inferstack.engine import notes, output, progress, saved_plans
from inferstack.engine.addresses import addresses_of
from inferstack.engine.locks import with_lock
from inferstack.engine.runs import counts, run_of, say, show
from inferstack.errors import ConfigError, UserError
from inferstack.resources.context import UNPROTECT
from inferstack.resources.secret_sources import NO_COMMANDS


def up(
    name: str,
    root: Path,
    *,
    expect_no_changes: bool = False,
    plan: Path | None = None,
    allowed: frozenset[str] = frozenset(),
    refresh: bool = False,
) -> dict[str, int]:
    """Deploy; returns the number of resources per operation.

    `plan` is a saved one, carried out as it is or not at all. `allowed` names what may lose its data. `refresh` looks at
    the account first.
    """
    _keep_budget(name, load_stack(name, root))
    with (
        run_of(name, root, {UNPROTECT: ",".join(sorted(allowed))}) as (spec, stack),
        _unpacked(plan, spec, stack) as inner,
    ):
        _finish_interrupted(stack)
        if spec.protected:
            _refuse_losses(spec, root, stack, allowed)
        with progress.shown(f"updating {name}") as follow:
            result = with_lock(
                stack,
                say,
                lambda: stack.up(
                    on_output=show,
                    on_event=follow,
                    show_secrets=False,
                    expect_no_changes=expect_no_changes or None,
                    plan=inner,
                    refresh=refresh or None,
                ),
            )
    for key, address in addresses_of(spec, root).items():
        say(f"{key}: {address}")
    done = counts(result.summary)
    if spec.target == "local":
        say(f"console: {notes.console_link(spec, root)}")
        notes.leave(spec, root, "up", ", ".join(f"{count} {operation}" for operation, count in done.items()))
    return done


def _keep_budget(name: str, spec: StackSpec) -> None:
    """Nothing comes up that costs more than it may, or nobody knows what. A local stack costs nothing."""
    if spec.target == "local" or spec.budget is None:
        return
    from inferstack.cost.budget import breach_of  # with the catalogue's prices, which a local run does not need

    breach = breach_of(name, spec)
    if breach is not None and breach.severity == "error":
        fix = f"{breach.fix}; `policies.severity.budget: warning` lets it pass"
        raise ConfigError(f"nothing was changed: {breach.problem}\n  fix: {fix}")


@contextmanager
def _unpacked(plan: Path | None, spec: StackSpec, stack: auto.Stack) -> Iterator[str | None]:
    """Pulumi's own part of a saved plan, while it is carried out."""
    if plan is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / "plan.json"
        saved_plans.refuse_if_moved(stack, plan, saved_plans.unpack(plan, stack.name, spec, inner))
        yield str(inner)


def _refuse_losses(spec: StackSpec, root: Path, stack: auto.Stack, allowed: frozenset[str]) -> None:
    """Before anything is changed. What is named is released in the state, where a deletion looks."""
    plan = _look_ahead(spec, stack, allowed, print_output=False)
    if plan.refused:
        find_running(plan, spec, root)
        raise UserError(as_text(plan))
    lost = {change.urn for change in plan.losses}
    if lost:
        state = stack.export_stack()
        for resource in (state.deployment or {}).get("resources") or []:
            if resource["urn"] in lost:
                resource["protect"] = resource["retainOnDelete"] = False
        stack.import_stack(state)


def _look_ahead(
    spec: StackSpec, stack: auto.Stack, allowed: frozenset[str], *, print_output: bool, **options: Any
) -> Plan:
    """Raises `CommandError` when the preview fails for more than what is protected."""
    collector, said = Collector(), list[str]()
    judged = output.Filter(only_judged=True)  # the plan has the steps, better to read

    def tell(line: str) -> None:
        shown = judged.lines(line) if print_output else []
        for each in shown:
            output.write(each)
        if not shown:
            said.append(line)

    # Protected things refuse their replacement even in a preview; here a person wants to see all of it.
    environment = dict(stack.workspace.env_vars)
    stack.workspace.env_vars = {**environment, UNPROTECT: "*"}
    try:
        with progress.shown(f"previewing {stack.name}") as follow:

            def listen(event: EngineEvent) -> None:
                collector(event)
                follow(event)

            stack.preview(on_output=tell, on_event=listen, **options)
    except auto.CommandError:
        if not collector.only_protected:
            for line in said:  # what has not been shown
                show(line)
            raise
    finally:
        stack.workspace.env_vars = environment
    plan = Plan(stack.name, spec.protected, allowed=allowed)
    collector.fill(plan)
    return plan


def preview(
    name: str,
    root: Path,
    *,
    expect_no_changes: bool = False,
    style: str = "text",
    save: Path | None = None,
    commands: bool = True,
) -> Plan:
    """Shows the plan. Raises `RunFailed` like Pulumi's own preview.

    Without `commands`, secrets that come from a command are not known: a stack file of a stranger runs nothing.
    """
    if save is not None and (save.is_dir() or not save.resolve().parent.is_dir()):
        raise ConfigError(f"a plan cannot be saved as {save}\n  fix: name a file in a folder that is there")
    with run_of(name, root, {} if commands else {NO_COMMANDS: "1"}) as (spec, stack):
        options = {"expect_no_changes": expect_no_changes or None}
        plan = _look_ahead(spec, stack, frozenset(), print_output=style == "text", **options)
        if spec.expect.model_fields_set:
            from inferstack.cost.estimate import monthly

            before = stack.outputs().get("usd_a_month")
            plan.cost = (before.value if before else {}, monthly(name, spec))
        find_running(plan, spec, root)
        plan.findings = json.loads(check([name], root).show("json"))
        if save is not None and not plan.refused:
            _save(spec, stack, save)
    print(show_plan(plan, style), flush=True)
    notes.leave(spec, root, "preview", f"of {name}", show_plan(plan, "text"))
    return plan


def _save(spec: StackSpec, stack: auto.Stack, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / "plan.json"
        stack.preview(plan=str(inner))
        saved_plans.save(file, stack.name, spec, stack.export_stack().deployment or {}, inner)
    say(f"plan saved; carry it out with: inferstack up {stack.name} --plan {file}")


def _finish_interrupted(stack: auto.Stack) -> None:
    """A killed run leaves operations that nobody knows the end of; creates here can be repeated, so they are cleared."""
    deployment = stack.export_stack().deployment or {}
    if deployment.get("pending_operations"):
        say("the last run was interrupted; looking at what it left")
        with_lock(stack, say, lambda: stack.refresh(on_output=show, clear_pending_creates=True))
