"""Commands that look, and change nothing."""

import json
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer

from inferstack.cli import printing
from inferstack.cli.app import LOOK, command, commands_of
from inferstack.cli.parameters import Format, Grep, LogLevel, ModelName, PlannedStack, Stack, TableFormat, Worker
from inferstack.cli.projects import project
from inferstack.errors import ConfigError


@command(LOOK, "status")
def status(stack: Stack, style: Format = "text") -> None:
    """Tell what is live: versions, traffic, since when."""
    from inferstack.live.status import status as live

    print(live(stack, project(), style))


@command(LOOK, "history")
def history(stack: Stack, worker: Worker = None, style: Format = "text") -> None:
    """List deployments and updates, newest first."""
    from inferstack.live.status import history as live

    print(live(stack, project(), worker, style))


@command(LOOK, "prompts")
def prompts(
    stack: Stack,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One, with all that was live.")] = None,
    style: Format = "text",
) -> None:
    """Tell which version of each prompt is live.

    With NAME: each version that was live, and what it changed.
    """
    from inferstack.live.prompt_versions import as_text
    from inferstack.live.prompt_versions import prompts as known

    found = known(stack, project(), name)
    printing.emit(style, found, as_text(found))


@command(LOOK, "logs")
def logs(
    stack: Stack,
    workers: Annotated[list[str] | None, typer.Argument(metavar="WORKER...", help="Some alone; else all.")] = None,
    level: LogLevel = "debug",
    grep: Grep = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="What was, such as 15m or 24h; then it ends.")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on after --since.")] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help="End after so long.")
    ] = None,
    style: Format = "text",
) -> None:
    """Follow what the Workers do: requests, logs, exceptions.

    Live, here and on Cloudflare, until Ctrl-C; or what was kept of the time before (--since). With --format json one
    object a line.
    """
    from inferstack.config import parse_seconds
    from inferstack.live import logs as live
    from inferstack.live.past import past

    wanted = live.wanted(level, grep)
    places: dict[str, int] = {}
    asked = (stack, project(), workers or [], wanted)
    before = past(*asked, parse_seconds(since)) if since else iter(())
    with suppress(KeyboardInterrupt):
        for worker, event in chain(before, live.follow(*asked, seconds) if follow or not since else ()):
            document = {"version": 1, "worker": worker, "event": event}
            line = (
                json.dumps(document)
                if style == "json"
                else live.shown(worker, event, places.setdefault(worker, len(places)))
            )
            print(line, flush=True)


