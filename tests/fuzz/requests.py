"""Requests made from the OpenAPI subset: by their schema, and odd in every way that a client can be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

DEEP = "[" * 50_000 + "]" * 50_000
NUMBERS = [0, -1, 1.5, 2**31, 2**53, 2**63, -(2**65), 10**400, float("nan"), float("inf"), -0.0]
TEXTS = ["", " ", "a", "%2F", "../..", "\x00", "\n", "\ud83d", "é", "日本", "e\u0301", "😀", "x" * 5000, "__proto__"]
TYPES = [
    "application/json",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "",
    "a/b; charset=no",
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.sampled_from(TEXTS)
    | st.text(max_size=20)
    | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@dataclass(frozen=True)
class Sent:
    """One request, whole: its `repr` repeats it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode(errors="surrogatepass")


def of_schema(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that mostly fit, with one in a few that does not."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    if depth > 5:
        return ODD
    for several in ("oneOf", "anyOf"):
        if schema.get(several):
            return st.one_of([of_schema(document, each, depth + 1) for each in schema[several]] + [ODD])
    if schema.get("allOf"):
        return st.one_of([of_schema(document, each, depth + 1) for each in schema["allOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | ODD
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        fields = {n: of_schema(document, s, depth + 1) for n, s in schema.get("properties", {}).items()}
        needed = {n: s for n, s in fields.items() if n in schema.get("required", [])}
        rest = {n: s for n, s in fields.items() if n not in needed}
        return st.fixed_dictionaries(needed, optional=rest) | ODD
    if kind == "array":
        return st.lists(of_schema(document, schema.get("items", {}), depth + 1), max_size=3) | ODD
    plain = {"string": st.text(max_size=30), "integer": st.integers(-5, 2000), "number": st.floats(-5, 2000)}
    return plain.get(str(kind), st.booleans() if kind == "boolean" else ODD) | ODD


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> st.SearchStrategy[bytes]:
    content = operation.get("requestBody", {}).get("content", {})
    fitting = [of_schema(document, each.get("schema", {})) for each in content.values()]
    written = st.one_of([*fitting, ODD]).map(as_bytes)
    cut = st.tuples(written, st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
    form = written.map(
        lambda b: b'--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n' + b + b"\r\n--x--\r\n"
    )
    return written | written | cut | form | st.binary(max_size=60) | st.just(DEEP.encode()) | st.just(b"")
