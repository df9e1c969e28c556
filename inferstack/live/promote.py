"""`inferstack promote`: what was tried in one environment goes live in the next, the same code byte for byte."""

from __future__ import annotations

from pathlib import Path

from inferstack.change import deploy
from inferstack.config import StackSpec, lacking, load_stack
from inferstack.engine import runs
from inferstack.engine.account import Account
from inferstack.errors import ConfigError, UserError
from inferstack.render import digest_of, render_worker


def promote(source: str, target: str, root: Path, allowed: list[str]) -> dict[str, int]:
    """Deploys `target`; returns the number of resources per operation.

    Raises `UserError` when its code is not what `source` runs.
    """
    if source == target:
        raise ConfigError(
            "promote takes two stacks: from where, and to where\n  fix: such as inferstack promote staging prod"
        )
    before, after = load_stack(source, root), load_stack(target, root)
    unknown = [key for key in allowed if key not in after.workers]
    if unknown:
        raise ConfigError(lacking(f"stack `{target}`", "Worker", unknown[0], after.workers))
    running = _running(source, before, root)
    lines, problems = [], []
    for key in after.workers:
        wanted = render_worker(after, key, root).digest
        if key in allowed:
            lines.append(f"{key}: {wanted[:12]}, not compared")
        elif key not in running:
            problems.append(f"{key}: is not in `{source}`")
        elif running[key] == wanted:
            lines.append(f"{key}: {wanted[:12]}, as in `{source}`")
        else:
            problems.append(f"{key}: {_why(source, target, before, key, root, running[key])}")
    if problems:
        raise UserError(
            f"`{target}` would not run what `{source}` runs\n  "
            + "\n  ".join(problems)
            + "\n  fix: make them agree, or accept a difference with --allow-difference WORKER"
        )
    runs.say("\n".join(lines))
    return deploy.up(target, root)


def _running(stack: str, spec: StackSpec, root: Path) -> dict[str, str]:
    """The digest of the code that takes all traffic, by Worker."""
    runs.ensure_cloudflare(spec, root)
    account, found = Account(spec, root), {}
    for key in spec.workers:
        script = spec.name_of("workers", key)
        deployments = account.deployments(script)
        if not deployments:
            raise UserError(f"Worker `{script}` is not deployed\n  fix: inferstack up {stack}")
        live = deployments[0]
        if len(live.shares) != 1:
            raise UserError(f"Worker `{script}` is in the middle of a rollout\n  fix: wait for it, or roll it back")
        if live.left:
            raise UserError(f"Worker `{script}` was sent back to an older version ({live.message})\n  fix: correct it")
        found[key] = digest_of(account.code(script, live.main))
    return found


def _why(source: str, target: str, before: StackSpec, key: str, root: Path, running: str) -> str:
    if render_worker(before, key, root).digest != running:
        return f"this checkout is not what `{source}` was deployed from; check that commit out, or run `up {source}`"
    return f"`{target}` gives it other models, options or code; see: inferstack config diff {source} {target}"
