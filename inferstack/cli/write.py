"""Commands that write projects, stack files and what is made from them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from inferstack.cli import printing
from inferstack.cli.app import WRITE, command, commands_of
from inferstack.cli.parameters import AnyStack, CheckFormat, Format, OtherStack, Out, Stack, TemplateName, Worker
from inferstack.cli.projects import project
from inferstack.errors import ConfigError

Kind = Literal["stack", "worker", "index", "database", "gateway", "queue", "bucket", "namespace"]
Target = Literal["local", "cloudflare"]


@command(WRITE, "init")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to (default: here).")] = Path(),
    template: TemplateName = None,
    style: Format = "text",
) -> None:
    """Make a new project, whole in itself and fit for git."""
    from inferstack.author import new_project

    if template is None and sys.stdin.isatty():
        template = input(f"Template of the first Worker ({', '.join(new_project.templates())})? [rag] ").strip()
    text = new_project.create(Path.cwd() / folder, template or "rag", folder)
    printing.done(style, text, written=[folder])


@command(WRITE, "add")
def add(
    kind: Annotated[Kind, typer.Argument()],
    name: Annotated[str, typer.Argument()],
    target: Annotated[Target | None, typer.Option(help="Of a stack: where it goes; asked for on a terminal.")] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Of a stack: the account (else CLOUDFLARE_ACCOUNT_ID).")
    ] = None,
    extends: Annotated[
        str | None, typer.Option(metavar="FILE", help="Of a stack: what it builds on (else base.yaml, if there).")
    ] = None,
    stack: Annotated[str, typer.Option(help="The file: stacks/STACK.yaml.")] = "base",
    template: TemplateName = None,
    source: Annotated[str | None, typer.Option(help="Of a Worker: code of your own.")] = None,
    style: Format = "text",
) -> None:
    """Add a stack, or a Worker, index, … to a stack file."""
    from inferstack.author import add as author
    from inferstack.author import scaffold

    root = project()
    if kind != "stack":
        added = author.add(kind, name, stack, root, template, source)
        file = f"stacks/{stack}.yaml"
        printing.done(style, f"{file}: added {', '.join(added)}", written=[file], added=added)
        return
    if target is None and sys.stdin.isatty():
        answer = input("Where does it go, local or cloudflare? [local] ").strip() or "local"
        if answer not in ("local", "cloudflare"):
            raise ConfigError(f"there is no target `{answer}`\n  fix: one of: local, cloudflare")
        target = "cloudflare" if answer == "cloudflare" else "local"
    written = scaffold.init(name, root, target or "local", account, extends)
    printing.done(
        style,
        f"{written} written\nnext: inferstack check {name}; inferstack up {name}",
        written=[written],
        added=[name],
    )


@command(WRITE, "check")
def check(stack: AnyStack = None, style: CheckFormat = "text") -> int:
    """Validate a stack; without a name, all of them."""
    from inferstack.author.check import check as findings_of
    from inferstack.config import stack_names

    root = project()
    found = findings_of([stack] if stack else stack_names(root), root)
    text = found.show(style)
    print(printing.findings_painted(text) if style == "text" else text)
    return ConfigError.exit_code if found.wrong else 0


@command(WRITE, "explain")
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Such as IS045.")], style: Format = "text"
) -> None:
    """Tell more of a finding's code."""
    from inferstack.author import check as author

    printing.emit(style, author.explanation(code), author.explain(code))


NAMED = "Of what environment variables hold, the names: for who must not read tokens."
config = commands_of(WRITE, "config", "A stack as its files make it together, or how two differ.")


@command(WRITE, "show", to=config)
def config_show(
    stack: Stack,
    origin: Annotated[bool, typer.Option("--origin", help="With each value, the file and line it came from.")] = False,
    named: Annotated[bool, typer.Option("--named", help=NAMED)] = False,
    style: Format = "text",
) -> None:
    """Show a stack as merged."""
    from inferstack.author import configs

    root = project()
    if style == "json":
        printing.emit(style, {"version": 1, "stack": stack, "values": configs.values(stack, root, named=named)}, "")
    else:
        print(configs.show(stack, root, origin=origin, named=named))


@command(WRITE, "diff", to=config)
def config_diff(stack: Stack, other: OtherStack, style: Format = "text") -> None:
    """Show the values that differ between two stacks."""
    from inferstack.author import configs

    root = project()
    found = configs.differences(stack, other, root)
    data = {"version": 1, "stacks": [stack, other], "differences": found}
    printing.emit(style, data, configs.as_diff(stack, other, found))


@command(WRITE, "render")
def render(stack: Stack, worker: Worker = None, out: Out = None, style: Format = "text") -> None:
    """Show the code of a stack's Workers, or write it.

    As it would be uploaded; with --out into a folder for each Worker.
    """
    from inferstack.author import rendered

    root = project()
    if out:
        written = rendered.write(stack, root, worker, out)
        printing.done(style, "\n".join(f"{file} written" for file in written), written=written)
        return
    found = rendered.code_of(stack, root, worker)
    parts = [
        f"// ===== {key}/{name}\n{text.rstrip()}" for key, modules in found.items() for name, text in modules.items()
    ]
    printing.emit(style, {"version": 1, "stack": stack, "workers": found}, "\n".join(parts))


