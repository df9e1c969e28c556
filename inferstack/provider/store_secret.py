"""`inferstack:index:StoreSecret`: a secret of the account's Secrets Store, which Workers read while they run.

With `value` this stack keeps it: a new value reaches Workers without a new version. Without, somebody else does, and
the secret has to be there. `comment` marks the ones this stack made: only those are ever written over.
"""

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

KIND = "Secrets Store secret"
REQUIRED = ("accountId", "name", "comment")
STORE = "default_secrets_store"  # as Cloudflare's dashboard calls the first one


class StoreSecret(ResourceType):
    """Inputs: accountId, name, comment, value?. Outputs: the inputs, storeId. The API never returns a value."""

    token = "inferstack:index:StoreSecret"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        return wrong_fields(inputs, REQUIRED, ["value"])

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(state.inputs, inputs, lambda path: path in ("accountId", "name"))
        if found.changes.get("value") in ("add", "delete"):  # another one keeps it now
            found.replaces.add("value")
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return {**inputs, "storeId": state.outputs["storeId"] if state else UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> State:
        account, name = inputs["accountId"], inputs["name"]
        store = self._store(operation, inputs)
        found = self._find(operation, account, store, name)
        if "value" not in inputs:
            if found is None:
                text = f"there is no {KIND} `{name}` in this account\n  fix: wrangler secrets-store secret create, or"
                raise ProviderError(f"{text} declare it under `secrets_store:`")
            return _state(store, found["id"], inputs)
        if found is None:
            entry = {"name": name, "scopes": ["workers"], "value": inputs["value"], "comment": inputs["comment"]}
            try:
                made = self._call(operation, "create", inputs, "POST", f"/{store}/secrets", [entry])
                return _state(store, made[0]["id"], inputs)
            except ProviderError:  # its answer may have been lost, and the second try refused
                found = self._find(operation, account, store, name)
                if found is None:
                    raise
        if found.get("comment") != inputs["comment"]:
            text = f"cannot create {KIND} `{name}`: it is there, and this stack did not make it\n  fix: refer to it as"
            raise ProviderError(f"{text} `store:{name}` without declaring it, or declare another name")
        self._call(operation, "create", inputs, "PATCH", f"/{store}/secrets/{found['id']}", {"value": inputs["value"]})
        return _state(store, found["id"], inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        store, _, secret = identifier.partition("/")
        if state is None:
            raise ProviderError(
                f"{KIND}s cannot be imported: the API does not return the value; `up` takes its own over"
            )
        listed = self._listed(operation, state.inputs, store)
        found = next((entry for entry in listed if entry["id"] == secret), None)
        if found is None:
            raise Gone
        seen = {"comment": found.get("comment", "")} if "value" in state.inputs else {}
        return _state(store, secret, {**state.inputs, "name": found["name"], **seen})

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        store, _, secret = state.identifier.partition("/")
        if "value" in inputs:
            body = {"value": inputs["value"], "comment": inputs["comment"]}
            self._call(operation, "update", inputs, "PATCH", f"/{store}/secrets/{secret}", body)
        return _state(store, secret, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        store, _, secret = state.identifier.partition("/")
        kept_here = "value" in state.inputs
        if kept_here and any(entry["id"] == secret for entry in self._listed(operation, state.inputs, store)):
            self._call(operation, "delete", state.inputs, "DELETE", f"/{store}/secrets/{secret}")

    def _store(self, operation: Operation, inputs: Properties) -> str:
        """The account's store; made when this stack has a secret to put into it."""
        stores = self._call(operation, "read", inputs, "GET", "") or []
        if not stores and "value" not in inputs:
            raise ProviderError(f"there is no {KIND} `{inputs['name']}`: this account has no Secrets Store yet")
        if not stores:
            try:
                stores = [self._call(operation, "create", inputs, "POST", "", {"name": STORE})]
            except ProviderError:  # lost and refused, as above; or another stack was first
                stores = self._call(operation, "read", inputs, "GET", "") or []
                if not stores:
                    raise
        return str(stores[0]["id"])

    def _find(self, operation: Operation, account: str, store: str, name: str) -> Properties | None:
        listed = self._listed(operation, {"accountId": account, "name": name}, store)
        return next((entry for entry in listed if entry["name"] == name), None)

    def _listed(self, operation: Operation, inputs: Properties, store: str) -> list[Properties]:
        query = f"?per_page=100&search={inputs['name']}"
        return self._call(operation, "read", inputs, "GET", f"/{store}/secrets{query}") or []

    def _call(
        self, operation: Operation, action: str, inputs: Properties, method: str, tail: str, body: Any = None
    ) -> Any:
        api = Api(operation, action, KIND, inputs["name"])
        return api.call(method, f"/accounts/{inputs['accountId']}/secrets_store/stores{tail}", body).get("result")


def _state(store: str, secret: str, inputs: Properties) -> State:
    return State(identifier=f"{store}/{secret}", outputs={**inputs, "storeId": store}, inputs=inputs)
