"""`inferstack:index:VectorizeIndex`: a Vectorize index. Its configuration is immutable, so every change replaces it."""

from __future__ import annotations

import contextlib
import time
from typing import Any
from urllib.parse import quote

from inferstack.cloudflare import PERMISSIONS
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
from inferstack.provider._api import Api, Refused

METRICS = ("cosine", "euclidean", "dot-product")
CONFLICT = 409
LARGEST = 1536  # dimensions; source: Cloudflare's API, vectorize create
KIND = "Vectorize index"
NOT_YET = {404, 408, 409, 410, 425, 429}  # of an index that was made just now; any other 4xx stays as it is


class VectorizeIndex(ResourceType):
    """Inputs: accountId, name, dimensions, metric, description?. Outputs: these, createdOn, modifiedOn."""

    token = "inferstack:index:VectorizeIndex"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(f, f"`{f}` is required") for f in ("accountId", "name") if not inputs.get(f)]
        dimensions, metric = inputs.get("dimensions"), inputs.get("metric")
        if dimensions is not UNKNOWN and not (type(dimensions) is int and 1 <= dimensions <= LARGEST):
            failures.append(
                CheckFailure("dimensions", f"must be a whole number from 1 to {LARGEST}, got {dimensions!r}")
            )
        if metric is not UNKNOWN and metric not in METRICS:
            failures.append(CheckFailure("metric", f"must be one of {', '.join(METRICS)}, got {metric!r}"))
        known = {"accountId", "name", "dimensions", "metric", "description"}
        return failures + [CheckFailure(k, f"unknown input `{k}`") for k in inputs if k not in known]

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(state.inputs, inputs, lambda _: True)
        # The name is fixed in the stack, so the old index must be gone before the new one can have it.
        found.delete_before_replace = "name" not in found.changes
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {"createdOn": UNKNOWN, "modifiedOn": UNKNOWN, **inputs}

    def create(self, operation: Operation, inputs: Properties) -> State:
        api, name = Api(operation, "create", KIND, inputs["name"]), inputs["name"]
        marker = f"{inputs.get('description') or ''} [{operation.urn.split('::', 1)[1]}]".strip()
        config: Any = {"dimensions": inputs["dimensions"], "metric": inputs["metric"]}
        body = {"name": name, "config": config, "description": marker}
        try:
            made = api.call("POST", _path(inputs["accountId"]), body)["result"]
        except Refused as error:
            if error.cause.status != CONFLICT:
                raise
            # A create whose answer was lost: the index is there, and its description says that it is this one.
            made = api.call("GET", _path(inputs["accountId"], name))["result"]
            if made is None or made.get("description") != marker or _config(made) != config:
                raise
        state = State(identifier=name, outputs=_outputs(inputs, made), inputs=inputs)
        self._wait_until_usable(operation, state)
        return state

    def _wait_until_usable(self, operation: Operation, state: State) -> None:
        """A new index answers queries only after a moment."""
        pause = 0.1
        while True:
            try:
                api = Api(operation, "ask", KIND, state.identifier)
                api.call("GET", f"{_path(state.inputs['accountId'], state.identifier)}/info")
                return
            except ProviderError as error:
                if isinstance(error, Refused) and error.cause.status < 500 and error.cause.status not in NOT_YET:
                    raise PartialFailure(_refused(state.identifier, error), state.identifier, state.outputs) from None
                if time.monotonic() + pause > operation.deadline:
                    text = f"the index was created but does not answer yet: {error}"
                    raise PartialFailure(text, state.identifier, state.outputs) from None
                operation.client.clock.wait(pause)
                pause = min(pause * 2, 5)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        account, name = (state.inputs["accountId"], identifier) if state else _import_id(operation, identifier)
        api = Api(operation, "read", KIND, name)
        found = api.call("GET", _path(account, name))["result"]
        if found is None:
            raise Gone
        inputs: Properties = {"accountId": account, "name": name, **_config(found)}
        if state and state.inputs.get("description"):
            inputs["description"] = state.inputs["description"]
        return State(identifier=name, outputs=_outputs(inputs, found), inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        """Only after a partial failure: the index is there, it had not answered yet."""
        self._wait_until_usable(operation, state)
        return State(identifier=state.identifier, outputs={**state.outputs, **inputs}, inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        api = Api(operation, "delete", KIND, state.identifier)
        with contextlib.suppress(Gone):
            api.call("DELETE", _path(state.inputs["accountId"], state.identifier))


def _refused(name: str, error: Refused) -> str:
    """The first line alone: the next says that nothing was changed, which is so of a create that was refused."""
    may_not = error.cause.not_allowed
    fix = f"give the token in CLOUDFLARE_API_TOKEN `{PERMISSIONS[KIND]}` on this account, then r" if may_not else "r"
    return (
        f"{KIND} `{name}` was created, but whether it answers is not known: {str(error).splitlines()[0]}\n"
        f"  it is in the state and will be asked again\n  fix: {fix}un `up` again"
    )


def _path(account: str, *name: str) -> str:
    return "/".join([f"/accounts/{account}/vectorize/v2/indexes", *(quote(part, safe="") for part in name)])


def _config(index: Properties) -> Properties:
    return {"dimensions": int(index["config"]["dimensions"]), "metric": index["config"]["metric"]}


def _outputs(inputs: Properties, index: Properties) -> Properties:
    stamps = {"createdOn": index.get("created_on"), "modifiedOn": index.get("modified_on")}
    return {**inputs, **{key: stamp for key, stamp in stamps.items() if stamp is not None}}


def _import_id(operation: Operation, identifier: str) -> tuple[str, str]:
    account, _, name = identifier.rpartition("/")
    return account or operation.account_id, name
