"""Between Pulumi's properties (camelCase) and the wire, by the attributes of the official provider.

The rules were read off its recordings: defaults are sent where the schema states them, an unset value that the API
computes is not sent, a nested object that the API filled is sent back on update, JSON texts go as objects.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from inferstack.plugin.properties import UNKNOWN
from inferstack.standin.table import Spec

Attributes = dict[str, dict[str, Any]]
RESOURCES: dict[str, Any] = json.loads((Path(__file__).parent / "resources.json").read_text())["resources"]
LISTS = ("list", "set")
PROPS = {"optional": True, "type": "normalized"}  # of a binding to a Worker; the official provider (6.23.1) has none
RESOURCES["worker_version"]["attributes"]["bindings"]["attributes"]["props"] = PROPS
SPECIAL_NAMES = {
    ("ai_gateway", "id"): "aiGatewayId",
    ("ai_gateway", "otel"): "otels",
    ("ai_search_instance", "id"): "aiSearchInstanceId",
    ("ai_search_instance", "custom_metadata"): "customMetadatas",
}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def property_name(spec: Spec, attribute: str) -> str:
    return SPECIAL_NAMES.get((spec.name, attribute), camel(attribute))


def attributes(spec: Spec) -> Attributes:
    found: Attributes = RESOURCES[spec.name]["attributes"]
    return found


def settable(attribute: dict[str, Any]) -> bool:
    return bool(attribute.get("required") or attribute.get("optional"))


def default_of(attribute: dict[str, Any]) -> Any:
    """The schema's default (`value defaults to 1.000000`), None where there is none."""
    text = str(attribute.get("default", "")).removeprefix("value defaults to ")
    if not text or text == str(attribute.get("default", "")):
        return None
    if "attributes" in attribute and attribute.get("nesting") == "single":
        filled = {name: default_of(inner) for name, inner in attribute["attributes"].items()}
        return {name: value for name, value in filled.items() if value is not None}
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return int(value) if isinstance(value, float) and value.is_integer() else value