@command(WRITE, "types")
def types(stack: Stack, out: Out = None, style: Format = "text") -> None:
    """Write what `env` holds in each Worker, as TypeScript.

    To --out, else beside code of your own.
    """
    from inferstack.author.env_types import write_types

    written = write_types(stack, project(), out)
    printing.done(style, "\n".join(f"{path} written" for path in written), written=written)


@command(WRITE, "client")
def client(
    stack: Stack,
    lang: Annotated[Literal["python", "typescript"], typer.Option(help="The language.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to (default: standard output).")] = None,
    url: Annotated[list[str] | None, typer.Option(metavar="WORKER=URL", help="Where a Worker is.")] = None,
    style: Format = "text",
) -> None:
    """Write a typed client of the stack's Workers.

    From the OpenAPI documents that they serve.
    """
    from inferstack.clients.typed_client import make_client

    urls = dict(pair.split("=", 1) for pair in url or () if "=" in pair)
    text = make_client(stack, project(), lang, urls)
    if out is None:
        printing.emit(style, {"version": 1, "language": lang, "code": text}, text.removesuffix("\n"))
        return
    out.write_text(text)
    printing.done(style, f"{out} written", written=[out])


@command(WRITE, "import")
def bring(
    wrangler: Annotated[Literal["wrangler"], typer.Argument(metavar="wrangler")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Folders, or files wrangler.toml, .json or .jsonc.")
    ],
    target: Annotated[Target, typer.Option(help="Where the stacks go.")] = "cloudflare",
    adopt: Annotated[bool, typer.Option("--adopt", help="Keep names and ids, for `inferstack adopt` to find.")] = False,
    style: Format = "text",
) -> int:
    """Turn wrangler projects into stack files.

    Workers that call each other come together. Ends with 2 when `check` refuses a stack that was written.
    """
    from inferstack.config import format_findings
    from inferstack.wrangler.wrangler_import import import_wrangler, next_commands

    root = project()
    found = import_wrangler(paths, root, target, adopt=adopt)
    lines = [*(f"{file} written" for file in found.files), *(f"note: {note}" for note in found.notes)]
    if found.findings:
        lines += ["", printing.findings_painted(format_findings(found.findings, root))]
    text = "\n".join([*lines, *next_commands(found, target, adopt=adopt)])
    told = format_findings(found.findings, root, "json")
    printing.done(style, text, written=found.files, notes=found.notes, findings=json.loads(told))
    return ConfigError.exit_code if found.wrong else 0


export = commands_of(WRITE, "export", "Write a stack for other tools.")


@command(WRITE, "wrangler", to=export)
def export_wrangler(stack: Stack, out: Out = None, style: Format = "text") -> None:
    """Write a stack's Workers as wrangler projects (default: to wrangler/STACK)."""
    from inferstack.wrangler.wrangler_export import export_wrangler as write

    root = project()
    written, notes = write(stack, root, out or root / "wrangler" / stack)
    lines = [*(f"{path} written" for path in written), *(f"note: {note}" for note in notes)]
    printing.done(style, "\n".join(lines), written=written, notes=notes)


@command(WRITE, "upgrade")
def upgrade(
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Which one (default: the newest).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    style: Format = "text",
) -> None:
    """Raise the project's pin; show what changes in code."""
    from inferstack.author.upgrade import upgrade as raise_pin

    text = raise_pin(project(), to, dry_run=dry_run)
    printing.emit(style, {"version": 1, "dry_run": dry_run, "text": text}, text)


@command(WRITE, "gitops")
def gitops(
    kind: Annotated[Literal["github", "gitlab", "k8s"], typer.Argument()],
    backend: Annotated[str, typer.Option(metavar="URL", help="Where Pulumi's state lies: s3://…, gs://…, azblob://….")],
    staging: Annotated[str, typer.Option(metavar="STACK")] = "staging",
    prod: Annotated[str, typer.Option(metavar="STACK")] = "prod",
    branch: str = "main",
    repository: Annotated[str, typer.Option(metavar="URL", help="For k8s.")] = "https://github.com/example/project",
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    style: Format = "text",
) -> None:
    """Write a pipeline: plans, staging, prod, drift."""
    from inferstack.gitops import pipelines

    options = pipelines.Options(staging=staging, prod=prod, branch=branch, backend=backend, repository=repository)
    written = pipelines.write(kind, project(), options, force=force)
    printing.done(style, "\n".join(f"{path} written" for path in written), written=written)


@command(WRITE, "schema")
def schema(
    of: Annotated[
        str | None, typer.Option("--of", metavar="COMMAND", help="Of what this command prints with --format json.")
    ] = None,
) -> None:
    """Print the JSON Schema of stack files, for editors."""
    from inferstack.cli.results import schema_of
    from inferstack.config import json_schema

    print(json.dumps(schema_of(of) if of else json_schema(), indent=2, ensure_ascii=False))


@command(WRITE, "docs")
def docs() -> None:
    """Write the generated pages under docs/."""
    from inferstack.author.docs import write

    print("\n".join(write(project())) or "docs/ is up to date")
