"""`inferstack rollback`: the version before takes all traffic again, at once and without Pulumi."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inferstack.cloudflare import ROLLBACK, Deployment
from inferstack.config import StackSpec, lacking, load_stack
from inferstack.engine.account import Account
from inferstack.engine.runs import update_starts
from inferstack.errors import ConfigError, UserError
from inferstack.live.prompt_versions import Carriers


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a Worker: the version that takes its traffic, and the one that did."""

    worker: str
    version: str
    was: str | None  # None: it stays where it is
    text: str

    def plain(self) -> dict[str, str | None]:
        return {"worker": self.worker, "version": self.version, "was": self.was}


@dataclass(frozen=True, slots=True)
class _Move:
    """A Worker's way back; without `good` it stays: it went back already, or has no version before."""

    key: str
    script: str
    bad: str
    good: str | None
    live: Deployment

    @property
    def is_back(self) -> bool:
        return self.good is None and self.live.by_checks


def rollback(stack: str, root: Path, worker: str | None, to: str | None) -> list[Moved]:
    """What became of each Worker. Without a name: what the last update that deployed Workers changed."""
    spec = load_stack(stack, root)
    if worker is not None and worker not in spec.workers:
        raise ConfigError(lacking(f"stack `{stack}`", "Worker", worker, spec.workers))
    if to is not None and worker is None and len(spec.workers) != 1:
        raise ConfigError("`--to` needs the name of the Worker\n  fix: inferstack rollback STACK WORKER --to VERSION")
    account = Account(spec, root)
    chosen = [worker] if worker else _changed_last(spec, account, update_starts(stack, spec, root))
    moves = [_move(key, spec.name_of("workers", key), account, worker, to) for key in chosen]
    if not any(move.good or move.is_back for move in moves):
        without = ", ".join(f"`{move.script}` has no version before {move.bad}" for move in moves)
        raise UserError(f"nothing can go back: Worker {without}\n  fix: name one with --to")
    carriers = Carriers(spec, account)
    return [_go(move, account, carriers) for move in moves]


def stays_away(stack: str, root: Path) -> list[str]:
    """Workers on which a rollback stands: an update that changes nothing about them leaves them where they are."""
    spec = load_stack(stack, root)
    told = []
    for key, newest in _newest(spec, Account(spec, root)).items():
        if newest.by_person:
            told.append(
                f"{key}: version {newest.left} was rolled back and stays away; {newest.main} takes the traffic\n"
                f"  to put it live on purpose: inferstack rollback {stack} {key} --to {newest.left}"
            )
    return told


def _move(key: str, script: str, account: Account, named: str | None, to: str | None) -> _Move:
    deployments = account.deployments(script)
    if not deployments:
        raise UserError(f"Worker `{script}` is not deployed")
    bad = _candidate(deployments)
    if named is None and to is None and deployments[0].by_checks:
        return _Move(key, script, bad, None, deployments[0])  # the update's version is left already
    return _Move(key, script, bad, to or _before(deployments, bad), deployments[0])


def _go(move: _Move, account: Account, carriers: Carriers) -> Moved:
    if move.is_back:
        text = f"{move.key}: stays on {move.bad}, where it went back to when the new version failed its checks"
        return Moved(move.key, move.bad, None, text)
    if move.good is None:
        return Moved(move.key, move.bad, None, f"{move.key}: stays on {move.bad}, its first version")
    account.deploy(move.script, move.good, ROLLBACK + move.bad)
    text = f"{move.key}: all traffic is on version {move.good} again, was {_shown(move.live)}"
    prompts = carriers.shown(move.key, move.good)
    text += f"\n  prompts: {prompts}" if prompts and prompts != carriers.shown(move.key, move.bad) else ""
    return Moved(move.key, move.good, move.bad, text)


def _candidate(deployments: list[Deployment]) -> str:
    """The version to leave: the one that a rollout under way brings, else the one that is live."""
    live = deployments[0]
    if len(live.shares) == 1:
        return live.main
    before = next((d.main for d in deployments if len(d.shares) == 1), None)
    return next(version for version in live.shares if version != before)


def _before(deployments: list[Deployment], bad: str) -> str | None:
    """The newest version that had all traffic and is not the bad one, nor one that was left by a rollback before."""
    left = {d.left for d in deployments}
    whole = [d.main for d in deployments if len(d.shares) == 1 and d.main != bad]
    return next((version for version in whole if version not in left), None)


def _changed_last(spec: StackSpec, account: Account, starts: list[datetime]) -> list[str]:
    """The Workers of the last update that deployed any; else, without a history, the one that was deployed last."""
    newest = _newest(spec, account)
    if not newest:
        raise UserError("no Worker of this stack is deployed")
    times = {key: datetime.fromisoformat(deployment.created) for key, deployment in newest.items()}
    last = max(times.values())
    since = next((start for start in starts if start <= last), last)
    return [key for key, created in times.items() if created >= since]


def _newest(spec: StackSpec, account: Account) -> dict[str, Deployment]:
    """The last deployment of each Worker that has one."""
    return {key: found[0] for key in spec.workers if (found := account.deployments(spec.name_of("workers", key)))}


def _shown(deployment: Deployment) -> str:
    return ", ".join(f"{share:g} % of {version}" for version, share in deployment.shares.items())
