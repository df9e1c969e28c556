"""`inferstack local`: arguments only."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from inferstack.errors import ConfigError

if TYPE_CHECKING:
    from inferstack.cli import Add


FAULT_FIELDS = ("path", "method", "each", "model", "product", "status", "code", "delay_ms", "reset")
MODEL_FIELDS = ("token_ms", "break_after", "answer")
FAULT_LIMITS = ("share", "seed", "skip", "times", "seconds")


def add_command(add: Add) -> None:
    local = add(
        "local", "the local Cloudflare alone: run it in the foreground, stop it, plan its faults", _local, stack=False
    )
    actions = ["run", "stop", "status", "reset", "fault", "snapshot"]
    local.add_argument("action", nargs="?", choices=actions, default="run")
    local.add_argument("verb", nargs="?", help="of fault: add, list, clear; of snapshot: save, load, list")
    local.add_argument("name", nargs="?", help="of a snapshot")
    local.add_argument("--port", type=int, help="port of the Workers (0: any free one)")
    local.add_argument("--api-port", type=int, help="port of the v4 API (0: any free one)")
    local.add_argument("-y", "--yes", action="store_true", help="of reset: do not ask")
    local.add_argument("--text-server", metavar="URL", help="an OpenAI-compatible server here that generates text")
    fault = local.add_argument_group("what a fault meets, and what happens to it")
    fault.add_argument("--path", help="regular expression, searched in the path of an API request")
    fault.add_argument("--method", help="only of this method")
    fault.add_argument("--each", action="store_true", default=None, help="once for each method and path")
    fault.add_argument("--model", help="inferences of this model, * for all")
    fault.add_argument("--product", help="calls of a binding: ai, d1, vectorize, kv_namespace, r2_bucket, queue")
    fault.add_argument("--status", type=int, help="answer with this HTTP status")
    fault.add_argument("--code", type=int, help="and with this code of Cloudflare's")
    fault.add_argument("--delay-ms", type=float, help="wait before")
    fault.add_argument(
        "--reset", choices=["before", "after"], help="break the connection, with the request undone or done"
    )
    fault.add_argument("--token-ms", type=float, help="of a model: wait before each piece of a stream")
    fault.add_argument("--break-after", type=int, metavar="PIECES", help="of a model: break its stream")
    fault.add_argument("--answer", metavar="TEXT", help="of a text model: what it says instead")
    fault.add_argument("--share", type=float, help="only so many of the requests, 0 to 1")
    fault.add_argument("--seed", type=int, help="for the share, so that a run can be repeated")
    fault.add_argument("--skip", type=int, help="leave the first ones alone")
    fault.add_argument("--times", type=int, help="at most so many")
    fault.add_argument("--seconds", type=float, help="for so long")
    fault.add_argument("--file", type=Path, help="a YAML file with one fault or a list of them")


def _local(given: argparse.Namespace, root: Path) -> int:
    from inferstack import local

    folder = root / ".inferstack" / "local"
    if given.action == "run":
        from inferstack.local.server import main as serve

        options = ["--port", str(given.port)] if given.port is not None else []
        options += ["--api-port", str(given.api_port)] if given.api_port is not None else []
        options += ["--text-server", given.text_server] if given.text_server else []
        return serve(["--state", str(folder), *options])
    if given.action == "status":
        running = local.find(folder)
        if running is None:
            print("not running")
            return 1
        answers, trouble = local.workers_trouble(folder, running)
        print(f"running: API {running.base_url}, Workers on port {running.port}{'' if answers else ' DO NOT ANSWER'}")
        if trouble:
            print(f"last trouble of the Workers: {trouble}")
        return 0 if answers else 1
    if given.action in ("fault", "snapshot"):
        return _local_fault(given, folder) if given.action == "fault" else _local_snapshot(given, folder)
    if given.action == "reset":
        from inferstack.engine import runs

        runs.say(runs.loss_of_reset(root))
        if sys.stdin.isatty() and not given.yes and input("Wipe it? Type `reset`: ") != "reset":
            return 8
        runs.reset(root)
        print("the state of the local Cloudflare and of its stacks is wiped")
        return 0
    print("stopped" if local.stop(folder) else "not running")
    return 0


def _local_fault(given: argparse.Namespace, folder: Path) -> int:
    from inferstack.live import faults

    if given.verb == "add":
        fields = {name: getattr(given, name) for name in (*FAULT_FIELDS, *MODEL_FIELDS, *FAULT_LIMITS)}
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
    from inferstack.live import snapshots

    if given.verb == "list" or given.verb is None:
        print("\n".join(snapshots.names(folder)) or "no snapshots")
    elif given.verb in ("save", "load") and given.name:
        done = {"save": snapshots.save, "load": snapshots.load}[given.verb](folder, given.name)
        print(done)
    else:
        raise ConfigError(
            "a snapshot is saved or loaded by its name\n  fix: inferstack local snapshot save|load NAME, or list"
        )
    return 0
