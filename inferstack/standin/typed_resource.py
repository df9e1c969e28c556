"""A resource type of the official provider, driven by its table entry and attributes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from inferstack.cloudflare import ApiError, Unreachable, failed, unreachable
from inferstack.plugin.diff import Difference, compare, top_level
from inferstack.plugin.properties import UNKNOWN, Secret, has_unknown, reveal
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ProviderError, ResourceType, State
from inferstack.standin.codec import (
    LISTS,
    RESOURCES,
    attributes,
    camel,
    from_answer,
    property_name,
    settable,
    snake,
    to_wire,
    unknown_outputs,
)
from inferstack.standin.table import Spec

if TYPE_CHECKING:
    import httpx

NO_ROUTE = 7003  # the API knows no such path: nothing is said of what it would name
IDEMPOTENCY_HEADER = "x-inferstack-idempotency-key"
PRIMITIVES: dict[str, type | tuple[type, ...]] = {"string": str, "bool": bool, "int64": int, "float64": (int, float)}


class TableResource(ResourceType):
    """Requests, bodies and outputs as the table says."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.token: str = RESOURCES[spec.name]["pulumi_token"]
        self._kind = self.token.split(":")[-1]

    def check(self, inputs: Properties) -> list[CheckFailure]:
        known = {property_name(self._spec, name): a for name, a in attributes(self._spec).items()}
        strange = [prop for prop in inputs if prop not in known or not settable(known[prop])]
        failures = [CheckFailure(prop, f"{self._kind} has no input `{prop}`") for prop in strange]
        for prop, attribute in known.items():
            if attribute.get("required") and inputs.get(prop) is None:
                failures.append(CheckFailure(prop, f"{self._kind} needs `{prop}`"))
            elif not _fits(attribute, inputs.get(prop)):
                wanted = attribute.get("type") or attribute.get("nesting")
                failures.append(CheckFailure(prop, f"`{prop}` must be of type {wanted}"))
        return failures

    def mark_inputs(self, inputs: Properties) -> Properties:
        return self._marked(inputs) if self._spec.marks_inputs else inputs

    def mark_outputs(self, outputs: Properties) -> Properties:
        return self._marked(outputs)

    def _marked(self, values: Properties) -> Properties:
        """The official provider marks every value of a sensitive attribute, and the whole list or set that holds one."""
        marked = dict(values)
        for name, attribute in attributes(self._spec).items():
            prop = property_name(self._spec, name)
            sensitive = {camel(n) for n, a in attribute.get("attributes", {}).items() if a.get("sensitive")}
            items = reveal(values.get(prop))
            if attribute.get("nesting") in LISTS and isinstance(items, list) and sensitive:
                hidden = [
                    {k: Secret(v) if k in sensitive else v for k, v in item.items()} if isinstance(item, dict) else item
                    for item in items
                ]
                if any(isinstance(item, dict) and sensitive & set(item) for item in items):
                    marked[prop] = Secret(hidden)
        return marked

    def diff(self, state: State, inputs: Properties) -> Difference:
        spec = self._spec
        replace = {property_name(spec, name) for name, a in attributes(spec).items() if a.get("replace")}
        replace |= {camel(name) for name in spec.replace_also}
        any_case = {camel(name) for name in spec.any_case}

        def equal(path: str, old: Any, new: Any) -> bool:
            if path in any_case and isinstance(old, str) and isinstance(new, str):
                return old.lower() == new.lower()
            return bool(old == new)

        found = compare(state.inputs, inputs, lambda path: top_level(path) in replace, equal)
        # What the program does not say and the API decides stays as it is; an import has it among its inputs.
        decided = {property_name(spec, name) for name, a in attributes(spec).items() if a.get("computed")}
        for path in [path for path, kind in found.changes.items() if kind == "delete" and path in decided]:
            del found.changes[path]
            found.replaces.discard(path)
        if spec.update is None:
            found.replaces = set(found.changes)
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        if state is None:
            return unknown_outputs(self._spec, inputs)
        known = {**state.outputs, **inputs}
        for stamp in ("modifiedOn", "modifiedAt", "updatedOn"):
            if stamp in known:
                known[stamp] = UNKNOWN
        return known

    def create(self, operation: Operation, inputs: Properties) -> State:
        fields = self._path_fields(operation, inputs, None)
        answer = self._request("create", operation, self._spec.create, fields, to_wire(self._spec, inputs, None))
        return self._state(inputs, answer, fields)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            fields = self._import_fields(operation, identifier)
            answer = self._read(operation, fields)
            outputs = from_answer(self._spec, {}, answer, fields, live=True)
            return self._finish(self._importable_inputs(outputs), outputs, answer, fields)
        fields = self._path_fields(operation, state.inputs, state)
        answer = self._read(operation, fields)
        outputs = from_answer(self._spec, state.inputs, answer, fields, live=True)
        return self._finish(_project(state.inputs, outputs), outputs, answer, fields)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        assert self._spec.update is not None
        fields = self._path_fields(operation, inputs, state)
        method, path = self._spec.update
        body = None if method == "PATCH" and self._spec.update_headers else to_wire(self._spec, inputs, state.outputs)
        if self._spec.name == "ai_gateway_dynamic_routing":
            body = {"name": inputs["name"]}
        answer = self._request("update", operation, (method, path), fields, body)
        made = self._state(inputs, answer, fields)
        for name in self._spec.any_case:
            prop = camel(name)
            if prop in state.outputs and str(made.outputs.get(prop)).lower() == str(state.outputs[prop]).lower():
                made.outputs[prop] = state.outputs[prop]
        return made

    def delete(self, operation: Operation, state: State) -> None:
        if self._spec.delete is None:
            return
        fields = self._path_fields(operation, state.inputs, state)
        try:
            self._request("delete", operation, self._spec.delete, fields, None)
        except Gone:
            return

    def _state(self, inputs: Properties, answer: Any, fields: dict[str, Any]) -> State:
        outputs = from_answer(self._spec, inputs, answer, fields, live=False)
        return self._finish(inputs, outputs, answer, fields)

    def _finish(self, inputs: Properties, outputs: Properties, answer: Any, fields: dict[str, Any]) -> State:
        known = {**fields, "id": answer.get(self._spec.id_field) or fields.get("id", "")}
        if self._spec.id_output is not None:
            outputs["id"] = self._spec.id_output.format(**known)
        return State(identifier=self._spec.resource_id.format(**known), outputs=outputs, inputs=inputs)

    def _path_fields(self, operation: Operation, inputs: Properties, state: State | None) -> dict[str, Any]:
        fields = {snake(key): value for key, value in (state.outputs if state else {}).items()}
        fields |= (
            {name: inputs.get(property_name(self._spec, name)) for name in attributes(self._spec)}
            if not state
            else {snake(key): value for key, value in inputs.items()}
        )
        fields["account_id"] = fields.get("account_id") or operation.account_id
        fields["jurisdiction"] = fields.get("jurisdiction") or "default"
        fields["storage_class"] = fields.get("storage_class") or "Standard"
        if state is not None:
            fields["id"] = state.outputs.get(camel(self._spec.id_field)) or state.identifier
        return fields

    def _import_fields(self, operation: Operation, identifier: str) -> dict[str, Any]:
        names = self._spec.import_id.split("/")
        parts = identifier.split("/", len(names) - 1)
        if len(parts) < len([n for n in names if n != "jurisdiction"]):
            raise ProviderError(f"cannot import {self._kind} `{identifier}`: the id must be `{self._spec.import_id}`")
        fields: dict[str, Any] = dict(zip(names, parts, strict=False))
        fields.setdefault("account_id", operation.account_id)
        fields.setdefault("jurisdiction", "default")
        fields.setdefault("name", fields.get("id"))
        return fields

    def _importable_inputs(self, outputs: Properties) -> Properties:
        names = {property_name(self._spec, n): a for n, a in attributes(self._spec).items() if settable(a)}
        return {prop: value for prop, value in outputs.items() if prop in names and value not in (None, [], {})}

    def _read(self, operation: Operation, fields: dict[str, Any]) -> Any:
        method, path = self._spec.read
        if self._spec.read_query:
            path += "?" + self._spec.read_query
        answer = self._request("read", operation, (method, path), fields, None)
        if self._spec.encoding == "script":
            return self._script_answer(operation, fields, answer)
        return answer

    def _script_answer(self, operation: Operation, fields: dict[str, Any], service: Any) -> Any:
        """The official provider reads a script in two calls: the service and its settings."""
        path = "/accounts/{account_id}/workers/scripts/{script_name}/settings"
        settings = self._request("read", operation, ("GET", path), fields, None)
        return {**service["default_environment"]["script"], **{"bindings": settings.get("bindings")}}

    def _request(
        self, action: str, operation: Operation, call: tuple[str, str], fields: dict[str, Any], body: Any
    ) -> Any:
        method, template = call
        path = _fill(template, fields)
        options = self._encode(method, body, action, operation)
        headers = {key: value.format(**fields) for key, value in self._spec.headers.items()}
        if method == "PATCH":
            headers |= {key: value.format(**fields) for key, value in self._spec.update_headers.items()}
        options["headers"] = options.get("headers", {}) | headers
        name = str(fields.get("name") or fields.get("id") or fields.get("script_name") or "")
        name = str(fields.get("queue_name") or fields.get("title") or name or fields.get("domain", ""))
        try:
            response = operation.client.send(method, path, operation.deadline, **options)
        except Unreachable as error:
            raise ProviderError(unreachable(action, self._kind, name, operation.client.base_url, str(error))) from None
        if response.status_code >= 400:
            refused = ApiError.of(response)
            if refused.not_there and refused.code != NO_ROUTE and action in ("read", "delete"):
                raise Gone
            raise ProviderError(failed(action, self._kind, name, refused))
        return self._answer(response)

    def _answer(self, response: httpx.Response) -> Any:
        if self._spec.encoding == "kv":
            return {"value": response.text} if response.request.method == "GET" else {}
        body = response.json()
        result = body.get("result") if "result" in body else body.get(self._spec.answer_key or "result")
        return result if isinstance(result, dict) else {}

    def _encode(self, method: str, body: Any, action: str, operation: Operation) -> dict[str, Any]:
        if method in ("GET", "DELETE") or body is None:
            return {}
        if self._spec.encoding == "script":
            return _script_parts(body)
        if self._spec.encoding == "kv":
            note = body.get("metadata")
            parts = {"value": (None, body["value"])} | ({"metadata": (None, json.dumps(note))} if note else {})
            return {"files": parts}
        if self._spec.encoding == "schedules":
            body = [{"cron": entry["cron"]} for entry in body["schedules"]]
        options: dict[str, Any] = {"json": body}
        if action == "create":
            text = operation.urn + "\n" + json.dumps(body, sort_keys=True)
            options["headers"] = {IDEMPOTENCY_HEADER: hashlib.sha256(text.encode()).hexdigest()}
        return options


