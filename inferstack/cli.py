"""The command line: arguments and exit codes; the work is in `ops`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

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
        new = getattr(given, "project", None) is not None
        code = command(given, Path.cwd() if new else _project_root())
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
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, summary: str, command: Command, *, stack: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(command=command)
        if stack:
            sub.add_argument("stack", help="name of the stack: a file stacks/<stack>.yaml")
        return sub

    _add_run_commands(add)
    _add_production_commands(add)
    _add_configuration_commands(add)
    _add_rag_commands(add)
    _add_local_command(add)
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
            sub.add_argument("--save-plan", type=Path, metavar="FILE", help="for `up --plan`")
    down = add("down", "destroy a stack, and stop its local Cloudflare", _down)
    down.add_argument("--samples", action="store_true", help="the sample stacks of examples/ that are up, too")
    down.add_argument("-y", "--yes", action="store_true", help="do not ask (needed without a terminal)")
    add("env", "print the environment of a stack's Pulumi runs, for eval", _env)


def _add_configuration_commands(add: Add) -> None:
    init = add("init", "write a new stack file that passes `check`; with --project, a whole new project", _init)
    init.add_argument("--project", type=Path, metavar="FOLDER", help="make a new project in this folder")
    init.add_argument("--target", choices=["local", "cloudflare"], help="where it goes; asked for on a terminal")
    init.add_argument("--account", metavar="ID", help="the Cloudflare account (else CLOUDFLARE_ACCOUNT_ID)")
    init.add_argument("--extends", metavar="FILE", help="what it builds on (else base.yaml, if that is there)")
    more = add("add", "add a Worker, index, database, … to a stack file", _add, stack=False)
    more.add_argument("kind", choices=["worker", "index", "database", "gateway", "queue", "bucket", "namespace"])
    more.add_argument("name")
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


def _add_production_commands(add: Add) -> None:
    status = add("status", "what is live: versions, their shares of the traffic, since when", _status)
    past = add("history", "deployments of the Workers and updates of the stack, newest first", _history)
    past.add_argument("worker", nargs="?", help="only this Worker's deployments")
    for command in (status, past):
        command.add_argument("--format", choices=["text", "json"], default="text")
    back = add("rollback", "send all traffic to the version before, at once; data is not rolled back", _rollback)
    back.add_argument("worker", nargs="?", help="its key in the stack file (default: what the last `up` deployed)")
    back.add_argument("--to", metavar="VERSION", help="the id of a version (`inferstack history`)")
    drift = add("drift", "what the account has against what the state says; exit code 7 when they differ", _drift)
    drift.add_argument("--format", choices=["text", "json"], default="text")
    drift.add_argument("--fix", action="store_true", help="put the account back to what the stack says")
    adopt = add("adopt", "take what the account has under this stack's names into its state, untouched", _adopt)
    adopt.add_argument("-y", "--yes", action="store_true", help="also what nothing proves to be this stack's")
    again = add("reindex", "give an index another embedding model, beside the old one, while it answers", _reindex)
    again.add_argument("index", help="its key in the stack file")
    again.add_argument("--model", metavar="ALIAS", help="the new embedding model, declared under `models:`")
    again.add_argument("--hold", default="24h", metavar="TIME", help="keep the old index so long (default: 24h)")
    again.add_argument("--retire", action="store_true", help="delete the old index now, whatever the hold")
    again.add_argument("--url", help="the Worker's address (stacks on Cloudflare)")
    secrets = add("secrets", "say which secret is missing where; no value is shown", _secrets, stack=False)
    secrets.add_argument("action", choices=["check"])
    secrets.add_argument("stack", help="name of the stack")
    secrets.add_argument("--format", choices=["text", "json"], default="text")
    short = add(
        "ephemeral",
        "an environment for a while, with data of its own, such as for a pull request",
        _ephemeral,
        stack=False,
    )
    short.add_argument("action", choices=["up", "down", "list", "prune"])
    short.add_argument("name", nargs="?", help="such as pr-123")
    short.add_argument("--from", dest="source", default="dev", metavar="STACK", help="what it is like (default: dev)")
    short.add_argument("--ttl", default="72h", metavar="TIME", help="when `prune` may destroy it (default: 72h)")
    short.add_argument("--format", choices=["text", "json"], default="text")
    data = add("database", "try migrations on a copy, mark the database as it is, bring it back", _database)
    data.add_argument("database", help="its key in the stack file")
    data.add_argument("action", choices=["dry-run", "bookmark", "restore"])
    data.add_argument("--to", metavar="BOOKMARK", help="of restore: a bookmark, or a time such as 2026-06-01T12:00:00Z")
    rights = add("permissions", "the least that a Cloudflare API token needs for a stack", _permissions)
    rights.add_argument("--read-only", action="store_true", help="to look at it: previews, drift")
    rights.add_argument("--format", choices=["text", "json"], default="text")
    pipeline = add("gitops", "write a pipeline: plans on pull requests, staging, prod, drift", _gitops, stack=False)
    pipeline.add_argument("kind", choices=["github", "gitlab", "k8s"])
    pipeline.add_argument("--staging", default="staging", metavar="STACK", help="(default: staging)")
    pipeline.add_argument("--prod", default="prod", metavar="STACK", help="(default: prod)")
    pipeline.add_argument("--branch", default="main", help="(default: main)")
    pipeline.add_argument(
        "--backend", required=True, metavar="URL", help="where Pulumi's state lies: s3://…, gs://…, azblob://…"
    )
    pipeline.add_argument("--repository", default="https://github.com/example/project", metavar="URL", help="for k8s")
    pipeline.add_argument("--force", action="store_true", help="write over what is there")
    promote = add("promote", "deploy a stack with the very code that another one runs", _promote, stack=False)
    promote.add_argument("source", help="the stack that runs it, such as staging")
    promote.add_argument("target", help="the stack to deploy, such as prod")
    promote.add_argument("--allow-difference", action="append", default=[], metavar="WORKER", help="do not compare it")


def _add_rag_commands(add: Add) -> None:
    add("quickstart", "bring a stack up, load the sample corpus, ask a question", _quickstart)
    ask = add("ask", "ask the stack's RAG Worker a question; the answer is streamed", _ask)
    ask.add_argument("question")
    ask.add_argument("--topic", help="only documents of this topic")
    ask.add_argument("--url", help="the Worker's address (stacks on Cloudflare)")
    load = add("load", "send a folder of Markdown documents to the stack's RAG Worker", _load)
    load.add_argument("folder", type=Path)
    load.add_argument("--url", help="the Worker's address (stacks on Cloudflare)")


def _add_local_command(add: Add) -> None:
    local = add(
        "local", "the local Cloudflare alone: run it in the foreground, stop it, plan its faults", _local, stack=False
    )
    actions = ["run", "stop", "status", "reset", "fault", "snapshot"]
    local.add_argument("action", nargs="?", choices=actions, default="run")
    local.add_argument("verb", nargs="?", help="of fault: add, list, clear; of snapshot: save, load, list")
    local.add_argument("name", nargs="?", help="of a snapshot")
    local.add_argument("--port", type=int, help="port of the Workers (0: any free one)")
    local.add_argument("--api-port", type=int, help="port of the v4 API (0: any free one)")
    fault = local.add_argument_group("what a fault meets, and what happens to it")
    fault.add_argument("--path", help="regular expression, searched in the path of an API request")
    fault.add_argument("--method", help="only of this method")
    fault.add_argument("--model", help="inferences of this model, * for all")
    fault.add_argument("--product", help="calls of a binding: ai, d1, vectorize, kv_namespace, r2_bucket, queue")
    fault.add_argument("--status", type=int, help="answer with this HTTP status")
    fault.add_argument("--code", type=int, help="and with this code of Cloudflare's")
    fault.add_argument("--delay-ms", type=float, help="wait before")
    fault.add_argument(
        "--reset", choices=["before", "after"], help="break the connection, with the request undone or done"
    )
    fault.add_argument("--share", type=float, help="only so many of the requests, 0 to 1")
    fault.add_argument("--seed", type=int, help="for the share, so that a run can be repeated")
    fault.add_argument("--skip", type=int, help="leave the first ones alone")
    fault.add_argument("--times", type=int, help="at most so many")
    fault.add_argument("--seconds", type=float, help="for so long")
    fault.add_argument("--file", type=Path, help="a YAML file with one fault or a list of them")


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
    from inferstack.ops import deploy

    allowed = frozenset(given.allow_data_loss)
    deploy.up(given.stack, root, expect_no_changes=given.expect_no_changes, plan=given.plan, allowed=allowed)
    return 0


def _preview(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import deploy

    plan = deploy.preview(
        given.stack, root, expect_no_changes=given.expect_no_changes, style=given.format, save=given.save_plan
    )
    return 1 if plan.refused else 0


def _refresh(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import runs

    runs.refresh(given.stack, root, expect_no_changes=given.expect_no_changes)
    return 0


def _down(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import runs

    if not given.yes:
        if not sys.stdin.isatty():
            raise ConfigError("`down` destroys the stack and its data\n  fix: say so with --yes")
        if input(f"Destroy stack `{given.stack}` and its data? Type its name: ") != given.stack:
            return 8
    if given.samples:
        runs.down_samples(root)
    runs.down(given.stack, root)
    return 0


def _status(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.status import status

    print(status(given.stack, root, given.format))
    return 0


def _history(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.status import history

    print(history(given.stack, root, given.worker, given.format))
    return 0


def _rollback(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.rollback import rollback

    print("\n".join(rollback(given.stack, root, given.worker, given.to)))
    return 0


def _drift(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.drift import drift

    return drift(given.stack, root, given.format, fix=given.fix)


def _adopt(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.adopt import adopt

    adopt(given.stack, root, yes=given.yes)
    return 0


def _reindex(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.reindex import reindex

    options = {"hold": given.hold, "retire": given.retire, "url": given.url}
    print(reindex(given.stack, root, given.index, given.model, **options))
    return 0


def _secrets(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.secrets import check

    text, complete = check(given.stack, root, given.format)
    print(text)
    return 0 if complete else ConfigError.exit_code


def _ephemeral(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import ephemeral

    if given.action in ("up", "down") and not given.name:
        raise ConfigError(f"`ephemeral {given.action}` needs a name, such as pr-123")
    if given.action == "up":
        print(f"{given.name} is up until {ephemeral.up(given.name, given.source, given.ttl, root)}")
    elif given.action == "down":
        ephemeral.down(given.name, given.source, root)
    elif given.action == "prune":
        print("\n".join(ephemeral.prune(given.source, root)) or "none has ended")
    else:
        print(ephemeral.as_text(ephemeral.listing(given.source, root), given.format))
    return 0


def _database(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import databases

    if given.action == "restore":
        if not given.to:
            raise ConfigError("`restore` needs --to\n  fix: a bookmark, or a time such as 2026-06-01T12:00:00Z")
        print(databases.restore(given.stack, root, given.database, given.to))
        return 0
    action = {"dry-run": databases.dry_run, "bookmark": databases.bookmark}[given.action]
    print(action(given.stack, root, given.database))
    return 0


def _permissions(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.permissions import permissions

    print(permissions(given.stack, root, given.format, read_only=given.read_only))
    return 0


def _gitops(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import gitops

    names = ("staging", "prod", "branch", "backend", "repository")
    options = gitops.Options(**{name: getattr(given, name) for name in names})
    print("\n".join(f"{path} written" for path in gitops.write(given.kind, root, options, force=given.force)))
    return 0


def _promote(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.promote import promote

    promote(given.source, given.target, root, given.allow_difference)
    return 0


def _init(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.scaffold import init

    target = given.target
    if target is None and sys.stdin.isatty():
        target = input("Where does it go, local or cloudflare? [local] ").strip() or "local"
    if target not in (None, "local", "cloudflare"):
        raise ConfigError(f"there is no target `{target}`\n  fix: one of: local, cloudflare")
    if given.project:
        from inferstack.ops import new_project

        new_project.create(given.project)
        root = given.project.resolve()
        print(f"{given.project} made\nnext: cd {given.project}; inferstack add worker rag --template rag")
    written = init(given.stack, root, target or "local", given.account, given.extends)
    print(f"{written} written\nnext: inferstack check {given.stack}; inferstack up {given.stack}")
    return 0


def _add(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.add import add

    added = add(given.kind, given.name, given.stack, root, given.template, given.source)
    print(f"stacks/{given.stack}.yaml: added {', '.join(added)}")
    return 0


def _types(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.types import write_types

    print("\n".join(f"{path} written" for path in write_types(given.stack, root, given.out)))
    return 0


def _client(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.client import make_client

    urls = dict(pair.split("=", 1) for pair in given.url if "=" in pair)
    text = make_client(given.stack, root, given.lang, urls)
    if given.out is None:
        print(text, end="")
    else:
        given.out.write_text(text)
        print(f"{given.out} written")
    return 0


def _import(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.wrangler_import import import_wrangler

    found = import_wrangler(given.path, root)
    print("\n".join([*(f"{path} written" for path in found.files), *(f"note: {note}" for note in found.notes)]))
    return 0


def _export(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.wrangler_export import export_wrangler

    written, notes = export_wrangler(given.stack, root, given.out or root / "wrangler" / given.stack)
    print("\n".join([*(f"{path} written" for path in written), *(f"note: {note}" for note in notes)]))
    return 0


def _env(given: argparse.Namespace, root: Path) -> int:
    from inferstack.config import load_stack
    from inferstack.ops.environment import run_environment

    for name, value in run_environment(load_stack(given.stack, root), root).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _check(given: argparse.Namespace, root: Path) -> int:
    from inferstack.config import stack_names
    from inferstack.ops.check import check

    found = check([given.stack] if given.stack else stack_names(root), root)
    print(found.show(given.format))
    return ConfigError.exit_code if found.wrong else 0


def _explain(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the same in every project
    from inferstack.ops.check import explain

    print(explain(given.code))
    return 0


def _schema(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the same in every project
    import json

    from inferstack.config.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0


def _docs(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001
    from inferstack.ops.docs import write

    print("\n".join(write(root)) or "docs/ is up to date")
    return 0


def _config(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import configs

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
    from inferstack.ops.cost import estimate
    from inferstack.ops.cost_formats import show

    names = [given.stack, *([given.compare] if given.compare else [])]
    print(show([estimate(name, load_stack(name, root)) for name in names], given.format))
    return 0


def _models(given: argparse.Namespace, root: Path) -> int:  # noqa: ARG001 - the catalogue is the package's
    from inferstack.ops import models

    if given.name == "refresh":
        from inferstack.ops.models_refresh import refresh

        print(refresh())
        return 0
    if given.name:
        print(models.details(given.name, given.format))
        return 0
    asked = {key: value for key, value in vars(given).items() if key in models.Filter.__dataclass_fields__}
    print(models.listing(models.Filter(**asked), given.format))
    return 0


def _quickstart(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops.quickstart import quickstart

    quickstart(given.stack, root)
    return 0


def _ask(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import rag

    rag.print_answer(rag.ask(given.stack, root, given.question, given.topic, given.url))
    return 0


def _load(given: argparse.Namespace, root: Path) -> int:
    from inferstack.ops import rag

    count = rag.load(given.stack, root, given.folder, given.url)
    print(f"{count} documents loaded")
    return 0


def _local(given: argparse.Namespace, root: Path) -> int:
    from inferstack import local

    folder = root / ".inferstack" / "local"
    if given.action == "run":
        from inferstack.local.server import main as serve

        options = ["--port", str(given.port)] if given.port is not None else []
        options += ["--api-port", str(given.api_port)] if given.api_port is not None else []
        return serve(["--state", str(folder), *options])
    if given.action == "status":
        running = local.find(folder)
        print(f"running: API {running.base_url}, Workers on port {running.port}" if running else "not running")
        return 0 if running else 1
    if given.action in ("fault", "snapshot"):
        return _local_fault(given, folder) if given.action == "fault" else _local_snapshot(given, folder)
    if given.action == "reset":
        from inferstack.ops import runs

        runs.reset("dev", root)
        print("the state of the local Cloudflare and of its stacks is wiped")
        return 0
    print("stopped" if local.stop(folder) else "not running")
    return 0


FAULT_FIELDS = ("path", "method", "model", "product", "status", "code", "delay_ms", "reset")
FAULT_LIMITS = ("share", "seed", "skip", "times", "seconds")


def _local_fault(given: argparse.Namespace, folder: Path) -> int:
    from inferstack.ops import faults

    if given.verb == "add":
        fields = {name: getattr(given, name) for name in (*FAULT_FIELDS, *FAULT_LIMITS)}
        count = faults.add(folder, {name: value for name, value in fields.items() if value is not None}, given.file)
        print(f"{count} planned")
    elif given.verb == "clear":
        faults.clear(folder)
        print("cleared")
    elif given.verb in (None, "list"):
        print(faults.listing(folder))
    else:
        raise ConfigError(f"`local fault` has no `{given.verb}`\n  fix: one of: add, list, clear")
    return 0


def _local_snapshot(given: argparse.Namespace, folder: Path) -> int:
    from inferstack.ops import snapshots

    if given.verb == "list" or given.verb is None:
        print("\n".join(snapshots.names(folder)) or "no snapshots")
    elif given.verb in ("save", "load") and given.name:
        done = {"save": snapshots.save, "load": snapshots.load}[given.verb](folder, given.name)
        print(done)
    else:
        raise ConfigError("fix: inferstack local snapshot save|load NAME, or list")
    return 0


if __name__ == "__main__":
    sys.exit(main())
