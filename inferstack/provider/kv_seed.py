"""`inferstack:index:KvSeed`: keys and values that a file puts into a KV namespace.

An update writes what changed and deletes keys that left the file. What a Worker writes over a seed, or deletes of it, stays so
until the file changes there: a seed is a beginning, not the truth.
"""

from __future__ import annotations

from typing import Any

from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, State, wrong_fields
from inferstack.provider._api import Api
from inferstack.provider._seed import Seed

KIND = "KV seed"


class KvSeed(Seed):
    """Inputs: accountId, namespaceId, file (for messages), values {key: text}. Its id is the namespace's."""

    token = "inferstack:index:KvSeed"  # noqa: S105 - a type token
    store = "namespaceId"

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = wrong_fields(inputs, ("accountId", self.store, "file"), ["values"])
        values = inputs.get("values")
        texts = isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
        if values is not UNKNOWN and not texts:
            failures.append(CheckFailure("values", "must be texts by key"))
        return failures

    def create(self, operation: Operation, inputs: Properties) -> State:
        self._write(operation, "create", inputs, inputs["values"])
        return self.written(inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise Gone  # which of its keys came from a file, no namespace says
        self._call(operation, "read", state.inputs, "GET", "")
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        before, now = state.inputs["values"], inputs["values"]
        self._write(operation, "update", inputs, {key: v for key, v in now.items() if before.get(key) != v})
        self._remove(operation, "update", inputs, [key for key in before if key not in now])
        return self.written(inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._remove(operation, "delete", state.inputs, list(state.inputs["values"]))
        except Gone:
            return

    def _write(self, operation: Operation, action: str, inputs: Properties, values: dict[str, str]) -> None:
        if values:
            body = [{"key": key, "value": value} for key, value in values.items()]
            self._call(operation, action, inputs, "PUT", "/bulk", body)

    def _remove(self, operation: Operation, action: str, inputs: Properties, keys: list[str]) -> None:
        if keys:
            self._call(operation, action, inputs, "POST", "/bulk/delete", keys)

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> None:
        path = f"/accounts/{inputs['accountId']}/storage/kv/namespaces/{inputs['namespaceId']}{tail}"
        Api(operation, action, KIND, str(inputs["file"])).call(method, path, body)
