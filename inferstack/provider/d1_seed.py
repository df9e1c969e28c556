"""`inferstack:index:D1Seed`: rows that a file of SQL puts into a D1 database, after its migrations.

The whole file goes in one request, when it is new and whenever it changed: after a failure the database is as it was. What
Workers write over it stays until then. No database says which of its rows came from a file, so that nothing is taken back.
"""

from __future__ import annotations

from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ProviderError, State, wrong_fields
from inferstack.provider._api import Api
from inferstack.provider._seed import Seed

KIND = "D1 seed"


class D1Seed(Seed):
    """Inputs: accountId, databaseId, file (for messages), sql. Its id is the database's."""

    token = "inferstack:index:D1Seed"  # noqa: S105 - a type token
    store = "databaseId"

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = wrong_fields(inputs, ("accountId", self.store, "file"), ["sql"])
        sql = inputs.get("sql")
        if sql is not UNKNOWN and not isinstance(sql, str):
            failures.append(CheckFailure("sql", "must be text"))
        return failures

    def create(self, operation: Operation, inputs: Properties) -> State:
        self._run(operation, "create", inputs)
        return self.written(inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise Gone
        _api(operation, "read", state.inputs).call("GET", _path(state.inputs))
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        self._run(operation, "update", inputs)
        return self.written(inputs)

    def delete(self, operation: Operation, state: State) -> None:
        """Nothing: rows are data."""

    def _run(self, operation: Operation, action: str, inputs: Properties) -> None:
        try:
            _api(operation, action, inputs).call("POST", f"{_path(inputs)}/query", {"sql": inputs["sql"]})
        except ProviderError as error:
            raise ProviderError(f"{inputs['file']}: {error}\n  no row of it was written") from None


def _api(operation: Operation, action: str, inputs: Properties) -> Api:
    return Api(operation, action, KIND, str(inputs["file"]))


def _path(inputs: Properties) -> str:
    return f"/accounts/{inputs['accountId']}/d1/database/{inputs['databaseId']}"
