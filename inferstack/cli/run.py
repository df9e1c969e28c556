"""Commands that run stacks: `pulumi`'s own, by its names, and what talks to the Workers."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from inferstack.cli import printing
from inferstack.cli.app import RUN, command
from inferstack.cli.parameters import (
    DevStack,
    ExpectNoChanges,
    Format,
    Grep,
    LogLevel,
    PlanFormat,
    Stack,
    Url,
    Yes,
)
from inferstack.cli.projects import project
from inferstack.errors import CancelledError, ConfigError, UserError

ALLOW_LOSS = "This database, index, bucket, … of a protected stack may lose its data."
NO_COMMANDS = "Do not run the commands of `command:` secrets; what they give is not known then."


def changed(style: str, stack: str, changes: dict[str, int]) -> None:
    """For programs; people have seen Pulumi's own lines."""
    if style == "json":
        printing.emit(style, {"version": 1, "stack": stack, "changes": changes}, "")


@command(RUN, "up")
def up(
    stack: Stack,
    expect_no_changes: ExpectNoChanges = False,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Carry out a saved plan, or refuse.")] = None,
    allow_data_loss: Annotated[list[str] | None, typer.Option(metavar="NAME", help=ALLOW_LOSS)] = None,
    style: Format = "text",
) -> None:
    """Deploy a stack (pulumi up)."""
    from inferstack.change import deploy
    from inferstack.engine.runs import say

    printing.json_only(style)
    allowed = frozenset(allow_data_loss or ())
    changes = deploy.up(stack, project(), expect_no_changes=expect_no_changes, plan=plan, allowed=allowed)
    if set(changes) == {"same"}:  # with a change of the Worker, its rollout looks at this itself
        from inferstack.live.rollback import stays_away

        for line in stays_away(stack, project()):
            say(line)
    changed(style, stack, changes)


@command(RUN, "preview")
def preview(
    stack: Stack,
    expect_no_changes: ExpectNoChanges = False,
    save_plan: Annotated[Path | None, typer.Option(metavar="FILE", help="For `up --plan`.")] = None,
    no_commands: Annotated[bool, typer.Option("--no-commands", help=NO_COMMANDS)] = False,
    style: PlanFormat = "text",
) -> int:
    """Show what `up` would change (pulumi preview).

    Resources, code, data that would be lost, cost and findings.
    """
    from inferstack.change import deploy

    printing.json_only(style)
    plan = deploy.preview(
        stack, project(), expect_no_changes=expect_no_changes, style=style, save=save_plan, commands=not no_commands
    )
    return 1 if plan.refused else 0


@command(RUN, "dev")
def dev(
    stack: DevStack = "dev",
    companion: Annotated[
        str | None, typer.Option("--with", metavar="COMMAND", help="Run beside, such as 'npm run dev'; sees the stack.")
    ] = None,
    level: LogLevel = "debug",
    grep: Grep = None,
) -> None:
    """Bring a local stack up and follow its files.

    A save is live at once when it changes only code; what changes resources is Pulumi's. Errors stay until they are
    mended, and the code of before serves on. The Workers' requests, logs and exceptions scroll by.
    """
    from inferstack.live.dev.screen import Screen
    from inferstack.live.dev.session import Session
    from inferstack.live.logs import wanted

    Session(stack, project(), Screen(printing.findings_painted), wanted(level, grep), companion).run()


@command(RUN, "record")
def record(stack: DevStack = "dev", style: Format = "text") -> None:
    """Keep what models answer, to be replayed, until Ctrl-C.

    It asks the stack's text server, or the account of CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, which bills it.
    """
    from inferstack.live.recording import record as keep

    count = keep(stack, project())
    printing.emit(
        style, {"version": 1, "recorded": count}, f"{count} inferences recorded; replay: local: {{ replay: strict }}"
    )


@command(RUN, "refresh")
def refresh(stack: Stack, expect_no_changes: ExpectNoChanges = False, style: Format = "text") -> None:
    """Take what is really there into the state."""
    from inferstack.engine import runs

    printing.json_only(style)
    changed(style, stack, runs.refresh(stack, project(), expect_no_changes=expect_no_changes))


@command(RUN, "down")
def down(
    stack: Stack,
    samples: Annotated[bool, typer.Option("--samples", help="The sample stacks that are up, too.")] = False,
    yes: Yes = False,
    style: Format = "text",
) -> None:
    """Destroy a stack, and stop its local Cloudflare."""
    from inferstack.engine import runs

    printing.json_only(style)
    root = project()
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("`down` destroys the stack and its data\n  fix: say so with --yes")
        runs.say(runs.loss_of_down(stack, root))
        if input(f"Destroy stack `{stack}` and its data? Type its name: ") != stack:
            raise CancelledError("cancelled")
    if samples:
        runs.down_samples(root)
    changed(style, stack, runs.down(stack, root))


@command(RUN, "env")
def env(stack: Stack, style: Format = "text") -> None:
    """Print the environment of a stack's Pulumi runs, for eval."""
    from inferstack.config import load_stack
    from inferstack.engine.environment import run_environment

    root = project()
    found = run_environment(load_stack(stack, root), root)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in found.items()]
    printing.emit(style, {"version": 1, "stack": stack, "environment": found}, "\n".join(lines))


