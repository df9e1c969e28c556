"""`inferstack local`: the local Cloudflare alone."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from inferstack.cli import printing
from inferstack.cli.app import LOCAL, Commands, app, command, group
from inferstack.cli.parameters import Format, Yes
from inferstack.cli.projects import project
from inferstack.errors import CancelledError

local = group("The local Cloudflare alone; its faults and copies.")
fault = group("Faults that requests, inferences and bindings meet.")
snapshot = group("The local Cloudflare with the state of its stacks, as it was at a moment.")
app.add_typer(
    local, name="local", rich_help_panel=LOCAL, cls=Commands, invoke_without_command=True, no_args_is_help=False
)
local.add_typer(fault, name="fault", invoke_without_command=True, no_args_is_help=False)
local.add_typer(snapshot, name="snapshot", invoke_without_command=True, no_args_is_help=False)

Port = Annotated[int | None, typer.Option("--port", help="Port of the Workers (0: any free one).")]
ApiPort = Annotated[int | None, typer.Option("--api-port", help="Port of the v4 API (0: any free one).")]
TextServer = Annotated[
    str | None,
    typer.Option("--text-server", metavar="URL", help="An OpenAI-compatible server here that generates text."),
]


def folder() -> Path:
    return project() / ".inferstack" / "local"


@local.callback()
def _default(ctx: typer.Context, port: Port = None, api_port: ApiPort = None, text_server: TextServer = None) -> int:
    return 0 if ctx.invoked_subcommand else run(port, api_port, text_server)


@command(LOCAL, "run", to=local)
def run(port: Port = None, api_port: ApiPort = None, text_server: TextServer = None) -> int:
    """Run it in the foreground; `inferstack local` alone does the same."""
    from inferstack.local.foreground import main as serve

    options = ["--port", str(port)] if port is not None else []
    options += ["--api-port", str(api_port)] if api_port is not None else []
    options += ["--text-server", text_server] if text_server else []
    return serve(["--state", str(folder()), *options])


@command(LOCAL, "stop", to=local)
def stop(style: Format = "text") -> None:
    """Stop it; its state stays."""
    from inferstack import local as cloudflare

    stopped = cloudflare.stop(folder())
    printing.emit(style, {"version": 1, "stopped": stopped}, "stopped" if stopped else "not running")


@command(LOCAL, "status", to=local)
def status(style: Format = "text") -> int:
    """Tell whether it runs and its Workers answer."""
    from inferstack import local as cloudflare

    running = cloudflare.find(folder())
    if running is None:
        printing.emit(style, {"version": 1, "running": False}, "not running")
        return 1
    answers, trouble = cloudflare.workers_trouble(folder(), running)
    silent = "" if answers else " DO NOT ANSWER"
    lines = [f"running: API {running.base_url}, Workers on port {running.port}{silent}"]
    ports = cloudflare.worker_ports(folder())
    lines += [f"{key.partition('/')[2]}: http://127.0.0.1:{port}" for key, port in ports.items()]
    told = cloudflare.speakers(folder(), running)
    for each in told:
        lines.append(f"{each['task']} by {each['engine']}{': ' if each['about'] else ''}{each['about']}")
        lines += [f"  {each['error']}"] if each.get("error") else []
    lines += [f"last trouble of the Workers: {trouble}"] if trouble else []
    places = {"api": running.base_url, "port": running.port, "workers_answer": answers, "trouble": trouble or None}
    places |= {"ports": ports, "answers": told}
    printing.emit(style, {"version": 1, "running": True, **places}, "\n".join(lines))
    return 0 if answers else 1


@command(LOCAL, "traces", to=local)
def traces(
    do: Annotated[Literal["on", "off", "clear"], typer.Argument(help="`clear` forgets those that were kept.")],
    style: Format = "text",
) -> None:
    """Whether Workers leave traces; they cost an invocation a tenth of a millisecond."""
    from inferstack.live import tracing

    tracing.switch(folder(), do)
    said = "the traces are gone" if do == "clear" else f"traces are {do} from the next request on"
    printing.done(style, said)


@command(LOCAL, "mails", to=local)
def mails(clear: Annotated[bool, typer.Option("--clear", help="Forget them.")] = False, style: Format = "text") -> None:
    """List what Workers sent by mail; nothing left this machine."""
    from inferstack.live import mails as kept

    found = kept.sent(folder(), clear=clear)
    printing.emit(style, {"version": 1, "mails": found}, kept.text(found) or "no mails")


@command(LOCAL, "reset", to=local)
def reset(yes: Yes = False, style: Format = "text") -> None:
    """Wipe it, and the state of its stacks."""
    from inferstack.engine import runs

    root = project()
    runs.say(runs.loss_of_reset(root))
    if sys.stdin.isatty() and not yes and input("Wipe it? Type `reset`: ") != "reset":
        raise CancelledError("cancelled")
    runs.reset(root)
    printing.done(style, "the state of the local Cloudflare and of its stacks is wiped")


@fault.callback()
def _list_by_default(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        fault_list()


@command("What it meets", "add", to=fault)
def fault_add(
    path: Annotated[
        str | None, typer.Option(help="Regular expression, searched in the path of an API request.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Only of this method.")] = None,
    each: Annotated[bool, typer.Option("--each", help="Once for each method and path.")] = False,
    model: Annotated[str | None, typer.Option(help="Inferences of this model, * for all.")] = None,
    product: Annotated[
        str | None, typer.Option(help="Calls of a binding: ai, d1, vectorize, kv_namespace, r2_bucket, queue.")
    ] = None,
    status: Annotated[int | None, typer.Option(help="Answer with this HTTP status.")] = None,
    code: Annotated[int | None, typer.Option(help="And with this code of Cloudflare's.")] = None,
    delay_ms: Annotated[float | None, typer.Option(help="Wait before.")] = None,
    lag_ms: Annotated[float | None, typer.Option(help="Of vectorize: until a change is visible.")] = None,
    reset: Annotated[
        Literal["before", "after"] | None,
        typer.Option(help="Break the connection, with the request undone or done."),
    ] = None,
    token_ms: Annotated[float | None, typer.Option(help="Of a model: wait before each piece of a stream.")] = None,
    break_after: Annotated[int | None, typer.Option(metavar="PIECES", help="Of a model: break its stream.")] = None,
    answer: Annotated[str | None, typer.Option(metavar="TEXT", help="Of a text model: what it says instead.")] = None,
    share: Annotated[float | None, typer.Option(help="Only so many of the requests, 0 to 1.")] = None,
    seed: Annotated[int | None, typer.Option(help="For the share, so that a run can be repeated.")] = None,
    skip: Annotated[int | None, typer.Option(help="Leave the first ones alone.")] = None,
    times: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    seconds: Annotated[float | None, typer.Option(help="For so long.")] = None,
    file: Annotated[Path | None, typer.Option(help="A YAML file with one fault or a list of them.")] = None,
    style: Format = "text",
) -> None:
    """Plan a fault: what it meets, what happens to it, and how often."""
    from inferstack.live import faults

    fields = {name: value for name, value in locals().items() if name not in ("file", "style", "faults")}
    given = {name: value for name, value in fields.items() if value is not None and value is not False}
    count = faults.add(folder(), given, file)
    printing.emit(style, {"version": 1, "planned": count}, f"{count} planned")


@command("What it meets", "list", to=fault)
def fault_list(style: Format = "text") -> None:
    """List the faults that are planned."""
    from inferstack.live import faults

    found = faults.planned(folder())
    text = "\n".join(json.dumps(each) for each in found) or "no faults are planned"
    printing.emit(style, {"version": 1, "faults": found}, text)


@command("What it meets", "clear", to=fault)
def fault_clear(style: Format = "text") -> None:
    """Plan none any more."""
    from inferstack.live import faults

    faults.clear(folder())
    printing.done(style, "cleared")


@snapshot.callback()
def _snapshots_by_default(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        snapshot_list()


@command("Copies", "save", to=snapshot)
def snapshot_save(name: str, style: Format = "text") -> None:
    """Keep a copy; the Cloudflare stops for a moment."""
    from inferstack.engine import snapshots

    printing.done(style, snapshots.save(folder(), name), name=name)


@command("Copies", "load", to=snapshot)
def snapshot_load(name: str, style: Format = "text") -> None:
    """Go back to a copy."""
    from inferstack.engine import snapshots

    printing.done(style, snapshots.load(folder(), name), name=name)


@command("Copies", "list", to=snapshot)
def snapshot_list(style: Format = "text") -> None:
    """List the copies."""
    from inferstack.engine import snapshots

    found = snapshots.names(folder())
    printing.emit(style, {"version": 1, "snapshots": found}, "\n".join(found) or "no snapshots")