def to_wire(spec: Spec, inputs: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
    """The request body; `state` (outputs) is given on update."""
    body: dict[str, Any] = {}
    for name, attribute in attributes(spec).items():
        if name in spec.path_only or name == "account_id" or not settable(attribute):
            continue
        prop = property_name(spec, name)
        value = _encode(spec, attribute, inputs.get(prop), (state or {}).get(prop))
        if value is not None:
            body[_wire_name(spec, name)] = value
    if isinstance(body.get("bindings"), list):
        body["bindings"] = sorted(body["bindings"], key=lambda binding: str(binding.get("name")))
    return body


def _wire_name(spec: Spec, name: str) -> str:
    return spec.wire.get(name) or (camel(name) if spec.camel else name)


def _encode(spec: Spec, attribute: dict[str, Any], value: Any, state: Any) -> Any:
    inner = attribute.get("attributes")
    if value is None:
        kept = inner and attribute.get("nesting") == "single" and any("default" in a for a in inner.values())
        if kept and isinstance(state, dict):
            value = state
        else:
            return default_of(attribute)
    if inner and attribute.get("nesting") in LISTS:
        return [_encode_object(spec, inner, item, None) for item in value]
    if inner and attribute.get("nesting") == "map":
        return {key: _encode_object(spec, inner, item, None) for key, item in value.items()}
    if inner:
        return _encode_object(spec, inner, value, state if isinstance(state, dict) else None)
    if attribute.get("type") == "normalized" and isinstance(value, str):
        return json.loads(value)
    return value


def _encode_object(spec: Spec, inner: Attributes, value: dict[str, Any], state: dict[str, Any] | None) -> Any:
    out: dict[str, Any] = {}
    for name, attribute in inner.items():
        if not settable(attribute) or name in {"content_file", "content_sha256"}:
            continue
        prop = camel(name)
        encoded = _encode(spec, attribute, value.get(prop), (state or {}).get(prop))
        if encoded is not None:
            out[_wire_name(spec, name)] = encoded
    if value.get("contentFile"):
        out["content_base64"] = base64.b64encode(Path(value["contentFile"]).read_bytes()).decode()
    return out


def from_answer(
    spec: Spec, inputs: dict[str, Any], answer: dict[str, Any], path_values: dict[str, Any], *, live: bool
) -> dict[str, Any]:
    """The outputs. What the program set stays as it was set, unless `live` (a read): then the answer counts."""
    outputs: dict[str, Any] = {}
    for name, attribute in attributes(spec).items():
        prop = property_name(spec, name)
        given = inputs.get(prop)
        if name in spec.path_only or name == "account_id":
            value = given if given is not None else path_values.get(name, default_of(attribute))
        elif name == "id" and prop == "id":
            continue
        else:
            value = _decode(spec, attribute, given, answer.get(_answer_name(spec, name, answer)), live)
        if value is not None:
            outputs[prop] = value
    if spec.meta:
        outputs["__meta"] = '{"schema_version":"500"}'
    return outputs


def _answer_name(spec: Spec, name: str, answer: dict[str, Any]) -> str:
    """Answers are snake_case even where requests are not (R2 buckets), camelCase where the product is."""
    if name in answer:
        return name
    return _wire_name(spec, name)


def _decode(spec: Spec, attribute: dict[str, Any], given: Any, answered: Any, live: bool) -> Any:
    inner = attribute.get("attributes")
    if answered is None and given is None:
        return None
    if inner and attribute.get("nesting") in LISTS:
        return _decode_list(spec, inner, given, answered, live)
    if inner and attribute.get("nesting") == "map":
        known, found = given or {}, answered or {}
        return {key: _decode_object(spec, inner, known.get(key, {}), found.get(key, {}), live) for key in known | found}
    if inner:
        source = answered if isinstance(answered, dict) else {}
        return _decode_object(spec, inner, given if isinstance(given, dict) else {}, source, live)
    computed_only = not settable(attribute)
    if given is not None and not computed_only and (not live or answered is None):
        return given
    if attribute.get("type") == "normalized" and answered is not None:
        return (
            given if given is not None and _same_json(given, answered) else json.dumps(answered, separators=(",", ":"))
        )
    return answered


def _decode_list(spec: Spec, inner: Attributes, given: Any, answered: Any, live: bool) -> Any:
    given, answered = given if isinstance(given, list) else [], answered if isinstance(answered, list) else []
    if not given:
        return [_decode_object(spec, inner, {}, item, live) for item in answered]
    by_name = {item.get("name"): item for item in answered if isinstance(item, dict) and "name" in item}
    pairs = []
    for place, item in enumerate(given):
        same_place = answered[place] if place < len(answered) and not by_name else {}
        pairs.append((item, by_name.get(item.get("name"), same_place)))
    if live and answered and len(answered) != len(given):
        return [_decode_object(spec, inner, {}, item, live) for item in answered]
    return [_decode_object(spec, inner, item, other, live) for item, other in pairs]


def _decode_object(
    spec: Spec, inner: Attributes, given: dict[str, Any], answered: dict[str, Any], live: bool
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, attribute in inner.items():
        prop = camel(name)
        value = _decode(spec, attribute, given.get(prop), answered.get(_answer_name(spec, name, answered)), live)
        if value is not None:
            out[prop] = value
    content = given.get("contentBase64") or out.get("contentBase64")
    if content and "content_sha256" in inner:
        out["contentSha256"] = hashlib.sha256(base64.b64decode(content)).hexdigest()
    return out


def _same_json(text: Any, value: Any) -> bool:
    try:
        return bool(json.loads(text) == value)
    except (TypeError, ValueError):
        return False


def unknown_outputs(spec: Spec, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a preview can say: the inputs, defaults, and `UNKNOWN` for what the API will compute."""
    outputs = dict(inputs)
    for name, attribute in attributes(spec).items():
        prop = property_name(spec, name)
        if prop not in outputs:
            default = default_of(attribute)
            if default is not None and "attributes" not in attribute:
                outputs[prop] = default
            elif attribute.get("computed"):
                outputs[prop] = UNKNOWN
    return outputs


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda m: "_" + m.group().lower(), name)
