"""`inferstack rollback`: the version before takes all traffic again, at once and without Pulumi."""

from __future__ import annotations

from pathlib import Path

from inferstack.config import StackSpec, closest, load_stack
from inferstack.errors import ConfigError, UserError
from inferstack.ops.account import Account, Deployment
from inferstack.ops.runs import last_update
from inferstack.provider.worker_rollout import RETURN, ROLLBACK


def rollback(stack: str, root: Path, worker: str | None, to: str | None) -> list[str]:
    """A line for each Worker that went back. Without a name: what the last deployment of the stack changed."""
    spec = load_stack(stack, root)
    if worker is not None and worker not in spec.workers:
        raise ConfigError(f"stack `{stack}` has no Worker `{worker}`{closest(worker, spec.workers)}")
    if to is not None and worker is None and len(spec.workers) != 1:
        raise ConfigError("`--to` needs the name of the Worker\n  fix: inferstack rollback STACK WORKER --to VERSION")
    account = Account(spec, root)
    chosen = [worker] if worker else _changed_last(spec, account, last_update(stack, spec, root))
    lines = []
    for key in chosen:
        script = spec.physical(key)
        deployments = account.deployments(script)
        if not deployments:
            raise UserError(f"Worker `{script}` is not deployed")
        bad = _candidate(deployments)
        good = to or _before(deployments, bad)
        if good is None:
            raise UserError(f"Worker `{script}` has no version before {bad}\n  fix: name one with --to")
        account.deploy(script, good, ROLLBACK + bad)
        lines.append(f"{key}: all traffic is on version {good} again, was {_shown(deployments[0])}")
    return lines


def _candidate(deployments: list[Deployment]) -> str:
    """The version to leave: the one that a rollout under way brings, else the one that is live."""
    live = deployments[0]
    if len(live.shares) == 1:
        return live.main
    before = next((d.main for d in deployments if len(d.shares) == 1), None)
    return next(version for version in live.shares if version != before)


def _before(deployments: list[Deployment], bad: str) -> str | None:
    """The newest version that had all traffic and is not the bad one, nor one that was left by a rollback before."""
    left = {d.message.rsplit(" ", 1)[-1] for d in deployments if d.message.startswith((ROLLBACK, RETURN))}
    whole = [d.main for d in deployments if len(d.shares) == 1 and d.main != bad]
    return next((version for version in whole if version not in left), None)


def _changed_last(spec: StackSpec, account: Account, since: str) -> list[str]:
    """The Workers that the last update deployed; else the one that was deployed last."""
    times = {key: found[0].created for key in spec.workers if (found := account.deployments(spec.physical(key)))}
    if not times:
        raise UserError("no Worker of this stack is deployed")
    newest = max(times.values())
    return [key for key, created in times.items() if created == newest or created >= since]


def _shown(deployment: Deployment) -> str:
    return ", ".join(f"{share:g} % of {version}" for version, share in deployment.shares.items())
