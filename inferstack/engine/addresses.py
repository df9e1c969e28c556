"""Where the Workers of a stack answer, for people to open."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from inferstack import local
from inferstack.config import StackSpec, WorkerSpec
from inferstack.engine.environment import local_account, local_host, local_settings, run_environment
from inferstack.errors import UserError


def addresses_of(spec: StackSpec, root: Path) -> dict[str, str]:
    """An address for each Worker that has one: of the local Cloudflare, its own host name, or under workers.dev.

    On the local Cloudflare two, the second one for clients that do not resolve the names under `.localhost`.
    """
    if spec.target == "local":
        return {key: ", ".join(addresses) for key, addresses in _local_addresses(spec, root).items()}
    found = {key: f"https://{worker.domains[0].hostname}" for key, worker in spec.workers.items() if worker.domains}
    others = [key for key, worker in spec.workers.items() if key not in found and _is_on_workers_dev(worker)]
    if others and (name := _subdomain(spec, root)):
        found |= {key: f"https://{spec.name_of('workers', key)}.{name}.workers.dev" for key in others}
    return {key: found[key] for key in spec.workers if key in found}


def client_environment(spec: StackSpec, root: Path) -> dict[str, str]:
    """What a command reads that is started for the stack: its runs' variables, and who answers where.

    OpenAI's and AWS' are not among those of `env`: a secret that a stack takes from OPENAI_API_KEY, and the bucket of
    Pulumi's state, must be the user's own.
    """
    variables = run_environment(spec, root)
    if spec.target != "local":
        return variables
    account = variables["CLOUDFLARE_ACCOUNT_ID"]
    variables["OPENAI_BASE_URL"] = f"{variables['CLOUDFLARE_BASE_URL']}/accounts/{account}/ai/v1"
    variables["OPENAI_API_KEY"] = variables["CLOUDFLARE_API_TOKEN"]
    port = urlsplit(variables["CLOUDFLARE_BASE_URL"]).port or 0
    variables |= local.s3_environment(port, account, variables["CLOUDFLARE_API_TOKEN"])
    for key, addresses in _local_addresses(spec, root).items():
        name = re.sub(r"[^A-Z0-9]", "_", key.upper())
        variables[f"INFERSTACK_URL_{name}"] = addresses[-1]
    return variables


def _local_addresses(spec: StackSpec, root: Path) -> dict[str, list[str]]:
    """By its host name, then by the Worker's own port."""
    folder = local_settings(spec, root).folder
    running, ports = local.find(folder), local.worker_ports(folder)
    if running is None:
        return {}
    found = {key: [f"http://{local_host(spec, key)}:{running.port}"] for key in spec.workers}
    own = {key: ports.get(f"{local_account(spec)}/{spec.name_of('workers', key)}") for key in spec.workers}
    return {key: names + ([f"http://127.0.0.1:{own[key]}"] if own[key] else []) for key, names in found.items()}


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
