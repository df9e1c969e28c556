"""`inferstack:index:TelemetryDestination`: where Workers' traces or logs are sent to by OTLP; Workers name it by its slug."""

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

KIND = "telemetry destination"
FIELDS = ("accountId", "name", "url", "dataset")
FIXED = ("accountId", "name", "dataset")  # the API changes the address and the headers only


class TelemetryDestination(ResourceType):
    """Inputs: accountId, name, url, dataset (opentelemetry-traces or -logs), headers?. Output: slug.

    The API tells no headers: a change of them elsewhere is not seen.
    """

    token = "inferstack:index:TelemetryDestination"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, FIELDS, ["headers"])

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda field: field in FIXED)

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {**inputs, "slug": state.outputs["slug"] if state else UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        configuration = _configuration(inputs) | {"logpushDataset": inputs["dataset"]}
        body = {"name": inputs["name"], "enabled": True, "configuration": configuration}
        try:
            made = self._call(operation, "create", inputs, "POST", "", body)
        except ProviderError:  # its answer may have been lost, and the second try refused
            made = self._find(operation, inputs, lambda each: each["name"] == inputs["name"])
            if made is None or made["configuration"]["url"] != inputs["url"]:
                raise
        return _state(made["slug"], inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        *rest, slug = identifier.split("/")
        account = state.inputs["accountId"] if state else rest[0] if rest else operation.account_id
        asked = {"accountId": account, "name": slug}
        found = self._find(operation, asked, lambda each: each["slug"] == slug)
        if found is None:
            raise Gone(f"there is no {KIND} {slug}")
        configuration = found["configuration"]
        inputs: Properties = {"accountId": account, "name": found["name"], "url": configuration["url"]}
        inputs["dataset"] = configuration["logpushDataset"]
        kept = state.inputs.get("headers") if state else None
        return _state(slug, inputs | ({"headers": kept} if kept else {}))

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        body = {"enabled": True, "configuration": _configuration(inputs)}
        self._call(operation, "update", inputs, "PATCH", f"/{state.identifier}", body)
        return _state(state.identifier, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        try:
            self._call(operation, "delete", state.inputs, "DELETE", f"/{state.identifier}")
        except Gone:
            return

    def _find(self, operation: Operation, inputs: Properties, fits: Any) -> Properties | None:
        listed = self._call(operation, "read", inputs, "GET", "?per_page=100") or []
        return next((each for each in listed if fits(each)), None)

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> Any:
        api = Api(operation, action, KIND, inputs["name"])
        path = f"/accounts/{inputs['accountId']}/workers/observability/destinations{tail}"
        return api.call(method, path, body)["result"]


def _configuration(inputs: Properties) -> dict[str, Any]:
    return {"type": "logpush", "url": inputs["url"], "headers": inputs.get("headers") or {}}


def _state(slug: str, inputs: Properties) -> State:
    return State(identifier=slug, outputs={**inputs, "slug": slug}, inputs=dict(inputs))
