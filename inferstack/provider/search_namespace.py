"""`inferstack:index:SearchNamespace`: a namespace of AI Search. The official provider has none (6.23.1)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ResourceType, State, wrong_fields
from inferstack.provider._api import Api, Refused

KIND = "AI Search namespace"
CONFLICT = 409
MARK = re.compile(r" ?\[inferstack [0-9a-f]{12}\]$")
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
        marked = _marked(operation, inputs)
        try:
            self._call(operation, "create", inputs, "POST", "", {"name": inputs["name"], "description": marked})
        except Refused as error:
            if error.cause.status != CONFLICT:
                raise
            # A create whose answer was lost: the namespace is there, and its description says that it is this one.
            found = self._call(operation, "create", inputs, "GET", f"/{inputs['name']}")
            if found.get("description") != marked:
                raise
        return State(identifier=inputs["name"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        *rest, name = identifier.split("/")
        account = state.inputs["accountId"] if state else rest[0] if rest else operation.account_id
        found = self._call(operation, "read", {"accountId": account, "name": name}, "GET", f"/{name}")
        inputs: Properties = {"accountId": account, "name": name}
        said = MARK.sub("", found.get("description") or "")
        inputs |= {"description": said} if said else {}
        return State(identifier=name, outputs=dict(inputs), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        body = {"description": _marked(operation, inputs)}
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


def _marked(operation: Operation, inputs: Properties) -> str:
    """The description, and which resource of which stack it is of; Cloudflare takes 256 signs."""
    mark = hashlib.sha256(operation.urn.encode()).hexdigest()[:12]
    return f"{inputs.get('description') or ''} [inferstack {mark}]".strip()
