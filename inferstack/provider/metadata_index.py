"""`inferstack:index:VectorizeMetadataIndex`: a property that queries may filter by. Immutable; made before vectors are.

Vectorize accepts a change and processes it later; vectors that it takes in before have no value for the property, for good. So
a create waits until it is processed: what is ingested after `up` can be found by every property.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from urllib.parse import quote

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import (
    CheckFailure,
    Gone,
    Operation,
    PartialFailure,
    Properties,
    ProviderError,
    ResourceType,
    State,
    wrong_fields,
)
from inferstack.provider._api import Api, Refused

TYPES = ("string", "number", "boolean")
KIND = "Vectorize metadata index"
OTHERS_SECONDS = 10.0  # from then on another mutation that was processed is taken for a later one: ids have no order
TURNS: defaultdict[tuple[str, str], threading.Lock] = defaultdict(
    threading.Lock
)  # one at a time of an index, for the ids
FIELDS = ("accountId", "indexName", "propertyName", "indexType")


class MetadataIndex(ResourceType):
    """Inputs: accountId, indexName, propertyName, indexType (string, number or boolean)."""

    token = "inferstack:index:VectorizeMetadataIndex"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = wrong_fields(inputs, FIELDS)
        kind = inputs.get("indexType")
        if kind is not UNKNOWN and kind not in TYPES:
            failures.append(CheckFailure("indexType", f"must be one of {', '.join(TYPES)}, got {kind!r}"))
        return failures

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(state.inputs, inputs, lambda _: True)
        found.delete_before_replace = "indexType" in found.changes
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        account, index, name = inputs["accountId"], inputs["indexName"], inputs["propertyName"]
        state = State(identifier=f"{index}/{name}", outputs=dict(inputs), inputs=inputs)
        with TURNS[account, index]:
            before = _processed(operation, account, index)
            if self._present(operation, account, index).get(name) == inputs["indexType"]:
                return state
            api = Api(operation, "create", KIND, f"{index}.{name}")
            body = {"propertyName": name, "indexType": inputs["indexType"]}
            try:
                made = api.call("POST", f"{_path(account, index)}/create", body)["result"] or {}
            except ProviderError:  # its answer may have been lost, and the second try refused
                if self._present(operation, account, index).get(name) != inputs["indexType"]:
                    raise
                made = {}
            _wait(operation, state, before, made.get("mutationId"))
        return state

    def _present(self, operation: Operation, account: str, index: str) -> dict[str, str]:
        api = Api(operation, "read", KIND, index)
        listed = api.call("GET", f"{_path(account, index)}/list")["result"] or {}
        found = listed.get("metadataIndexes") or []
        return {str(m["propertyName"]): str(m["indexType"]) for m in found}

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        *rest, index, name = identifier.split("/")
        if not index or len(rest) > 1:
            raise ProviderError(f"cannot import {KIND} `{identifier}`: the id must be `[account_id/]index/property`")
        account = state.inputs["accountId"] if state else rest[0] if rest else operation.account_id
        found = self._present(operation, account, index)
        if name not in found:
            raise Gone
        inputs = {"accountId": account, "indexName": index, "propertyName": name, "indexType": found[name]}
        return State(identifier=f"{index}/{name}", outputs=dict(inputs), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        """Only after a partial failure: it was accepted, and not processed yet."""
        if "processedBefore" in state.outputs:
            _wait(operation, state, state.outputs["processedBefore"], state.outputs.get("mutationId"))
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        account, index = state.inputs["accountId"], state.inputs["indexName"]
        api = Api(operation, "delete", KIND, state.identifier)
        with TURNS[account, index], contextlib.suppress(Gone):  # with its index
            before = _processed(operation, account, index, "delete")
            try:
                body = {"propertyName": state.inputs["propertyName"]}
                made = api.call("POST", f"{_path(account, index)}/delete", body)["result"] or {}
            except Refused as error:
                if "not_found" not in error.cause.text:
                    raise
                return
            try:
                _wait(operation, state, before, made.get("mutationId"))
            except PartialFailure as error:
                raise ProviderError(str(error)) from None


def _wait(operation: Operation, state: State, before: str, mutation: str | None) -> None:
    """Until the mutation is processed: it is the last one, or one of others came behind it."""
    account, index = state.inputs["accountId"], state.inputs["indexName"]
    started, pause = time.monotonic(), 0.1
    while True:
        now = _processed(operation, account, index)
        overtaken = now != before and (mutation is None or time.monotonic() > started + OTHERS_SECONDS)
        if now == mutation or overtaken:
            return
        if time.monotonic() + pause > operation.deadline:
            text = f"{KIND} `{state.identifier}` was accepted, but Vectorize has not processed it yet"
            fix = "run `up` again: it asks again; what is ingested before cannot be filtered by this property"
            outputs = {**state.outputs, "processedBefore": before, "mutationId": mutation}
            raise PartialFailure(f"{text}\n  fix: {fix}", state.identifier, outputs)
        operation.client.clock.wait(pause)
        pause = min(pause * 2, 2)


def _processed(operation: Operation, account: str, index: str, action: str = "ask") -> str:
    """The id of the last mutation that is visible."""
    path = f"/accounts/{account}/vectorize/v2/indexes/{quote(index, safe='')}/info"
    found = Api(operation, action, KIND, index).call("GET", path)["result"] or {}
    return str(found.get("processedUpToMutation") or "")


def _path(account: str, index: str) -> str:
    return f"/accounts/{account}/vectorize/v2/indexes/{quote(index, safe='')}/metadata_index"
