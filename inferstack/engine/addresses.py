"""Where the Workers of a stack answer, for people to open."""

from __future__ import annotations

from pathlib import Path

from inferstack import local
from inferstack.config import StackSpec, WorkerSpec
from inferstack.engine.environment import local_host, local_settings
from inferstack.errors import UserError


def addresses_of(spec: StackSpec, root: Path) -> dict[str, str]:
    """An address for each Worker that has one: of the local Cloudflare, its own host name, or under workers.dev."""
    if spec.target == "local":
        running = local.find(local_settings(spec, root).folder)
        return {key: f"http://{local_host(spec, key)}:{running.port}" for key in spec.workers} if running else {}
    found = {key: f"https://{worker.domains[0].hostname}" for key, worker in spec.workers.items() if worker.domains}
    others = [key for key, worker in spec.workers.items() if key not in found and _is_on_workers_dev(worker)]
    if others and (name := _subdomain(spec, root)):
        found |= {key: f"https://{spec.name_of('workers', key)}.{name}.workers.dev" for key in others}
    return {key: found[key] for key in spec.workers if key in found}


def _is_on_workers_dev(worker: WorkerSpec) -> bool:
    return bool((worker.raw.worker.get("subdomain") or {"enabled": True}).get("enabled"))


def _subdomain(spec: StackSpec, root: Path) -> str:
    """The account's name under workers.dev; a token that may deploy need not be allowed to ask for it."""
    # With httpx, which a local `up` does not need: `up` without a change is timed in the bench.
    from inferstack.engine.account import Account

    try:
        return str(Account(spec, root).call("GET", "/workers/subdomain")["subdomain"])
    except (UserError, KeyError, TypeError):
        return ""
