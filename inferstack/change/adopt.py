"""`inferstack adopt`: what the account has under this stack's names comes into its state, untouched.

Nothing is taken that may be somebody else's: a Worker proves by its tags that it is this environment's, a database by a
ledger of migrations that holds none but this stack's; the rest is asked for.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from inferstack.config import StackSpec
from inferstack.engine.account import Account, NotThere, Refused
from inferstack.engine.runs import run_of, say, show
from inferstack.errors import ConfigError
from inferstack.resources import official, own

PLACEHOLDER = "<PLACEHOLDER>"


@dataclass(frozen=True, slots=True)
class Found:
    """A resource of the account: the id that the import wants, and what proves that it is ours."""

    import_id: str
    proof: str = ""


def adopt(stack: str, root: Path, *, yes: bool) -> int:
    """Returns the number of resources that were adopted."""
    with run_of(stack, root) as (spec, pulumi_stack), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        pulumi_stack.preview(import_file=str(file))
        wanted = json.loads(file.read_text())
        account = Account(spec, root)
        taken = _choose(_candidates(wanted.get("resources") or [], spec, root, account), yes=yes)
        if not taken:
            say("nothing to adopt: the account has nothing of this stack's names that is not in its state")
            return 0
        wanted["resources"] = _with_parents(wanted["resources"], taken)
        file.write_text(json.dumps(wanted))
        _import(pulumi_stack, file)
    say(f"{len(taken)} adopted; see what `up` would change in them: inferstack preview {stack}")
    return len(taken)


def _import(stack: auto.Stack, file: Path) -> None:
    """`import_resources` of the SDK cannot say `component` and `logicalName`, so this is the CLI's own command."""
    command = ["import", "--file", str(file), "--stack", stack.name, "--yes", "--skip-preview", "--non-interactive"]
    stack._run_pulumi_cmd_sync([*command, "--generate-code=false", "--protect=false"], on_output=show)


def _candidates(resources: list[dict[str, Any]], spec: StackSpec, root: Path, account: Account) -> dict[str, Found]:
    """By the name in the import file."""
    finders = _finders(spec, root, account)
    found = {}
    for resource in resources:
        if resource.get("id") == PLACEHOLDER and resource["type"] in finders:
            key = resource.get("logicalName") or resource["name"]
            candidate = finders[resource["type"]](key)
            if candidate is not None:
                found[resource["name"]] = candidate
    return found


def _choose(found: dict[str, Found], *, yes: bool) -> dict[str, Found]:
    for name, candidate in found.items():
        say(f"found {name}: {candidate.import_id}" + (f" ({candidate.proof})" if candidate.proof else ""))
    unproved = [name for name, candidate in found.items() if not candidate.proof]
    if unproved and not yes:
        if not sys.stdin.isatty():
            text = f"nothing proves that these are this stack's: {', '.join(unproved)}"
            raise ConfigError(f"{text}\n  fix: look at them, then say so with --yes")
        answer = input(f"Nothing proves that these are this stack's: {', '.join(unproved)}. Adopt them? [y/N] ")
        if answer.strip().lower() != "y":
            return {name: candidate for name, candidate in found.items() if candidate.proof}
    return found


def _with_parents(resources: list[dict[str, Any]], taken: dict[str, Found]) -> list[dict[str, Any]]:
    by_name = {resource["name"]: resource for resource in resources}
    needed: list[str] = []
    for name in taken:
        chain, at = [name], str(by_name[name].get("parent"))
        while at in by_name:
            chain.append(at)
            at = str(by_name[at].get("parent"))
        needed += [link for link in reversed(chain) if link not in needed]
    ids = {name: {"id": found.import_id} for name, found in taken.items()}
    return [{**by_name[name], **ids.get(name, {})} for name in needed]


SEARCHES, SPACES = "/ai-search/instances/{}", "/ai-search/namespaces/{}"
PLATFORM = "/workers/dispatch/namespaces/{}"
Finder = Callable[[str], Found | None]


