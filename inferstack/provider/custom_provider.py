"""`inferstack:index:CustomProvider`: an endpoint of one's own that AI Gateway calls, as `custom-<slug>`. Immutable."""

from __future__ import annotations

from typing import Any

from inferstack.plugin.diff import Difference, compare
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

KIND = "AI Gateway custom provider"
FIELDS = ("accountId", "slug", "baseUrl")


class CustomProvider(ResourceType):
    """Inputs: accountId, slug, baseUrl. The API has no update."""

    token = "inferstack:index:CustomProvider"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, FIELDS)

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(state.inputs, inputs, lambda _: True)
        found.delete_before_replace = True  # one provider for each slug
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        slug, url = inputs["slug"], inputs["baseUrl"]
        try:
            made = self._call(operation, "create", inputs, "POST", "", {"name": slug, "slug": slug, "base_url": url})
        except ProviderError:  # its answer may have been lost, and the second try refused
            made = self._find(operation, inputs)
            if made is None or made["base_url"] != url:
                raise
        return State(identifier=made["id"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        *rest, bare = identifier.split("/")
        account = state.inputs["accountId"] if state else rest[0] if rest else operation.account_id
        found = self._call(operation, "read", {"accountId": account, "slug": bare}, "GET", f"/{bare}")
        inputs = {"accountId": account, "slug": found["slug"], "baseUrl": found["base_url"]}
        return State(identifier=bare, outputs=dict(inputs), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}")
        except Gone:
            return

    def _find(self, operation: Operation, inputs: Properties) -> Properties | None:
        listed = self._call(operation, "read", inputs, "GET", f"?per_page=100&search={inputs['slug']}") or []
        return next((entry for entry in listed if entry["slug"] == inputs["slug"]), None)

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> Any:
        api = Api(operation, action, KIND, inputs["slug"])
        return api.call(method, f"/accounts/{inputs['accountId']}/ai-gateway/custom-providers{tail}", body)["result"]
