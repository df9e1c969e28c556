"""Commands around an environment that matters: releases and ways back, data, environments for a while."""

from typing import Annotated, Literal

import typer

from inferstack.cli import printing
from inferstack.cli.app import RELEASE, command, commands_of
from inferstack.cli.parameters import Format, OtherStack, Stack, Url, Worker, Yes
from inferstack.cli.projects import project
from inferstack.cli.run import changed
from inferstack.errors import ConfigError

Source = Annotated[str, typer.Option("--from", metavar="STACK", help="What it is like.")]


@command(RELEASE, "rollback")
def rollback(
    stack: Stack,
    worker: Worker = None,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Its id (`inferstack history`).")] = None,
    style: Format = "text",
) -> None:
    """Send all traffic to the version before, at once.

    Data is not rolled back. Without WORKER: what the last `up` deployed.
    """
    from inferstack.live.rollback import rollback as go_back

    moved = go_back(stack, project(), worker, to)
    workers = [each.plain() for each in moved]
    printing.emit(style, {"version": 1, "stack": stack, "workers": workers}, "\n".join(each.text for each in moved))


@command(RELEASE, "promote")
def promote(
    source: OtherStack,
    target: OtherStack,
    allow_difference: Annotated[list[str] | None, typer.Option(metavar="WORKER", help="Do not compare it.")] = None,
    style: Format = "text",
) -> None:
    """Deploy TARGET with the very code that SOURCE runs.

    Such as staging's to prod; refused when the code would differ.
    """
    from inferstack.live.promote import promote as deploy

    printing.json_only(style)
    changed(style, target, deploy(source, target, project(), allow_difference or []))


@command(RELEASE, "adopt")
def adopt(stack: Stack, yes: Yes = False, style: Format = "text") -> None:
    """Take what the account has already into the state.

    What has this stack's names, untouched.
    """
    from inferstack.change.adopt import adopt as take

    printing.json_only(style)
    count = take(stack, project(), yes=yes)
    if style == "json":
        printing.emit(style, {"version": 1, "stack": stack, "adopted": count}, "")


@command(RELEASE, "reindex")
def reindex(
    stack: Stack,
    index: Annotated[str, typer.Argument(help="Its key in the stack file.")],
    model: Annotated[
        str | None, typer.Option(metavar="ALIAS", help="The new embedding model, declared under `models:`.")
    ] = None,
    hold: Annotated[str, typer.Option(metavar="TIME", help="Keep the old index so long.")] = "24h",
    retire: Annotated[bool, typer.Option("--retire", help="Delete the old index now, whatever the hold.")] = False,
    url: Url = None,
    style: Format = "text",
) -> None:
    """Give an index another embedding model, live.

    The new one is filled beside the old one, which answers until then.
    """
    from inferstack.live.reindex import reindex as move

    printing.json_only(style)
    text = move(stack, project(), index, model, hold=hold, retire=retire, url=url)
    printing.emit(style, {"version": 1, "stack": stack, "index": index, "text": text}, text)


@command(RELEASE, "database")
def database(
    stack: Stack,
    name: Annotated[str, typer.Argument(metavar="DATABASE", help="Its key in the stack file.")],
    action: Annotated[Literal["dry-run", "bookmark", "restore", "new"] | None, typer.Argument()] = None,
    migration: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of the new migration.")] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="BOOKMARK", help="Of restore: a bookmark, or a time such as 2026-06-01T12:00:00Z."),
    ] = None,
    join: Annotated[
        bool, typer.Option("--squash", help="Of new: one file in place of all that no stack's database has had.")
    ] = False,
    style: Format = "text",
) -> None:
    """Try migrations on a copy; mark a database; bring it back.

    `new` writes the next migration; `database new NAME` does where the project has one folder of them.
    """
    from inferstack.author.migrations_new import new_migration
    from inferstack.config import stack_names
    from inferstack.live import databases
    from inferstack.live.squash import squash

    root = project()
    write = squash if join else new_migration
    if action is None and stack == "new" and stack not in stack_names(root):
        text = write(root, name)
    elif action == "new" and migration:
        text = write(root, migration, stack, name)
    elif join:
        raise ConfigError("`--squash` is of `new`\n  fix: inferstack database STACK DATABASE new NAME --squash")
    elif action in (None, "new") or migration:
        raise ConfigError("this lacks a word\n  fix: inferstack database STACK DATABASE dry-run, or … new NAME")
    elif action == "restore":
        if not to:
            raise ConfigError("`restore` needs --to\n  fix: a bookmark, or a time such as 2026-06-01T12:00:00Z")
        text = databases.restore(stack, root, name, to)
    else:
        text = {"dry-run": databases.dry_run, "bookmark": databases.bookmark}[str(action)](stack, root, name)
    told = {"version": 1, "stack": stack, "database": name, "action": action or "new", "text": text}
    printing.emit(style, told, text)


ephemeral = commands_of(RELEASE, "ephemeral", "Environments for a while, as for a pull request.")
EphemeralName = Annotated[str, typer.Argument(help="Such as pr-123.")]


@command(RELEASE, "up", to=ephemeral)
def ephemeral_up(
    name: EphemeralName,
    source: Source = "dev",
    ttl: Annotated[str, typer.Option(metavar="TIME", help="When `prune` may destroy it.")] = "72h",
    style: Format = "text",
) -> None:
    """Make it, or bring it up to date."""
    from inferstack.live import ephemeral as live

    printing.json_only(style)
    end = live.up(name, source, ttl, project())
    printing.emit(style, {"version": 1, "stack": name, "expires": end}, f"{name} is up until {end}")


@command(RELEASE, "down", to=ephemeral)
def ephemeral_down(name: EphemeralName, source: Source = "dev", style: Format = "text") -> None:
    """Destroy it and all its data."""
    from inferstack.live import ephemeral as live

    printing.json_only(style)
    live.down(name, source, project())
    if style == "json":
        printing.emit(style, {"version": 1, "destroyed": [name]}, "")


@command(RELEASE, "list", to=ephemeral)
def ephemeral_list(source: Source = "dev", style: Format = "text") -> None:
    """List them, with when they end."""
    from inferstack.live import ephemeral as live

    print(live.as_text(live.listing(source, project()), style))


@command(RELEASE, "prune", to=ephemeral)
def ephemeral_prune(source: Source = "dev", style: Format = "text") -> None:
    """Destroy those whose time is over."""
    from inferstack.live import ephemeral as live

    printing.json_only(style)
    ended = live.prune(source, project())
    printing.emit(style, {"version": 1, "destroyed": ended}, "\n".join(ended) or "none has ended")
