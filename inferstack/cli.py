"""The command line: arguments and exit codes; the work is in `ops`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from inferstack import __version__, cli_local, cli_production
from inferstack.errors import ConfigError, UserError

Command = Callable[[argparse.Namespace, Path], int]
Add = Callable[..., argparse.ArgumentParser]
EXIT_CODES = """
exit codes are Pulumi's: 0 ok, 1 error, 2 configuration, 3 authentication, 6 stack not found,
7 changes where none were expected, 8 cancelled"""


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    command: Command = given.command
    try:
        code = command(given, Path.cwd() if getattr(given, "anywhere", False) else _project_root())
        sys.stdout.flush()
        return code
    except UserError as error:
        if str(error):
            print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return 8


def _project_root() -> Path:
    """The folder with Pulumi.yaml and stacks/, here or above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file() and (folder / "stacks").is_dir():
            return folder
    raise ConfigError(f"no inferstack project in {here} or above it\n  fix: run this where Pulumi.yaml and stacks/ are")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inferstack",
        description="AI inference on Cloudflare from YAML stack files, by Pulumi; locally before it costs a cent.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"inferstack {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, summary: str, command: Command, *, stack: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(command=command)
        if stack:
            sub.add_argument("stack", help="name of the stack: a file stacks/<stack>.yaml")
        return sub

    _add_run_commands(add)
    cli_production.add_commands(add)
    _add_configuration_commands(add)
    _add_rag_commands(add)
    cli_local.add_command(add)
    return parser


def _add_run_commands(add: Add) -> None:
    for name, summary, command in (
        ("up", "deploy a stack (pulumi up)", _up),
        ("preview", "show what `up` would change (pulumi preview)", _preview),
        ("refresh", "compare the state with what is really there (pulumi refresh)", _refresh),
    ):
        sub = add(name, summary, command)
        sub.add_argument("--expect-no-changes", action="store_true", help="exit with 7 when there is a change")
        if name == "up":
            sub.add_argument("--plan", type=Path, metavar="FILE", help="carry out a saved plan, or refuse")
            loss = "this database, index, bucket, … of a protected stack may lose its data"
            sub.add_argument("--allow-data-loss", action="append", default=[], metavar="NAME", help=loss)
        if name == "preview":
            sub.add_argument("--format", choices=["text", "json", "markdown"], default="text")
            off = "do not run the commands of `command:` secrets; what they give is not known then"
            sub.add_argument("--no-commands", dest="commands", action="store_false", help=off)
            sub.add_argument("--save-plan", type=Path, metavar="FILE", help="for `up --plan`")
    down = add("down", "destroy a stack, and stop its local Cloudflare", _down)
    down.add_argument("--samples", action="store_true", help="the sample stacks of examples/ that are up, too")
    down.add_argument("-y", "--yes", action="store_true", help="do not ask (needed without a terminal)")
    add("env", "print the environment of a stack's Pulumi runs, for eval", _env)


def _add_configuration_commands(add: Add) -> None:
    init = add("init", "make a new project, whole in itself and fit for git", _init, stack=False)
    init.add_argument("folder", type=Path, nargs="?", default=Path(), help="where to (default: here)")
    init.add_argument("--template", help="of its first Worker (default: rag; asked for on a terminal)")
    init.set_defaults(anywhere=True)
    upgrade = add("upgrade", "raise the project's pin, and show what changes in rendered code", _upgrade, stack=False)
    upgrade.add_argument("--to", metavar="VERSION", help="which one (default: the newest)")
    upgrade.add_argument("--dry-run", action="store_true", help="only show it")
    render = add("render", "show the code of a stack's Workers as it would be uploaded", _render)
    render.add_argument("worker", nargs="?", help="only this one")
    render.add_argument("--out", type=Path, metavar="FOLDER", help="write it there, a folder for each Worker")
    render.add_argument("--format", choices=["text", "json"], default="text")
    more = add("add", "add a stack, or a Worker, index, database, … to a stack file", _add, stack=False)
    more.add_argument(
        "kind", choices=["stack", "worker", "index", "database", "gateway", "queue", "bucket", "namespace"]
    )
    more.add_argument("name")
    more.add_argument(
        "--target", choices=["local", "cloudflare"], help="of a stack: where it goes; asked for on a terminal"
    )
    more.add_argument("--account", metavar="ID", help="of a stack: the account (else CLOUDFLARE_ACCOUNT_ID)")
    more.add_argument(
        "--extends", metavar="FILE", help="of a stack: what it builds on (else base.yaml, if that is there)"
    )
    more.add_argument("--stack", default="base", help="the file: stacks/<stack>.yaml (default: base)")
    more.add_argument("--template", help="of a Worker")
    more.add_argument("--source", help="of a Worker: code of your own")
    bring = add("import", "turn a wrangler project into stack files", _import, stack=False)
    bring.add_argument("format", choices=["wrangler"])
    bring.add_argument("path", type=Path, help="its folder, or its wrangler.toml, .json or .jsonc")
    export = add("export", "write a stack's Workers as wrangler projects", _export, stack=False)
    export.add_argument("format", choices=["wrangler"])
    export.add_argument("stack", help="name of the stack")
    export.add_argument("--out", type=Path, metavar="FOLDER", help="where to (default: wrangler/<stack>)")
    types = add("types", "write what `env` holds in each Worker, as TypeScript", _types)
    types.add_argument("--out", type=Path, metavar="FOLDER", help="for all Workers (else beside code of your own)")
    client = add("client", "write a typed client of the stack's Workers, from their OpenAPI documents", _client)
    client.add_argument("--lang", choices=["python", "typescript"], required=True)
    client.add_argument("--out", type=Path, metavar="FILE", help="where to (default: standard output)")
    client.add_argument("--url", action="append", default=[], metavar="WORKER=URL", help="where a Worker is")
    check = add("check", "validate a stack; without a name, all of them", _check, stack=False)
    check.add_argument("stack", nargs="?", help="name of the stack")
    check.add_argument("--format", choices=["text", "json", "github", "sarif"], default="text")
    add("explain", "tell more of a finding's code", _explain, stack=False).add_argument("code", help="such as IS045")
    setup = add(
        "setup", "make the Pulumi CLI and the Workers runtime ready, once for all projects", _setup, stack=False
    )
    setup.add_argument("--deploy-only", action="store_true", help="leave out what only the local Cloudflare needs")
    setup.add_argument("--quiet", action="store_true", help="say only what takes long or goes wrong")
    setup.set_defaults(anywhere=True)
    doctor = add("doctor", "tell what is there, what is missing, and the fix for each", _doctor, stack=False)
    doctor.add_argument("--format", choices=["text", "json"], default="text")
    doctor.set_defaults(anywhere=True)
    add("schema", "print the JSON Schema of stack files, for editors", _schema, stack=False)
    add("docs", "write the generated pages under docs/", _docs, stack=False)
    config = add("config", "show a stack as merged, or how two differ", _config, stack=False)
    config.add_argument("action", choices=["show", "diff"])
    config.add_argument("stacks", nargs="+", metavar="STACK")
    config.add_argument("--origin", action="store_true", help="with each value, the file and line it came from")
    cost = add("cost", "what a stack would cost a month, from the figures under `expect`", _cost)
    cost.add_argument("--compare", metavar="STACK", help="show a second stack beside it")
    cost.add_argument("--format", choices=["table", "json", "markdown", "csv"], default="table")
    _add_models(add("models", "list the models of the catalogue, or show one", _models, stack=False))


def _add_rag_commands(add: Add) -> None:
    add("quickstart", "bring a stack up, load the sample corpus, ask a question", _quickstart)
    ask = add("ask", "ask the stack's RAG Worker a question; the answer is streamed", _ask)
    ask.add_argument("question")
    ask.add_argument("--topic", help="only documents of this topic")
    ask.add_argument("--url", help="the Worker's address (stacks on Cloudflare)")
    load = add("load", "send a folder of Markdown documents to the stack's RAG Worker", _load)
    load.add_argument("folder", type=Path)
    load.add_argument("--url", help="the Worker's address (stacks on Cloudflare)")


def _add_models(models: argparse.ArgumentParser) -> None:
    models.add_argument(
        "name", nargs="?", help="show this model in full; `refresh`: compare with the account's live list"
    )
    models.add_argument("--task", help="such as text-generation, embeddings, speech")
    models.add_argument("--dimensions", type=int, help="length of the embedding vectors")
    models.add_argument("--max-price", type=float, metavar="USD", help="for a million input tokens")
    models.add_argument("--min-context", type=int, metavar="TOKENS", help="context window of at least this")
    for name, summary in (
        ("json-mode", "takes a JSON schema"),
        ("tools", "calls functions"),
        ("streaming", "streams its answer"),
        ("batch", "has the asynchronous batch API"),
        ("vision", "reads images"),
        ("removed", "list removed models too"),
    ):
        models.add_argument(f"--{name}", action="store_true", help=summary)
    models.add_argument("--format", choices=["table", "json"], default="table")


def _up(given: argparse.Namespace, root: Path) -> int:
    from inferstack.change import deploy

    allowed = frozenset(given.allow_data_loss)
    deploy.up(given.stack, root, expect_no_changes=given.expect_no_changes, plan=given.plan, allowed=allowed)
    return 0


def _preview(given: argparse.Namespace, root: Path) -> int:
    from inferstack.change import deploy

    options = {"style": given.format, "save": given.save_plan, "commands": given.commands}
    plan = deploy.preview(given.stack, root, expect_no_changes=given.expect_no_changes, **options)
    return 1 if plan.refused else 0


def _refresh(given: argparse.Namespace, root: Path) -> int:
    from inferstack.engine import runs

    runs.refresh(given.stack, root, expect_no_changes=given.expect_no_changes)
    return 0


def _down(given: argparse.Namespace, root: Path) -> int:
    from inferstack.engine import runs

    if not given.yes:
        if not sys.stdin.isatty():
            raise ConfigError("`down` destroys the stack and its data\n  fix: say so with --yes")
        runs.say(runs.loss_of_down(given.stack, root))
        if input(f"Destroy stack `{given.stack}` and its data? Type its name: ") != given.stack:
            return 8
    if given.samples:
        runs.down_samples(root)
    runs.down(given.stack, root)
    return 0


def _init(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author import new_project

    template = given.template
    if template is None and sys.stdin.isatty():
        template = input(f"Template of the first Worker ({', '.join(new_project.templates())})? [rag] ").strip()
    print(new_project.create(root / given.folder, template or "rag", given.folder))
    return 0


def _upgrade(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.upgrade import upgrade

    print(upgrade(root, given.to, dry_run=given.dry_run))
    return 0


def _render(given: argparse.Namespace, root: Path) -> int:
    import json

    from inferstack.author import rendered

    if given.out:
        print("\n".join(f"{file} written" for file in rendered.write(given.stack, root, given.worker, given.out)))
        return 0
    found = rendered.code_of(given.stack, root, given.worker)
    if given.format == "json":
        print(json.dumps({"version": 1, "stack": given.stack, "workers": found}, indent=2))
        return 0
    for worker, modules in found.items():
        for name, text in modules.items():
            print(f"// ===== {worker}/{name}\n{text.rstrip()}")
    return 0


def _add_stack(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.scaffold import init

    target = given.target
    if target is None and sys.stdin.isatty():
        target = input("Where does it go, local or cloudflare? [local] ").strip() or "local"
    if target not in (None, "local", "cloudflare"):
        raise ConfigError(f"there is no target `{target}`\n  fix: one of: local, cloudflare")
    written = init(given.name, root, target or "local", given.account, given.extends)
    print(f"{written} written\nnext: inferstack check {given.name}; inferstack up {given.name}")
    return 0


def _add(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.add import add

    if given.kind == "stack":
        return _add_stack(given, root)
    added = add(given.kind, given.name, given.stack, root, given.template, given.source)
    print(f"stacks/{given.stack}.yaml: added {', '.join(added)}")
    return 0


def _types(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.env_types import write_types

    print("\n".join(f"{path} written" for path in write_types(given.stack, root, given.out)))
    return 0


def _client(given: argparse.Namespace, root: Path) -> int:
    from inferstack.clients.typed_client import make_client

    urls = dict(pair.split("=", 1) for pair in given.url if "=" in pair)
    text = make_client(given.stack, root, given.lang, urls)
    if given.out is None:
        print(text, end="")
    else:
        given.out.write_text(text)
        print(f"{given.out} written")
    return 0


def _import(given: argparse.Namespace, root: Path) -> int:
    from inferstack.wrangler.wrangler_import import import_wrangler

    found = import_wrangler(given.path, root)
    print("\n".join([*(f"{path} written" for path in found.files), *(f"note: {note}" for note in found.notes)]))
    return 0


def _export(given: argparse.Namespace, root: Path) -> int:
    from inferstack.wrangler.wrangler_export import export_wrangler

    written, notes = export_wrangler(given.stack, root, given.out or root / "wrangler" / given.stack)
    print("\n".join([*(f"{path} written" for path in written), *(f"note: {note}" for note in notes)]))
    return 0


def _env(given: argparse.Namespace, root: Path) -> int:
    from inferstack.config import load_stack
    from inferstack.engine.environment import run_environment

    for name, value in run_environment(load_stack(given.stack, root), root).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _check(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.check import check
    from inferstack.config import stack_names

    found = check([given.stack] if given.stack else stack_names(root), root)
    print(found.show(given.format))
    return ConfigError.exit_code if found.wrong else 0


def _explain(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the same in every project
    from inferstack.author.check import explain

    print(explain(given.code))
    return 0


def _setup(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the same for every project
    from inferstack.toolchain.setup import setup

    setup(deploy_only=given.deploy_only, quiet=given.quiet)
    return 0


def _doctor(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - also where there is no project
    import json

    from inferstack.toolchain import doctor

    try:
        project = _project_root()
    except ConfigError:
        project = None
    found = doctor.examine(project)
    text = doctor.as_text(found) if given.format == "text" else json.dumps(doctor.as_json(found), indent=2)
    print(text)
    return 0 if doctor.as_json(found)["ok"] else 1


def _schema(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the same in every project
    import json

    from inferstack.config import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0


def _docs(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001
    from inferstack.author.docs import write

    print("\n".join(write(root)) or "docs/ is up to date")
    return 0


def _config(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author import configs

    if given.action == "show":
        if len(given.stacks) != 1:
            raise ConfigError("`config show` takes one stack\n  fix: inferstack config show <stack>")
        print(configs.show(given.stacks[0], root, origin=given.origin))
        return 0
    if len(given.stacks) != 2:
        raise ConfigError("`config diff` takes two stacks\n  fix: inferstack config diff <stack> <stack>")
    print(configs.diff(given.stacks[0], given.stacks[1], root))
    return 0


def _cost(given: argparse.Namespace, root: Path) -> int:
    from inferstack.config import load_stack
    from inferstack.cost.cost_formats import show
    from inferstack.cost.estimate import estimate

    names = [given.stack, *([given.compare] if given.compare else [])]
    print(show([estimate(name, load_stack(name, root)) for name in names], given.format))
    return 0


def _models(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the catalogue is the package's
    from inferstack.author import model_list as models

    if given.name == "refresh":
        from inferstack.author.models_refresh import refresh

        print(refresh())
        return 0
    if given.name:
        print(models.details(given.name, given.format))
        return 0
    asked = {key: value for key, value in vars(given).items() if key in models.Filter.__dataclass_fields__}
    print(models.listing(models.Filter(**asked), given.format))
    return 0


def _quickstart(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.quickstart import quickstart

    quickstart(given.stack, root)
    return 0


def _ask(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live import rag

    rag.print_answer(rag.ask(given.stack, root, given.question, given.topic, given.url))
    return 0


def _load(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live import rag

    count = rag.load(given.stack, root, given.folder, given.url)
    print(f"{count} documents loaded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
