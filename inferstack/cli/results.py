"""What commands print with `--format json`, as types: the source of the published JSON Schemas (`inferstack schema --of`).

A change that a reader could break on raises `VERSION` of that command; fields may be added. Lists at the top are older than
this file, and stay lists: their version stands in the schema's `$id` alone.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from inferstack.cli.gateway_results import GatewayTest
from inferstack.cli.load_results import Evaluated, Link, LoadTest, Top
from inferstack.cli.local_results import (
    Faults,
    LocalPackages,
    LocalStatus,
    Mails,
    Planned,
    Recorded,
    Snapshots,
    Stopped,
    Versioned,
)
from inferstack.cli.prompt_results import Prompts
from inferstack.config import closest
from inferstack.errors import ConfigError

Counts = dict[str, int]


class OfStack(Versioned):
    """Those of one stack."""

    stack: str


class Changes(OfStack):
    """Resources per operation, as Pulumi counts them: create, update, delete, same."""

    changes: Counts


class Written(Versioned):
    """Files that were written, and what to know about them."""

    written: list[str]
    notes: list[str]
    added: NotRequired[list[str]]
    findings: NotRequired[list[Finding]]
    name: NotRequired[str]


class Finding(TypedDict):
    """One of `check`; line and column count from 1."""

    code: str
    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    message: str
    fix: str


class PlannedChange(TypedDict):
    """One resource; `replacing` are the properties that need a new one."""

    op: Literal["create", "update", "delete", "replace"]
    type: str
    name: str
    urn: str
    properties: list[str]
    replacing: list[str]
    loses_data: bool


class CostChange(TypedDict):
    """US dollars a month by resource, and `total`."""

    before: dict[str, float]
    after: dict[str, float]


class Plan(TypedDict):
    """`refused` would lose data and was not named; `code` has differences by Worker, `prompts` by prompt."""

    stack: str
    counts: Counts
    changes: list[PlannedChange]
    refused: list[str]
    code: dict[str, str]
    prompts: dict[str, str]
    usd_a_month: CostChange | None
    findings: list[Finding]


class Environment(OfStack):
    """Variables of a stack's Pulumi runs."""

    environment: dict[str, str]


class Answer(OfStack):
    """Of the RAG Worker."""

    answer: str
    sources: list[dict[str, Any]]


class Loaded(OfStack):
    """How many documents were sent; of `--index`, how many vectors, and how many the index has then."""

    documents: NotRequired[int]
    index: NotRequired[str]
    sent: NotRequired[int]
    vectors: NotRequired[int]


class Seeded(OfStack):
    """How many pairs of keys and values were written."""

    namespace: str
    pairs: int


class Setup(Versioned):
    """The toolchain that is used from now on."""

    pulumi: str
    pulumi_from: str
    provider: str


class Examined(TypedDict):
    """One thing that a run needs; `absent` is missing without harm."""

    what: str
    state: Literal["ok", "missing", "absent"]
    detail: str
    fix: str


class Doctor(Versioned):
    """`ok`: nothing is missing."""

    ok: bool
    findings: list[Examined]


class Explanation(Versioned):
    """Of a finding's code."""

    code: str
    severity: Literal["error", "warning"]
    title: str
    why: str


class Value(TypedDict):
    """One of a merged stack."""

    path: str
    value: Any
    file: str
    line: int


class Merged(OfStack):
    """A stack as its files make it."""

    values: list[Value]


class Differences(Versioned):
    """By path; each side stands under the name of its stack, unless it has no such value."""

    stacks: list[str]
    differences: list[dict[str, Any]]


class Rendered(OfStack):
    """Modules by Worker and name."""

    workers: dict[str, dict[str, str]]


class Client(Versioned):
    """A client's code."""

    language: Literal["python", "typescript"]
    code: str


class Upgraded(Versioned):
    """What changes, as people read it."""

    dry_run: bool
    text: str


class Share(TypedDict):
    """`code` is the digest of the version's modules, `here` whether this checkout renders the same."""

    worker: str
    version: str
    percent: float
    code: str
    here: bool
    since: str
    message: str


class LastUpdate(TypedDict):
    """Pulumi's."""

    result: str
    started: str


