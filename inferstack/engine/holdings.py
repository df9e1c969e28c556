"""What a stack's state holds: the only proof of what is this stack's, and so of what may be destroyed with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pulumi import automation as auto

from inferstack import local
from inferstack.config import StackSpec
from inferstack.engine.environment import local_settings, run_environment
from inferstack.errors import UserError
from inferstack.resources import official, own
from inferstack.resources.lifetime import Ephemeral
from inferstack.resources.stack import InferenceStack

# What is lost with a stack, by type: the word for it, and the output that names it on Cloudflare.
DATA = {
    official.D1Database.token: ("database", "name"),
    official.R2Bucket.token: ("bucket", "name"),
    official.WorkersKvNamespace.token: ("namespace", "title"),
    official.Queue.token: ("queue", "queueName"),
    official.AiSearchInstance.token: ("search", "aiSearchInstanceId"),
    own.SearchNamespace.token: ("search namespace", "name"),
    own.VectorizeIndex.token: ("index", "name"),
    official.Worker.token: ("Worker", "name"),
    official.Workflow.token: ("workflow", "workflowName"),
    official.WorkersForPlatformsDispatchNamespace.token: ("dispatch namespace", "name"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """One resource of a state; `types` are those of its parents and its own, outermost first."""

    name: str
    types: tuple[str, ...]
    values: dict[str, Any]
    protected: bool
    custom: bool

    @property
    def type(self) -> str:
        return self.types[-1]


def held(stack: auto.Stack) -> list[Held]:
    """Every resource but Pulumi's own."""
    found = []
    for entry in (stack.export_stack().deployment or {}).get("resources") or []:
        _, _, types, name = str(entry["urn"]).split("::", 3)
        chain = tuple(types.split("$"))
        if not chain[-1].startswith("pulumi:"):
            values = {**(entry.get("inputs") or {}), **(entry.get("outputs") or {})}
            protected = bool(entry.get("protect") or entry.get("retainOnDelete"))
            found.append(Held(name, chain, values, protected, bool(entry.get("custom"))))
    return found


def ends(resources: list[Held]) -> str | None:
    """When an ephemeral stack ends; None for every other.

    Being one is no output that a later update could add: everything in it hangs under the mark, and what was made
    without the mark has another URN.
    """
    marks = [resource for resource in resources if resource.type == Ephemeral.token]
    outside = [resource for resource in resources if resource.custom and Ephemeral.token not in resource.types]
    return str(marks[0].values.get("expires", "")) if len(marks) == 1 and not outside else None


def environment(resources: list[Held]) -> str | None:
    """The environment whose names the resources have."""
    roots = [resource for resource in resources if resource.type == InferenceStack.token]
    return str(roots[0].values.get("environment")) if roots else None


def what_is_lost(name: str, resources: list[Held], spec: StackSpec) -> str:
    """What destroying the stack destroys, and where; for a person who is about to say yes."""
    names = defaultdict(list)
    for resource in resources:
        if resource.type in DATA:
            word, key = DATA[resource.type]
            names[word].append(str(resource.values.get(key, resource.name)))
    accounts = sorted({str(r.values["accountId"]) for r in resources if isinstance(r.values.get("accountId"), str)})
    account = ", ".join(accounts) or spec.account or "not known"
    where = f"the local Cloudflare (account {account})" if spec.target == "local" else f"Cloudflare account {account}"
    lines = [f"  {word}: {', '.join(sorted(found))}" for word, found in sorted(names.items())]
    custom = sum(resource.custom for resource in resources)
    return "\n".join([f"stack `{name}` on {where} holds {custom} resources", *lines])


def empty_buckets(resources: list[Held], spec: StackSpec, root: Path) -> None:
    """R2 deletes only empty buckets; what a local stack's hold goes with the stack. Raises `UserError`."""
    buckets = [resource.values for resource in resources if resource.type == official.R2Bucket.token]
    if spec.target != "local" or not buckets:
        return
    import httpx  # 60 ms, only when a stack is destroyed

    variables, folder = run_environment(spec, root), local_settings(spec, root).folder
    with httpx.Client(timeout=60) as client:
        for bucket in buckets:
            account = str(bucket["accountId"])
            own_token = account == variables["CLOUDFLARE_ACCOUNT_ID"]
            token = variables["CLOUDFLARE_API_TOKEN"] if own_token else local.token_of(folder, account)
            client.headers["authorization"] = f"Bearer {token}"
            base, name = f"{variables['CLOUDFLARE_BASE_URL']}/accounts/{account}", _segment(str(bucket["name"]))
            _lift_rules(client, base, name)
            _empty(client, f"{base}/r2/buckets/{name}/objects", str(bucket["name"]))


def _lift_rules(client: Any, base: str, bucket: str) -> None:
    """No lock keeps what goes with a local stack, and no consumer is told of it, who would write again."""
    events = f"{base}/event_notifications/r2/{bucket}/configuration"
    answer = client.get(events)
    for queue in answer.json()["result"]["queues"] if answer.is_success else []:
        client.delete(f"{events}/queues/{queue['queueId']}")
    client.put(f"{base}/r2/buckets/{bucket}/lock", json={"rules": []})


def _empty(client: Any, url: str, bucket: str) -> None:
    before: set[str] = set()
    while True:
        answer = client.get(url)
        if answer.status_code == 404:  # the bucket is gone already: nothing of it is left to lose
            return
        keys = {str(item["key"]) for item in answer.json().get("result") or []} if answer.is_success else None
        stuck = before if keys is None else keys & before
        if keys is None or stuck:
            what = f"object {min(stuck)!r} of bucket" if stuck else "bucket"
            text = f"{what} `{bucket}` cannot be emptied: {answer.status_code}"
            raise UserError(f"{text}\n  nothing else was destroyed\n  fix: empty it by hand, then run this again")
        if not keys:
            return
        for key in keys:
            client.delete(f"{url}/{_segment(key)}")
        before = keys


def _segment(text: str) -> str:
    """One segment of a path, whatever it holds: dots too, or `..` would be taken for the folder above by the client."""
    return quote(text, safe="").replace(".", "%2E")
