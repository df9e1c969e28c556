"""`inferstack status` and `inferstack history`: what is live, and how it came about."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferstack import local
from inferstack.cloudflare import Deployment
from inferstack.config import StackSpec, lacking, load_stack
from inferstack.engine.account import Account
from inferstack.engine.environment import local_settings
from inferstack.engine.runs import updates
from inferstack.errors import ConfigError
from inferstack.live.prompt_versions import Carriers
from inferstack.render import digest_of, render_worker
from inferstack.text import paint, table

DIGEST = 12  # characters that tell one build from another
TO_THE_SECOND = len("2026-01-01T00:00:00")


@dataclass(frozen=True, slots=True)
class Share:
    """One version that takes traffic; `code` is the digest of its modules, `here` whether this checkout renders it."""

    worker: str
    version: str
    percent: float
    code: str
    here: bool
    since: str
    message: str


def live(spec: StackSpec, root: Path, account: Account) -> list[Share]:
    found = []
    for key in spec.workers:
        script = spec.name_of("workers", key)
        rendered = render_worker(spec, key, root).digest
        for deployment in account.deployments(script)[:1]:
            for version, percent in deployment.shares.items():
                code = digest_of(account.code(script, version))
                at, text = deployment.created, deployment.message
                found.append(Share(key, version, percent, code[:DIGEST], code == rendered, at, text))
    return found


def status(stack: str, root: Path, style: str) -> str:
    spec = load_stack(stack, root)
    shares = live(spec, root, Account(spec, root))
    last = next((entry for entry in updates(stack, spec, root) if entry.kind == "update"), None)
    trouble = _trouble(spec, root)
    if style == "json":
        fields = [dict(zip(Share.__dataclass_fields__, _values(share), strict=True)) for share in shares]
        update = {"result": last.result, "started": last.start_time.isoformat()} if last else None
        known = {"stack": stack, "last_update": update, "live": fields}
        return json.dumps(known | ({"trouble": trouble} if trouble else {}), indent=2)
    missing = [key for key in spec.workers if key not in {share.worker for share in shares}]
    rows = [("WORKER", "SHARE", "VERSION", "CODE", "SINCE", "")]
    for share in shares:
        code = share.code + ("" if share.here else paint(" (not this checkout's)", "yellow"))
        rows.append(
            (share.worker, f"{share.percent:g} %", share.version, code, _time(share.since), _words(share.message))
        )
    rows += [(key, "-", paint("not deployed", "yellow"), "", "", "") for key in missing]
    began = last.start_time.isoformat()[:TO_THE_SECOND].replace("T", " ") if last else ""
    head = f"stack {stack}, environment {spec.environment}: last update {last.result} {began}" if last else stack
    return "\n".join([head, *([paint(trouble, "red", "bold")] if trouble else []), "", *table(rows)])


def _trouble(spec: StackSpec, root: Path) -> str:
    """What is live answers nobody while the local runtime is down."""
    folder = local_settings(spec, root).folder
    running = local.find(folder) if spec.target == "local" else None
    if running is None:
        return ""
    answers, said = local.workers_trouble(folder, running)
    return "" if answers else f"THE WORKERS DO NOT ANSWER{': ' if said else ''}{said}"


def history(stack: str, root: Path, worker: str | None, style: str) -> str:
    """The deployments of each Worker and the updates of the stack, newest first."""
    spec = load_stack(stack, root)
    if worker is not None and worker not in spec.workers:
        raise ConfigError(lacking(f"stack `{stack}`", "Worker", worker, spec.workers))
    account = Account(spec, root)
    carriers = Carriers(spec, account)
    events = [
        _of_deployment(key, deployment, carriers.shown(key, deployment.main))
        for key in ([worker] if worker else spec.workers)
        for deployment in account.deployments(spec.name_of("workers", key))
    ]
    if worker is None:
        for entry in updates(stack, spec, root):
            changes = {str(op): count for op, count in (entry.resource_changes or {}).items() if str(op) != "same"}
            what = ", ".join(f"{count} {op}" for op, count in sorted(changes.items())) or "no changes"
            at = entry.start_time.isoformat()
            events.append({"at": at, "what": f"{entry.kind} {entry.result}", "who": "", "detail": what})
    events.sort(key=lambda event: str(event["at"]), reverse=True)
    if style == "json":
        return json.dumps(events, indent=2)
    rows = [(_time(event["at"]), event["what"], event["detail"], event["who"]) for event in events]
    return "\n".join(table([("TIME", "WHAT", "DETAIL", "WHO"), *rows]))


def _of_deployment(key: str, deployment: Deployment, prompts: str) -> dict[str, Any]:
    shares = ", ".join(f"{share:g} % {version}" for version, share in deployment.shares.items())
    detail = f"{shares}; {_words(deployment.message)}" if deployment.message else shares
    detail += f"; prompts: {prompts}" if prompts else ""
    return {"at": deployment.created, "what": f"deployed {key}", "detail": detail, "who": deployment.author}


def _words(message: str) -> str:
    """Without the versions: they stand beside it."""
    return re.sub(r" (of |from )?[0-9a-f]{8}-[0-9a-f-]{27}|:(?= [0-9a-f]{8}-)", "", message)


def _values(share: Share) -> list[Any]:
    return [getattr(share, name) for name in Share.__dataclass_fields__]


def _time(text: str) -> str:
    return text[:TO_THE_SECOND].replace("T", " ")
