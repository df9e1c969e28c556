"""The commands around an environment that matters: arguments only; the work is in `ops`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inferstack.errors import ConfigError

if TYPE_CHECKING:
    from inferstack.cli import Add


def add_commands(add: Add) -> None:
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
    _add_data_commands(add)
    _add_pipeline_commands(add)


def _add_data_commands(add: Add) -> None:
    data = add("database", "try migrations on a copy, mark the database as it is, bring it back", _database)
    data.add_argument("database", help="its key in the stack file")
    data.add_argument("action", choices=["dry-run", "bookmark", "restore"])
    data.add_argument("--to", metavar="BOOKMARK", help="of restore: a bookmark, or a time such as 2026-06-01T12:00:00Z")


def _add_pipeline_commands(add: Add) -> None:
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


def _status(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.status import status

    print(status(given.stack, root, given.format))
    return 0


def _history(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.status import history

    print(history(given.stack, root, given.worker, given.format))
    return 0


def _rollback(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.rollback import rollback

    print("\n".join(rollback(given.stack, root, given.worker, given.to)))
    return 0


def _drift(given: argparse.Namespace, root: Path) -> int:
    from inferstack.change.drift import drift

    return drift(given.stack, root, given.format, fix=given.fix)


def _adopt(given: argparse.Namespace, root: Path) -> int:
    from inferstack.change.adopt import adopt

    adopt(given.stack, root, yes=given.yes)
    return 0


def _reindex(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.reindex import reindex

    options = {"hold": given.hold, "retire": given.retire, "url": given.url}
    print(reindex(given.stack, root, given.index, given.model, **options))
    return 0


def _secrets(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.secrets import check

    text, complete = check(given.stack, root, given.format)
    print(text)
    return 0 if complete else ConfigError.exit_code


def _ephemeral(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live import ephemeral

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
    from inferstack.live import databases

    if given.action == "restore":
        if not given.to:
            raise ConfigError("`restore` needs --to\n  fix: a bookmark, or a time such as 2026-06-01T12:00:00Z")
        print(databases.restore(given.stack, root, given.database, given.to))
        return 0
    action = {"dry-run": databases.dry_run, "bookmark": databases.bookmark}[given.action]
    print(action(given.stack, root, given.database))
    return 0


def _permissions(given: argparse.Namespace, root: Path) -> int:
    from inferstack.author.permissions import permissions

    print(permissions(given.stack, root, given.format, read_only=given.read_only))
    return 0


def _gitops(given: argparse.Namespace, root: Path) -> int:
    from inferstack.gitops import pipelines as gitops

    names = ("staging", "prod", "branch", "backend", "repository")
    options = gitops.Options(**{name: getattr(given, name) for name in names})
    print("\n".join(f"{path} written" for path in gitops.write(given.kind, root, options, force=given.force)))
    return 0


def _promote(given: argparse.Namespace, root: Path) -> int:
    from inferstack.live.promote import promote

    promote(given.source, given.target, root, given.allow_difference)
    return 0
