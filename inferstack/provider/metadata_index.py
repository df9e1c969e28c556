"""`inferstack:index:VectorizeMetadataIndex`: a property that queries may filter by. Immutable; made before vectors are."""

from __future__ import annotations

from urllib.parse import quote

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
from inferstack.provider._api import Api, Refused

TYPES = ("string", "number", "boolean")
KIND = "Vectorize metadata index"
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
        index, name = inputs["indexName"], inputs["propertyName"]
        if self._present(operation, inputs["accountId"], index).get(name) != inputs["indexType"]:
            api = Api(operation, "create", KIND, f"{index}.{name}")
            try:
                body = {"propertyName": name, "indexType": inputs["indexType"]}
                api.call("POST", f"{_path(inputs['accountId'], index)}/create", body)
            except ProviderError:  # its answer may have been lost, and the second try refused
                if self._present(operation, inputs["accountId"], index).get(name) != inputs["indexType"]:
                    raise
        return State(identifier=f"{index}/{name}", outputs=dict(inputs), inputs=inputs)

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
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        api = Api(operation, "delete", KIND, state.identifier)
        path = f"{_path(state.inputs['accountId'], state.inputs['indexName'])}/delete"
        try:
            api.call("POST", path, {"propertyName": state.inputs["propertyName"]})
        except Gone:
            pass
        except Refused as error:
            if "not_found" not in error.cause.text:
                raise


def _path(account: str, index: str) -> str:
    return f"/accounts/{account}/vectorize/v2/indexes/{quote(index, safe='')}/metadata_index"
