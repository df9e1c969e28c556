"""`inferstack:index:SearchNamespace`: a namespace of AI Search. The official provider has none (6.23.1)."""

from __future__ import annotations

from typing import Any

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ResourceType, State, wrong_fields
from inferstack.provider._api import Api

KIND = "AI Search namespace"
FIELDS = ("accountId", "name")


class SearchNamespace(ResourceType):
    """Inputs: accountId, name, description. Its id is the name. One that holds instances is not deleted."""

    token = "inferstack:index:SearchNamespace"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, FIELDS, ["description"])

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in FIELDS)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        body = {"name": inputs["name"], "description": inputs.get("description") or ""}
        self._call(operation, "create", inputs, "POST", "", body)
        return State(identifier=inputs["name"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        *rest, name = identifier.split("/")
        account = state.inputs["accountId"] if state else rest[0] if rest else operation.account_id
        found = self._call(operation, "read", {"accountId": account, "name": name}, "GET", f"/{name}")
        inputs: Properties = {"accountId": account, "name": name}
        inputs |= {"description": found["description"]} if found.get("description") else {}
        return State(identifier=name, outputs=dict(inputs), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        body = {"description": inputs.get("description") or ""}
        self._call(operation, "update", inputs, "PUT", f"/{inputs['name']}", body)
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}")
        except Gone:
            return

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> Any:
        api = Api(operation, action, KIND, inputs["name"])
        return api.call(method, f"/accounts/{inputs['accountId']}/ai-search/namespaces{tail}", body)["result"]