@command(LOOK, "top")
def top(
    stack: Stack,
    workers: Annotated[list[str] | None, typer.Argument(metavar="WORKER...", help="Some alone; else all.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="The time that each look goes back.")] = "5m",
    once: Annotated[bool, typer.Option("--once", help="Look once and end; so it is without a terminal.")] = False,
    style: Format = "text",
) -> None:
    """Show requests, errors, latency, tokens and USD live.

    By the minute, of each Worker and model, until Ctrl-C.
    """
    from inferstack.cli.redrawn import watched
    from inferstack.config import parse_seconds
    from inferstack.live.telemetry import Telemetry
    from inferstack.live.top import figures

    telemetry, seconds = Telemetry(stack, project(), workers or []), parse_seconds(since)
    if style == "json":
        print(json.dumps(figures(telemetry, seconds).document()))
    else:
        watched(lambda: figures(telemetry, seconds).tables(), once=once)


@command(LOOK, "console")
def console(
    stack: Annotated[str | None, typer.Argument(help="A local stack; else the first account's.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    style: Format = "text",
) -> None:
    """Tell a link to the local Cloudflare's pages.

    Requests, data, playground, faults. It is good once.
    """
    from inferstack.live.console import link_of

    url = link_of(stack, project())
    if show:
        typer.launch(url)
    printing.emit(style, {"version": 1, "url": url}, url)


@command(LOOK, "graph")
def graph(
    stack: Stack,
    style: Annotated[Literal["svg", "mermaid", "dot"], typer.Option("--format", help="Of the picture.")] = "mermaid",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there.")] = None,
) -> None:
    """Draw what a stack declares.

    Workers, what they bind, models and the ways to them.
    """
    from inferstack import picture
    from inferstack.author.graph import picture_of
    from inferstack.config import load_stack

    drawn = picture_of(load_stack(stack, project()))
    text = {"svg": picture.as_svg, "mermaid": picture.as_mermaid, "dot": picture.as_dot}[style](drawn)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text)


@command(LOOK, "drift")
def drift(
    stack: Stack,
    fix: Annotated[bool, typer.Option("--fix", help="Put the account back to what the stack says.")] = False,
    style: Format = "text",
) -> int:
    """Compare the account with the state; 7 when they differ."""
    from inferstack.change.drift import drift as change

    return change(stack, project(), style, fix=fix)


@command(LOOK, "models")
def models(
    name: ModelName = None,
    of: PlannedStack = None,
    task: Annotated[str | None, typer.Option(help="Such as text-generation, embeddings, speech.")] = None,
    dimensions: Annotated[int | None, typer.Option(min=1, help="Length of the embedding vectors.")] = None,
    max_price: Annotated[float | None, typer.Option(min=0, metavar="USD", help="For a million input tokens.")] = None,
    min_context: Annotated[
        int | None, typer.Option(min=0, metavar="TOKENS", help="Context window of at least this.")
    ] = None,
    json_mode: Annotated[bool, typer.Option("--json-mode", help="Takes a JSON schema.")] = False,
    tools: Annotated[bool, typer.Option("--tools", help="Calls functions.")] = False,
    streaming: Annotated[bool, typer.Option("--streaming", help="Streams its answer.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Has the asynchronous batch API.")] = False,
    vision: Annotated[bool, typer.Option("--vision", help="Reads images.")] = False,
    removed: Annotated[bool, typer.Option("--removed", help="List removed models too.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="With `plan`: write the new names into the stack.")] = False,
    style: TableFormat = "table",
) -> None:
    """List the catalogue's models, or show one.

    `refresh` in place of a name compares with the account's live list; `plan STACK` tells which models of a stack go, when,
    and what stands in for them.
    """
    from inferstack.author import model_list

    if (name == "plan") != (of is not None) or (fix and name != "plan"):
        raise ConfigError("`plan` takes a stack, and only it does\n  fix: inferstack models plan STACK [--fix]")
    if name == "plan" and of:
        _plan(of, style, fix=fix)
    elif name == "refresh":
        from inferstack.author.models_refresh import refresh

        print(refresh())
    elif name:
        print(model_list.details(name, style))
    else:
        wanted = model_list.Filter(
            task=task,
            dimensions=dimensions,
            max_price=max_price,
            min_context=min_context,
            json_mode=json_mode,
            tools=tools,
            streaming=streaming,
            batch=batch,
            vision=vision,
            removed=removed,
        )
        print(model_list.listing(wanted, style))


def _plan(stack: str, style: str, *, fix: bool) -> None:
    from inferstack.author.models_fix import fix_models
    from inferstack.author.models_plan import plan, show_plan

    steps = plan(stack, project())
    lines = fix_models(stack, project(), steps) if fix else []
    if not fix or style == "json":
        print(show_plan(stack, steps, style))
    elif not lines:
        print(f"{stack}: nothing to write\n{show_plan(stack, steps, style)}")
    for line in lines if style != "json" else ():
        print(line)


@command(LOOK, "permissions")
def permissions(
    stack: Stack,
    read_only: Annotated[bool, typer.Option("--read-only", help="To look at it: previews, drift.")] = False,
    style: Format = "text",
) -> None:
    """Tell the least that an API token needs for a stack."""
    from inferstack.author.permissions import permissions as needed

    print(needed(stack, project(), style, read_only=read_only))


secrets = commands_of(LOOK, "secrets", "Where secrets are missing; no value is shown.")


@command(LOOK, "check", to=secrets)
def secrets_check(stack: Stack, style: Format = "text") -> int:
    """Say which secret is missing where."""
    from inferstack.live.secrets import check

    text, complete = check(stack, project(), style)
    print(text)
    return 0 if complete else ConfigError.exit_code
