"""`inferstack:index:ProviderKey`: an external provider's key kept by AI Gateway (BYOK), by provider and alias."""

from __future__ import annotations

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

KIND = "AI Gateway provider key"
REQUIRED = ("accountId", "alias", "gatewayId", "provider", "secret")


class ProviderKey(ResourceType):
    """Inputs: accountId, gatewayId, provider, alias, secret, default?. The API never returns the secret."""

    token = "inferstack:index:ProviderKey"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, REQUIRED, ["default"])

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(state.inputs, inputs, lambda path: path != "secret")
        found.delete_before_replace = True  # one key per gateway, provider and alias
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {"secretPreview": UNKNOWN, **inputs}

    def create(self, operation: Operation, inputs: Properties) -> State:
        body = {"alias": inputs["alias"], "provider_slug": inputs["provider"], "secret": inputs["secret"]}
        body |= {"default_config": bool(inputs.get("default"))}
        made = self._call(operation, "create", inputs, "POST", "", body)["result"]
        return State(identifier=made["id"], outputs=_outputs(inputs, made), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"{KIND}s cannot be imported: the API does not return the secret")
        listed = self._call(operation, "read", state.inputs, "GET", "?per_page=100", None)["result"]
        found = next((k for k in listed or [] if k["id"] == identifier), None)
        if found is None:
            raise Gone
        live = {"provider": found["provider_slug"], "alias": found["alias"]}
        if "default" in state.inputs:
            live["default"] = bool(found.get("default_config"))
        inputs = {**state.inputs, **live}
        return State(identifier=identifier, outputs=_outputs(inputs, found), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        body = {"secret": inputs["secret"]}
        made = self._call(operation, "update", inputs, "PUT", f"/{state.identifier}", body)["result"]
        return State(identifier=state.identifier, outputs=_outputs(inputs, made), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}", None)
        except Gone:
            return

    def _call(self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any) -> Any:
        api = Api(operation, action, KIND, f"{inputs.get('provider')}/{inputs.get('alias')}")
        path = f"/accounts/{inputs['accountId']}/ai-gateway/gateways/{inputs['gatewayId']}/provider_configs{tail}"
        return api.call(method, path, body)


def _outputs(inputs: Properties, key: Properties) -> Properties:
    return {**inputs, "secretPreview": key.get("secret_preview", "")}
