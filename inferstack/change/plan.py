"""What an update would do, for a person to judge: changes, data that would be lost, code, cost, findings."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata, StepEventStateMetadata

from inferstack.resources import official, own
from inferstack.resources.prompt import Prompt

DATA = {
    official.D1Database.token,
    official.R2Bucket.token,
    official.WorkersKvNamespace.token,
    official.Queue.token,
    own.VectorizeIndex.token,
    official.Workflow.token,
    official.WorkersForPlatformsDispatchNamespace.token,
}
VERSION, WORKER = official.WorkerVersion.token, official.Worker.token
WORDS = {"create": "create", "update": "update", "delete": "delete", "replace": "replace"}
PROTECTED = "because it is protected"  # the engine's words
MOST_LINES = 200  # of one module's difference; the rest is counted


@dataclass(frozen=True, slots=True)
class Change:
    """One resource; `paths` are the properties that change, those in `replacing` need a new one.

    `drops` are classes of Durable Objects that it deletes, with all that they hold; `workflow` is the name on Cloudflare of
    one that it deletes.
    """

    op: str
    type: str
    name: str
    urn: str
    paths: tuple[str, ...] = ()
    replacing: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    workflow: str | None = None

    @property
    def kind(self) -> str:
        """The last part of the type: D1Database."""
        return self.type.rpartition(":")[2]

    @property
    def loses_data(self) -> bool:
        return (self.op in ("replace", "delete") and self.type in DATA) or bool(self.drops)


@dataclass(slots=True)
class Plan:
    """Everything of one preview."""

    stack: str
    protected: bool
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    code: dict[str, list[str]] = field(default_factory=dict)  # by Worker: lines of a unified difference
    prompts: dict[str, list[str]] = field(default_factory=dict)  # the same by prompt
    cost: tuple[dict[str, float], dict[str, float]] | None = None  # US dollars a month by resource: before, after
    findings: list[dict[str, Any]] = field(default_factory=list)
    allowed: frozenset[str] = frozenset()
    running: dict[str, list[str]] = field(default_factory=dict)  # by name of a change: instances that have not ended

    @property
    def losses(self) -> list[Change]:
        return [change for change in self.changes if change.loses_data]

    @property
    def refused(self) -> list[Change]:
        """Losses in a protected environment that nobody has named."""
        return [change for change in self.losses if self.protected and change.name not in self.allowed]

    def counts(self) -> dict[str, int]:
        found = {word: sum(change.op == word for change in self.changes) for word in WORDS}
        return {word: number for word, number in found.items() if number}


class Collector:
    """Listens to the engine."""

    def __init__(self) -> None:
        self.steps: list[StepEventMetadata] = []
        self._errors: list[str] = []

    @property
    def only_protected(self) -> bool:
        """Whether the preview failed for nothing but a protected resource that would be deleted."""
        return any(PROTECTED in text for text in self._errors) and all(
            PROTECTED in text or text.strip() == "preview failed" for text in self._errors
        )

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self.steps.append(event.resource_pre_event.metadata)
        if event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            self._errors.append(event.diagnostic_event.message)

    def fill(self, plan: Plan) -> None:
        going = {_name(s.urn) for s in self.steps if s.type == WORKER and s.op.value in ("delete", "replace")}
        for step in self.steps:
            op = step.op.value
            if op == "same":
                plan.unchanged += not step.type.startswith("pulumi:providers:")
            elif op in WORDS and not step.type.startswith("pulumi:"):
                plan.changes.append(_change(op, step, going))
            if step.type == VERSION and op in ("create", "replace"):
                old, new = _modules(_inputs(step.old)), _modules(_inputs(step.new))
                plan.code[_name(step.urn).removesuffix("-version")] = _difference(old, new)
            if step.type == Prompt.token and op == "update":
                plan.prompts[_name(step.urn)] = _words(_inputs(step.old), _inputs(step.new))


def _change(op: str, step: StepEventMetadata, going: set[str]) -> Change:
    kinds = {path: diff.diff_kind.value for path, diff in (step.detailed_diff or {}).items()}
    replacing = tuple(sorted(path for path, kind in kinds.items() if kind.endswith("-replace")))
    paths = tuple(sorted(kinds) or sorted(step.diffs or []))
    if step.type == Prompt.token and op == "update":  # the engine tells no paths of components
        before, after = _inputs(step.old), _inputs(step.new)
        paths = tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
    replacing = replacing or tuple(sorted(step.keys or []))
    flow = official.Workflow.token == step.type and op in ("delete", "replace") and step.old is not None
    workflow = str((step.old.inputs or {}).get("workflowName")) if flow and step.old else None
    return Change(op, step.type, _name(step.urn), step.urn, paths, replacing, _drops(op, step, going), workflow)


def _drops(op: str, step: StepEventMetadata, going: set[str]) -> tuple[str, ...]:
    """Those that an update says to delete, if they were there before; or all, when their Worker goes."""
    if step.type != own.ObjectMigrations.token or step.old is None:
        return ()
    before = step.old.inputs or {}
    there = [str(each["name"]) for each in before.get("classes") or []]
    if op in ("delete", "replace"):
        return tuple(there) if _name(step.urn).removesuffix("-objects") in going else ()
    after = (step.new.inputs if step.new else None) or {}
    return tuple(name for name in after.get("deleted") or [] if name in there)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _inputs(state: StepEventStateMetadata | None) -> Mapping[str, Any]:
    return (state.inputs if state else None) or {}


def _difference(old: dict[str, str], new: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        if name not in old or name not in new:
            lines.append(f"+++ {name}: {len(after)} lines" if name in new else f"--- {name}: {len(before)} lines")
            continue
        changed = list(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="", n=2))
        lines += changed[:MOST_LINES]
        lines += [f"… {len(changed) - MOST_LINES} more lines"] if len(changed) > MOST_LINES else []
    return lines


def _words(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What another version of a prompt says otherwise."""
    before, after = str(old.get("text", "")).splitlines(), str(new.get("text", "")).splitlines()
    names = (f"version {old.get('version')}", f"version {new.get('version')}")
    return list(difflib.unified_diff(before, after, *names, lineterm="", n=2))


def _modules(inputs: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for module in inputs.get("modules") or []:
        content = base64.b64decode(module.get("contentBase64") or "")
        found[module["name"]] = content.decode(errors="replace")
    return found
