"""`inferstack:index:ObjectMigrations`: which Durable Object migration a Worker's next version must carry.

It changes nothing itself: Cloudflare applies migrations with the version that carries them. What is due is told by the
namespaces that the account has, so that a class is made once, however often the Worker is deployed.

Inputs: accountId, scriptName, classes [{name, storage, renamedFrom?, fromScript?}], deleted [name], content (a digest of
the version: when it changes, what is due is asked again). Outputs: these, migrations (null when none is due).
"""

from __future__ import annotations

import re
from typing import Any

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import (
    CheckFailure,
    Gone,
    Operation,
    Properties,
    ProviderError,
    ResourceType,
    State,
    wrong_fields,
)
from inferstack.provider._api import Api

KIND = "Durable Object migrations"
REQUIRED, OPTIONAL = ("accountId", "scriptName", "content"), ("classes", "deleted")
PAGE = 1000
NEW = {"sqlite": "newSqliteClasses", "legacy-kv": "newClasses"}


class ObjectMigrations(ResourceType):
    """Deleting it deletes nothing: the classes go with their Worker."""

    token = "inferstack:index:ObjectMigrations"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, REQUIRED, OPTIONAL)

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "scriptName"})

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {**inputs, "migrations": UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        due = _Due(operation, inputs).migrations()
        identifier = f"{inputs['accountId']}/{inputs['scriptName']}"
        return State(identifier=identifier, outputs={**inputs, "migrations": due}, inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        """What was due stays in the state: the version that carried it has it as an input."""
        if state is None:
            raise ProviderError(
                f"cannot import {KIND} `{identifier}`: `inferstack adopt` takes over Workers with objects"
            )
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        return self.create(operation, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return


class _Due:
    """What the account has, against what is wanted."""

    def __init__(self, operation: Operation, inputs: Properties) -> None:
        self._api = Api(operation, "read", KIND, str(inputs["scriptName"]))
        self._inputs, self._script = inputs, str(inputs["scriptName"])
        self._account = f"/accounts/{inputs['accountId']}/workers"

    def migrations(self) -> Properties | None:
        there = self._there()
        mine = {name for script, name in there if script == self._script}
        step: dict[str, list[Any]] = {}
        for wanted in self._inputs.get("classes") or []:
            if wanted["name"] in mine:
                continue
            former, script = wanted.get("renamedFrom") or wanted["name"], wanted.get("fromScript") or self._script
            if (script, former) not in there or (script, former) == (self._script, wanted["name"]):
                step.setdefault(NEW[wanted["storage"]], []).append(wanted["name"])
            elif script == self._script:
                step.setdefault("renamedClasses", []).append({"from": former, "to": wanted["name"]})
            else:
                move = {"from": former, "fromScript": script, "to": wanted["name"]}
                step.setdefault("transferredClasses", []).append(move)
        gone = [name for name in self._inputs.get("deleted") or [] if name in mine]
        if gone:
            step["deletedClasses"] = gone
        if not step:
            return None
        tag = self._tag()
        return {**({"oldTag": tag} if tag else {}), "newTag": _next(tag), **step}

    def _there(self) -> set[tuple[str, str]]:
        """(script, class) of every namespace."""
        found: set[tuple[str, str]] = set()
        page = 1
        while True:
            path = f"{self._account}/durable_objects/namespaces?per_page={PAGE}&page={page}"
            listed = self._api.call("GET", path)["result"] or []
            found |= {(str(each.get("script")), str(each.get("class"))) for each in listed}
            if len(listed) < PAGE:
                return found
            page += 1

    def _tag(self) -> str | None:
        """Of the last migration; a Worker without a version has none."""
        try:
            service = self._api.call("GET", f"{self._account}/services/{self._script}")["result"]
        except Gone:
            return None
        tag = ((service.get("default_environment") or {}).get("script") or {}).get("migration_tag")
        return str(tag) if tag else None


def _next(tag: str | None) -> str:
    """`v3` → `v4`: tags as people write them, so that wrangler goes on where this stops."""
    match = re.fullmatch(r"(.*?)([0-9]{1,9})", tag or "v0")
    return f"{match[1]}{int(match[2]) + 1}" if match else f"{tag}-2"
