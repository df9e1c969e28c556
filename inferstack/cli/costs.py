"""`inferstack cost`: what a stack would cost, beside another, with another model, and beside what was used."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inferstack.cli.app import LOOK, command
from inferstack.cli.parameters import CostFormat, Stack
from inferstack.cli.projects import project
from inferstack.errors import ConfigError

if TYPE_CHECKING:
    from inferstack.cost.budget import Breach


@command(LOOK, "cost")
def cost(
    stack: Stack,
    compare: Annotated[str | None, typer.Option(metavar="STACK", help="Show a second stack beside it.")] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option("--what-if", metavar="ROLE=MODEL", help="The same stack with another model, beside it."),
    ] = None,
    actual: Annotated[bool, typer.Option("--actual", help="What models did cost, by the logs.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="With --actual: 7d, 24h, or a day.")] = None,
    usage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --actual: lines of `logs --format json`.")
    ] = None,
    style: CostFormat = "table",
) -> int:
    """Estimate what a stack costs a month.

    From the figures under `expect`; ends with 2 when that breaks the budget. With --actual beside what was used.
    """
    if actual:
        return _actual(stack, since or "7d", usage, style, alone=not (compare or what_if))
    if since or usage:
        raise ConfigError("`--since` and `--usage` say which logs are read\n  fix: add `--actual`")
    from inferstack.config import load_stack
    from inferstack.cost.budget import breach_of
    from inferstack.cost.cost_formats import show
    from inferstack.cost.cost_page import page
    from inferstack.cost.estimate import estimate
    from inferstack.cost.what_if import what_if as changed

    root = project()
    specs = {name: load_stack(name, root) for name in [stack, *([compare] if compare else [])]}
    other = specs[stack]
    for change in what_if or []:
        other = changed(other, change)
    if what_if:
        specs[f"{stack} with {', '.join(what_if)}"] = other
    estimates = [estimate(name, spec) for name, spec in specs.items()]
    breaches = {name: found for name, spec in specs.items() if (found := breach_of(name, spec))}
    if style == "html":
        print(page(estimates, [f"{name}: {found.problem}" for name, found in breaches.items()]))
    else:
        print(show(estimates, style))
    return _told(breaches)


def _actual(stack: str, since: str, usage: Path | None, style: str, *, alone: bool) -> int:
    from inferstack.config import load_stack
    from inferstack.cost.usage_formats import show_usage
    from inferstack.live.usage_logs import read_usage

    if not alone:
        raise ConfigError("`--actual` stands alone\n  fix: leave out `--compare` and `--what-if`")
    root = project()
    print(show_usage(load_stack(stack, root), read_usage(stack, root, since, usage), style))
    return 0


def _told(breaches: "dict[str, Breach]") -> int:
    for name, breach in breaches.items():
        print(f"{breach.severity}: {name}: {breach.problem}\n  fix: {breach.fix}", file=sys.stderr)
    return ConfigError.exit_code if any(breach.severity == "error" for breach in breaches.values()) else 0