def _script_parts(body: dict[str, Any]) -> dict[str, Any]:
    content = body.pop("content", "")
    main = body.get("main_module") or body.get("body_part") or "worker.js"
    kind = body.pop("content_type", None) or (
        "application/javascript+module" if body.get("main_module") else "application/javascript"
    )
    metadata = json.dumps(body, separators=(",", ":"), sort_keys=True)
    return {"files": {main: (main, content, kind), "metadata": (None, metadata, "application/json")}}


def _fill(template: str, fields: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        return quote(str(fields.get(match.group(1), "")), safe="")

    return re.sub(r"\{(\w+)\}", value, template)


def _project(inputs: Any, outputs: Any) -> Any:
    """What the inputs would be to give these outputs: the same fields, with live values."""
    if isinstance(inputs, dict) and isinstance(outputs, dict):
        return {key: _project(value, outputs[key]) if key in outputs else value for key, value in inputs.items()}
    if isinstance(inputs, list) and isinstance(outputs, list) and len(inputs) == len(outputs):
        return [_project(a, b) for a, b in zip(inputs, outputs, strict=True)]
    return outputs


def _fits(attribute: dict[str, Any], value: Any) -> bool:
    if value is None or value is UNKNOWN or has_unknown(value):
        return True
    if attribute.get("nesting") in LISTS:
        return isinstance(value, list)
    if "attributes" in attribute:
        return isinstance(value, dict)
    wanted = PRIMITIVES.get(str(attribute.get("type")))
    if wanted is None:
        return True
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