class Status(TypedDict):
    """What is live."""

    stack: str
    last_update: LastUpdate | None
    live: list[Share]
    trouble: NotRequired[str]


class Event(TypedDict):
    """A deployment or an update."""

    at: str
    what: str
    who: str
    detail: str


class Drifted(TypedDict):
    """One property of one resource; no `path` when the whole is gone."""

    name: str
    type: str
    path: str
    state: Any
    live: Any


class Drift(TypedDict):
    """The account against the state."""

    stack: str
    drift: list[Drifted]


Permission = TypedDict("Permission", {"scope": str, "name": str, "for": str})


class Secret(TypedDict):
    """`here`: whether the reference leads to a value; `deployed`: whether the live version has it. No value.

    With `policies: { secret_age }`: `since` when it has its value, and whether that is too `old`.
    """

    where: str
    reference: str
    here: bool
    deployed: bool | None
    why: str
    since: str | None
    old: bool


class Moved(TypedDict):
    """`was` is null where a Worker stays as it is."""

    worker: str
    version: str
    was: str | None


class RolledBack(OfStack):
    """What takes the traffic now."""

    workers: list[Moved]


class Adopted(OfStack):
    """How many resources."""

    adopted: int


class Reindexed(OfStack):
    """Where it stands, as people read it."""

    index: str
    text: str


class Database(OfStack):
    """What was done, as people read it; of `bookmark`, the bookmark."""

    database: str
    action: Literal["dry-run", "bookmark", "restore"]
    text: str


class Ephemeral(OfStack):
    """When it ends, ISO 8601."""

    expires: str


class Listed(TypedDict):
    """The same in a list."""

    stack: str
    expires: str


class Destroyed(Versioned):
    """By name."""

    destroyed: list[str]


class LogLine(Versioned):
    """One line of many: an event of a Worker in the form of Cloudflare's tail."""

    worker: str
    event: dict[str, Any]


RESULTS: dict[str, Any] = {
    **dict.fromkeys(("up", "refresh", "down", "promote"), Changes),
    **dict.fromkeys(("init", "add", "types", "import", "export wrangler", "gitops", "local reset"), Written),
    **dict.fromkeys(("local fault clear", "local snapshot save", "local snapshot load"), Written),
    "preview": Plan,
    "check": list[Finding],
    "env": Environment,
    "ask": Answer,
    "load": Loaded,
    "seed": Seeded,
    "setup": Setup,
    "doctor": Doctor,
    "explain": Explanation,
    "config show": Merged,
    "config diff": Differences,
    "render": Rendered | Written,
    "client": Client | Written,
    "upgrade": Upgraded,
    "status": Status,
    "history": list[Event],
    "prompts": Prompts,
    "logs": LogLine,
    "top": Top,
    "gateway test": GatewayTest,
    "console": Link,
    "load-test": LoadTest,
    "eval": Evaluated,
    "local traces": Written,
    "drift": Drift,
    "cost": dict[str, Any] | list[dict[str, Any]],
    "models": dict[str, Any] | list[dict[str, Any]],
    "permissions": list[Permission],
    "secrets check": list[Secret],
    "rollback": RolledBack,
    "adopt": Adopted,
    "reindex": Reindexed,
    "database": Database,
    "ephemeral up": Ephemeral,
    "ephemeral list": list[Listed],
    **dict.fromkeys(("ephemeral down", "ephemeral prune"), Destroyed),
    "local status": LocalStatus,
    "local stop": Stopped,
    "record": Recorded,
    "local models list": LocalPackages,
    **dict.fromkeys(("local models install", "local models remove"), LocalPackages),
    "local fault add": Planned,
    "local fault list": Faults,
    "local snapshot list": Snapshots,
    "local mails": Mails,
}


def schema_of(command: str) -> dict[str, Any]:
    """JSON Schema 2020-12. Raises `ConfigError` for what prints no JSON."""
    from pydantic import TypeAdapter

    if command not in RESULTS:
        raise ConfigError(f"`{command}` prints no JSON{closest(command, RESULTS)}\n  fix: one of: {', '.join(RESULTS)}")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"inferstack:{command.replace(' ', '-')}:1",
    }
    return {**head, **TypeAdapter(RESULTS[command]).json_schema()}
