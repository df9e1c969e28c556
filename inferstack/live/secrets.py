"""`inferstack secrets check`: which secret of a stack is missing where, and how old what is deployed is. No value is shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pulumi import automation as auto

from inferstack.config import StackSpec, load_stack, seconds
from inferstack.engine.account import Account
from inferstack.engine.holdings import held
from inferstack.engine.runs import open_stack
from inferstack.errors import UserError
from inferstack.resources.own import SecretAge
from inferstack.resources.secret_sources import SecretMissing, read_secret
from inferstack.text import table


@dataclass(frozen=True, slots=True)
class Secret:
    """`here`: whether the reference leads to a value on this machine; `deployed`: whether the live version has it.

    `since`: when it got the value that is deployed (ISO 8601), where the stack keeps that; `old`: longer ago than it may.
    """

    where: str
    reference: str
    here: bool
    deployed: bool | None
    why: str = ""
    since: str | None = None
    old: bool = False


def check(stack: str, root: Path, style: str) -> tuple[str, bool]:
    """The report, and whether all are here and none is too old."""
    spec = load_stack(stack, root)
    opened = open_stack(stack, spec, root, quiet=True)
    configured, ages = set(opened.get_all_config()), _ages(opened)
    live = _live(spec, root)
    stored = _stored(spec, root)
    found = []
    for path, reference in spec.secret_references():
        source = spec.source_of(reference)
        why = _missing(source, root, configured) if source else _unstored(reference, stored)
        deployed = None
        if path[0] == "workers" and path[1] in live and not reference.startswith("store:"):
            deployed = path[-1] in live[str(path[1])]
        elif path[0] == "secrets_store" and stored is not None:
            deployed = spec.physical(str(path[1])) in stored
        place = ".".join(map(str, path))
        since = ages.get(place)
        old = _too_old(since, spec.policies.secret_age)
        here, why = (
            not why,
            why or (f"older than {spec.policies.secret_age}: give it a new value and run `up`" if old else ""),
        )
        found.append(Secret(place, reference, here, deployed, why, since, old))
    complete = all(secret.here and not secret.old for secret in found)
    if style == "json":
        return json.dumps([asdict(secret) for secret in found], indent=2), complete
    words = {True: "yes", False: "no", None: "-"}
    rows = [("SECRET", "REFERENCE", "HERE", "DEPLOYED", "SINCE", "")]
    rows += [(s.where, s.reference, words[s.here], words[s.deployed], (s.since or "-")[:10], s.why) for s in found]
    return "\n".join(table(rows)) if found else f"stack `{stack}` has no secrets", complete


def _ages(stack: auto.Stack) -> dict[str, str]:
    """By the secret's place in the stack file."""
    kept = [each.values for each in held(stack) if each.type == SecretAge.token]
    return {str(values["secret"]): str(values["since"]) for values in kept if "since" in values}


def _too_old(since: str | None, most: str | None) -> bool:
    return bool(since and most) and (datetime.now(UTC) - datetime.fromisoformat(str(since))).total_seconds() > seconds(
        str(most)
    )


def _missing(reference: str, root: Path, configured: set[str]) -> str:
    kind, _, name = reference.partition(":")
    if kind == "config":
        known = any(entry.rpartition(":")[2] == name for entry in configured)
        return "" if known else f"pulumi config set --secret {name}"
    try:
        read_secret(reference, root)
    except SecretMissing as error:
        return error.fix
    return ""


def _unstored(reference: str, stored: set[str] | None) -> str:
    name = reference.removeprefix("store:")
    return "" if name in (stored or set()) else f"the account's Secrets Store has no `{name}`"


def _stored(spec: StackSpec, root: Path) -> set[str] | None:
    """Names in the account's Secrets Store; None when this stack has nothing to do with it."""
    if not spec.secrets_store and not spec.stored_secrets():
        return None
    account = Account(spec, root)
    names: set[str] = set()
    for store in account.call("GET", "/secrets_store/stores") or []:
        listed = account.call("GET", f"/secrets_store/stores/{store['id']}/secrets", query={"per_page": 100})
        names |= {entry["name"] for entry in listed or []}
    return names


def _live(spec: StackSpec, root: Path) -> dict[str, set[str]]:
    """Names of the secrets of each Worker's newest version; a Worker that is not there is left out."""
    account, found = Account(spec, root), {}
    for key in spec.workers:
        try:
            listed = account.call("GET", f"/workers/scripts/{spec.name_of('workers', key)}/secrets")
        except UserError:
            continue
        found[key] = {entry["name"] for entry in listed or []}
    return found