def _finders(spec: StackSpec, root: Path, account: Account) -> dict[str, Finder]:
    """By type: the resource of a key, if the account has it."""
    here = account.account_id

    def listed(path: str, section: str, name: str, identifier: str) -> Callable[[str], str | None]:
        def find(key: str) -> str | None:
            entries = account.call("GET", path, query={"per_page": 1000})
            known = getattr(getattr(spec, section)[key], "id", None)  # of a namespace: its name need not be its own
            field, wanted = (identifier, known) if known else (name, spec.name_of(section, key))
            return next((str(entry[identifier]) for entry in entries if entry.get(field) == wanted), None)

        return find

    def there(path: str, name_of: Callable[[str], str]) -> Callable[[str], str | None]:
        def find(key: str) -> str | None:
            try:
                account.call("GET", path.format(name_of(key)))
            except NotThere:
                return None
            return name_of(key)

        return find

    def plain(find: Callable[[str], str | None], form: str) -> Finder:
        def finder(key: str) -> Found | None:
            identifier = find(key)
            return Found(form.format(here, identifier)) if identifier else None

        return finder

    return {
        official.D1Database.token: lambda key: _database(spec, root, account, key),
        official.Worker.token: lambda key: _worker(spec, account, key),
        official.WorkersKvNamespace.token: plain(
            listed("/storage/kv/namespaces", "namespaces", "title", "id"), "{}/{}"
        ),
        official.Queue.token: plain(listed("/queues", "queues", "queue_name", "queue_id"), "{}/{}"),
        official.AiGateway.token: plain(there("/ai-gateway/gateways/{}", spec.physical), "{}/{}"),
        official.R2Bucket.token: plain(there("/r2/buckets/{}", partial(spec.name_of, "buckets")), "{}/{}/default"),
        official.AiSearchInstance.token: plain(there(SEARCHES, partial(spec.name_of, "searches")), "{}/{}"),
        own.SearchNamespace.token: plain(there(SPACES, partial(_space_name, spec)), "{1}"),
        own.VectorizeIndex.token: plain(there("/vectorize/v2/indexes/{}", partial(_index_name, spec)), "{1}"),
        own.VectorizeMetadataIndex.token: lambda name: _metadata_index(spec, account, name),
        official.WorkersForPlatformsDispatchNamespace.token: plain(
            there(PLATFORM, partial(spec.name_of, "dispatch_namespaces")), "{}/{}"
        ),
        official.Workflow.token: lambda name: _workflow(spec, account, name),
        own.GatewayRoute.token: lambda name: _route(spec, account, name),
    }


def _space_name(spec: StackSpec, name: str) -> str:
    return spec.name_of("search_namespaces", name.removesuffix("-searches"))


def _database(spec: StackSpec, root: Path, account: Account, key: str) -> Found | None:
    name = spec.name_of("databases", key)
    for entry in account.call("GET", "/d1/database", query={"name": name, "per_page": 100}):
        if entry["name"] == name:
            identifier = entry["uuid"]
            return Found(f"{account.account_id}/{identifier}", _ledger(spec, root, account, key, identifier))
    return None


def _ledger(spec: StackSpec, root: Path, account: Account, key: str, identifier: str) -> str:
    folder = spec.databases[key].migrations
    if folder is None:
        return ""
    ours = {file.name for file in (root / folder).glob("*.sql")}
    try:
        answer = account.call(
            "POST",
            f"/d1/database/{identifier}/query",
            {"sql": f'SELECT name FROM "{spec.databases[key].migrations_table}"'},  # noqa: S608 - an identifier
        )
    except Refused as error:
        if "no such table" not in error.cause.text:
            raise
        return ""
    applied = {row["name"] for row in answer[0]["results"]}
    return "its migrations are this stack's" if applied and applied <= ours else ""


def _worker(spec: StackSpec, account: Account, key: str) -> Found | None:
    try:
        worker = account.call("GET", f"/workers/workers/{spec.name_of('workers', key)}")
    except NotThere:
        return None
    tag = f"environment:{spec.environment}"
    proof = f"it is tagged {tag}" if tag in (worker.get("tags") or []) else ""
    return Found(f"{account.account_id}/{worker['id']}", proof)


def _workflow(spec: StackSpec, account: Account, name: str) -> Found | None:
    declared = [(key, binding) for key, worker in spec.workers.items() for binding in worker.own_workflows]
    for key, binding in declared:
        if name == f"{key}-{binding}":
            called = spec.workflow_name(key, binding)
            try:
                found = account.call("GET", f"/workflows/{called}")
            except NotThere:
                return None
            same = found["script_name"] == spec.name_of("workers", key)
            return Found(f"{account.account_id}/{called}", "it runs a class of this stack's Worker" if same else "")
    return None


def _index_name(spec: StackSpec, key: str) -> str:
    """Of an index by its key, or of another of its generations by that one's."""
    for index in spec.indexes:
        if key == spec.index_key(index, spec.indexes[index].generation):
            return spec.index_name(index)
    return spec.name_of("indexes", key)


def _metadata_index(spec: StackSpec, account: Account, name: str) -> Found | None:
    for key, index in spec.indexes.items():
        for field in index.metadata:
            if name == f"{key}-{field}":
                try:
                    path = f"/vectorize/v2/indexes/{_index_name(spec, key)}/metadata_index/list"
                    listed = account.call("GET", path).get("metadataIndexes") or []
                except NotThere:
                    return None
                there = any(entry["propertyName"] == field for entry in listed)
                return Found(f"{_index_name(spec, key)}/{field}", "with its index") if there else None
    return None


def _route(spec: StackSpec, account: Account, name: str) -> Found | None:
    for key, gateway in spec.gateways.items():
        for route in gateway.routes:
            if name == f"{key}-{route}":
                try:
                    routes = account.routes(spec.physical(key))
                except NotThere:
                    return None
                same = next((entry for entry in routes if entry["name"] == route), None)
                return Found(f"{spec.physical(key)}/{same['id']}", "with its gateway") if same else None
    return None
