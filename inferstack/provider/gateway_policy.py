"""`inferstack:index:GatewayPolicy`: who may call which model of an AI Gateway, and for how much. Changed in place.

API: https://developers.cloudflare.com/ai-gateway/features/policies/ (beta, 2026-11-27). Every change is committed at once.
"""

from __future__ import annotations

from typing import Any

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.resource import (
    CheckFailure,
    Gone,
    Operation,
    Properties,
    ResourceType,
    State,
    wrong_fields,
)
from inferstack.provider._api import Api

KIND = "AI Gateway policy"
FIELDS = ("accountId", "gatewayId", "name", "actor", "resource", "condition", "action")
SENT = ("name", "actor", "resource", "condition", "action")
FIXED = ("accountId", "gatewayId")


class GatewayPolicy(ResourceType):
    """Inputs: accountId, gatewayId, name, actor, resource, condition, action."""

    token = "inferstack:index:GatewayPolicy"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, FIELDS)

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda name: name in FIXED)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        body = {name: inputs[name] for name in SENT}
        found = self._find(operation, inputs)  # the answer of an earlier try may have been lost
        if found is None:
            found = self._call(operation, "create", inputs, "POST", "?commit=true", body)["result"]
        return State(identifier=found["id"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        """Imported by `account/gateway/id`, or `gateway/id` of the account at hand."""
        *rest, bare = identifier.split("/")
        known: dict[str, Any] = dict(state.inputs) if state else {}
        if not known:
            known = {"accountId": rest[0] if len(rest) > 1 else operation.account_id, "gatewayId": rest[-1]}
        known.setdefault("name", bare)
        found = self._call(operation, "read", known, "GET", f"/{bare}")["result"]
        inputs = {name: known[name] for name in FIXED} | {name: found[name] for name in SENT}
        return State(identifier=bare, outputs=dict(inputs), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        body = {name: inputs[name] for name in SENT}
        self._call(operation, "update", inputs, "PUT", f"/{state.identifier}?commit=true", body)
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}")
        except Gone:
            return

    def _find(self, operation: Operation, inputs: Properties) -> Properties | None:
        """The very same one: another of its name is somebody else's, and names need not differ."""
        listed = self._call(operation, "read", inputs, "GET", "")["result"] or []
        return next((entry for entry in listed if all(entry[f] == inputs[f] for f in SENT)), None)

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> Any:
        api = Api(operation, action, KIND, inputs["name"])
        base = f"/accounts/{inputs['accountId']}/ai-gateway/gateways/{inputs['gatewayId']}/policies"
        return api.call(method, base + tail, body)