@command(RUN, "run")
def run(stack: Stack, words: Annotated[list[str], typer.Argument(metavar="COMMAND...")]) -> None:
    """Start a command that sees the stack, as wrangler does.

    Or Terraform, an SDK, your tests.

    What `env` prints, and on a local stack OPENAI_BASE_URL and OPENAI_API_KEY for Workers AI, and
    INFERSTACK_URL_NAME for each Worker. Write -- before a command with options of its own.
    """
    from inferstack.config import load_stack
    from inferstack.engine.addresses import client_environment

    root = project()
    found = client_environment(load_stack(stack, root), root)
    program = shutil.which(words[0], path=found["PATH"])
    if program is None:
        raise UserError(f"there is no command `{words[0]}`\n  fix: install it, or say where it lies: ./{words[0]}")
    sys.stdout.flush()
    os.execve(program, words, {**os.environ, **found})  # noqa: S606 - the user's own command, as a shell would start it


@command(RUN, "quickstart")
def quickstart(
    stack: Stack,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch real embeddings first, if that takes under a minute.")
    ] = False,
) -> None:
    """Bring a stack up, load a corpus, ask a question."""
    from inferstack.live import quickstart as live

    live.quickstart(stack, project(), fetch=fetch)


@command(RUN, "ask")
def ask(
    stack: Stack,
    question: Annotated[str, typer.Argument()],
    topic: Annotated[str | None, typer.Option(help="Only documents of this topic.")] = None,
    url: Url = None,
    style: Format = "text",
) -> None:
    """Ask the stack's RAG Worker; the answer is streamed."""
    from inferstack.live import rag

    events = rag.ask(stack, project(), question, topic, url)
    if style == "text":
        rag.print_answer(events)
        return
    answer, sources = [], list[object]()
    for event, data in events:
        if event == "token":
            answer.append(data)
        elif event == "sources":
            sources = data
        elif event == "error":
            raise UserError(str(data["message"]))
    printing.emit(style, {"version": 1, "stack": stack, "answer": "".join(answer), "sources": sources}, "")


@command(RUN, "load")
def load(
    stack: Stack,
    source: Annotated[Path, typer.Argument(metavar="FOLDER|FILE", help="Markdown files; of --index, vectors.")],
    index: Annotated[
        str | None, typer.Option("--index", metavar="NAME", help="Vectors into this index: a JSON object a line.")
    ] = None,
    url: Url = None,
    style: Format = "text",
) -> None:
    """Send Markdown documents to the stack's RAG Worker.

    Or vectors into an index. It ends when Vectorize shows what was sent.
    """
    from inferstack.live import rag, vectors

    printing.json_only(style)
    if index is not None:
        told = vectors.load(stack, project(), index, source)
        printing.emit(style, told, f"{told['sent']:,} vectors loaded; {told['index']} has {told['vectors']:,}")
        return
    count = rag.load(stack, project(), source, url)
    printing.emit(style, {"version": 1, "stack": stack, "documents": count}, f"{count} documents loaded")


@command(RUN, "seed")
def seed(
    stack: Stack,
    namespace: Annotated[str, typer.Argument(help="A key of `namespaces:`.")],
    file: Annotated[Path, typer.Argument(help="JSON, or JSON lines (.jsonl).")],
    style: Format = "text",
) -> None:
    """Load a large file of keys and values into a KV namespace.

    It may hold an object, a list as wrangler's `kv bulk put` takes it, or one entry a line. A small one that belongs to the
    stack stands as `seed:` in its file.
    """
    from inferstack.live import seeding

    def follow(done: int, of: int) -> None:
        print(f"{done:,} of {of:,} written", file=sys.stderr)

    count = seeding.seed(stack, project(), namespace, file, follow)
    told = {"version": 1, "stack": stack, "namespace": namespace, "pairs": count}
    printing.emit(style, told, f"{count:,} pairs are in `{namespace}`")


@command(RUN, "setup")
def setup(
    deploy_only: Annotated[
        bool, typer.Option("--deploy-only", help="Leave out what only the local Cloudflare needs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what takes long or goes wrong.")] = False,
    style: Format = "text",
) -> None:
    """Make the Pulumi CLI and the Workers runtime ready.

    Once for all projects of this user; a second run takes a moment.
    """
    from inferstack.toolchain.setup import setup as make_ready

    found = make_ready(deploy_only=deploy_only, quiet=quiet or style == "json")
    if style == "json":
        origin = {"pulumi": found.pulumi, "pulumi_from": found.pulumi_from, "provider": found.provider}
        printing.emit(style, {"version": 1, **origin}, "")


@command(RUN, "doctor")
def doctor(style: Format = "text") -> int:
    """Tell what is missing, and the fix for each."""
    from inferstack.cli.projects import project_if_any
    from inferstack.engine.speakers import examine as text_servers
    from inferstack.toolchain import doctor as examine

    found = [*examine.examine(project_if_any()), *text_servers(project_if_any())]
    told = examine.as_json(found)
    printing.emit(style, told, examine.as_text(found))
    return 0 if told["ok"] else 1
