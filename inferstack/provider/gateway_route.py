"""`inferstack:index:GatewayRoute`: an AI Gateway dynamic route that changes in place.

The official resource makes a new route on every edit. Here an edit is a new version of the same route, deployed; the
route keeps its id and history. Outputs may have free keys (percentage splits).
"""

from __future__ import annotations

from typing import Any

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
)
from inferstack.provider._api import Api

KIND = "AI Gateway route"
FIELDS = ("accountId", "gatewayId", "name", "elements")


class GatewayRoute(ResourceType):
    """Inputs: accountId, gatewayId, name, elements. Outputs: these, routeId, versionId, createdAt."""

    token = "inferstack:index:GatewayRoute"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(f, f"`{f}` is required") for f in FIELDS if not inputs.get(f)]
        elements = inputs.get("elements")
        if elements is UNKNOWN or not isinstance(elements, list):
            return failures
        ids = {e.get("id") for e in elements if isinstance(e, dict)}
        for place, element in enumerate(elements):
            for name, output in (element.get("outputs") or {}).items():
                target = output.get("elementId") if isinstance(output, dict) else None
                if target is not UNKNOWN and target not in ids:
                    path = f"elements[{place}].outputs.{name}"
                    failures.append(CheckFailure(path, f"leads to `{target}`, which is no element of this route"))
        return failures

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "gatewayId"})

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        if state is None:
            return {**inputs, "routeId": UNKNOWN, "versionId": UNKNOWN, "createdAt": UNKNOWN}
        same = state.inputs.get("elements") == inputs.get("elements")
        return {**state.outputs, **inputs, "versionId": state.outputs.get("versionId") if same else UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        body = {"name": inputs["name"], "elements": inputs["elements"]}
        found = self._by_name(operation, inputs)
        if found is not None and found.get("elements") == inputs["elements"]:
            return _state(inputs, found)  # the answer to an earlier create of this route was lost
        try:
            answer = self._call(operation, "create", inputs, "POST", "", body)
        except ProviderError:
            found = self._by_name(operation, inputs)  # or the answer to this one
            if found is None or found.get("elements") != inputs["elements"]:
                raise
            return _state(inputs, found)
        return _state(inputs, answer["result"])

    def _by_name(self, operation: Operation, inputs: Properties) -> Properties | None:
        listed = self._call(operation, "read", inputs, "GET", "?per_page=100", None)
        routes = (listed.get("data") or {}).get("routes") or []
        match = next((r for r in routes if r.get("name") == inputs["name"]), None)
        return self._get(operation, inputs, match["id"]) if match else None

    def _get(self, operation: Operation, inputs: Properties, route_id: str) -> Properties:
        found: Properties = self._call(operation, "read", inputs, "GET", f"/{route_id}", None)["result"]
        return found

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            parts = identifier.split("/")
            if len(parts) not in (2, 3):
                raise ProviderError(
                    f"cannot import {KIND} `{identifier}`: the id must be `[account_id/]gateway/route_id`"
                )
            account = parts[0] if len(parts) == 3 else operation.account_id
            known: Properties = {"accountId": account, "gatewayId": parts[-2], "name": parts[-1]}
        else:
            known = state.inputs
        found = self._get(operation, known, identifier.split("/")[-1])
        live = {**known, "name": found["name"], "elements": found["elements"]}
        return _state(live, found)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        route, version = state.identifier, state.outputs.get("versionId")
        if inputs["name"] != state.inputs["name"]:
            self._call(operation, "update", inputs, "PATCH", f"/{route}", {"name": inputs["name"]})
        if inputs["elements"] != state.inputs.get("elements"):
            version = self._add_version(operation, inputs, route)
            try:
                self._call(operation, "deploy", inputs, "POST", f"/{route}/deployments", {"version_id": version})
            except ProviderError as error:
                raise PartialFailure(str(error), route, state.outputs, state.inputs) from None
        return State(identifier=route, outputs={**state.outputs, **inputs, "versionId": version}, inputs=inputs)

    def _add_version(self, operation: Operation, inputs: Properties, route: str) -> str:
        body = {"elements": inputs["elements"]}
        answer = self._call(operation, "update", inputs, "POST", f"/{route}/versions", body)["result"]
        if answer.get("version_id"):
            return str(answer["version_id"])
        listed = self._call(operation, "read", inputs, "GET", f"/{route}/versions", None)
        newest = max(listed["data"]["versions"], key=lambda v: v["created_at"])
        return str(newest["version_id"])

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}", None)
        except Gone:
            return

    def _call(self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any) -> Any:
        api = Api(operation, action, KIND, str(inputs.get("name")))
        path = f"/accounts/{inputs['accountId']}/ai-gateway/gateways/{inputs['gatewayId']}/routes{tail}"
        return api.call(method, path, body)


def _state(inputs: Properties, route: Properties) -> State:
    version = (route.get("deployment") or route.get("version") or {}).get("version_id")
    stamps = {"routeId": route["id"], "versionId": version, "createdAt": route.get("created_at")}
    return State(identifier=route["id"], outputs={**inputs, **stamps}, inputs=inputs)
