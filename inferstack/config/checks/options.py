"""A template's options against the schemas in its template.yaml: types, needed and unknown keys, at every depth.

The schemas are JSON Schema, and this reads the few keywords that options need. A library's errors would have to be
turned into findings with a code, a place and the nearest known name all the same, and importing one takes longer than
the whole check of a stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Template
from inferstack.config.tree import KeyPath

Schema = dict[str, Any]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


class Problem(NamedTuple):
    """A finding without its place's beginning."""

    code: str
    path: KeyPath
    message: str
    fix: str


def check_schema(template: Template, name: str, value: Any, at: KeyPath, report: Report) -> None:
    """An option's value against its schema, where it has one."""
    option = template.options.get(name)
    if option is not None and option.schema is not None:
        for problem in problems(value, option.schema, (name,)):
            report(problem.code, (*at, "options", *problem.path), problem.message, problem.fix)


def problems(value: Any, schema: Schema, path: KeyPath) -> Iterator[Problem]:
    shown = ".".join(map(str, path))
    wanted = schema.get("type")
    if wanted is not None and not _is(value, wanted):
        yield Problem("IS023", path, f"option `{shown}` must be {WORDS[wanted]}", f"give {WORDS[wanted]}")
        return
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(map(str, schema["enum"]))
        near = closest(str(value), map(str, schema["enum"]))
        yield Problem("IS024", path, f"option `{shown}` cannot be `{value}`{near}", f"one of: {words}")
    if isinstance(value, dict):
        yield from _of_mapping(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            yield from problems(item, schema["items"], (*path, place))
    elif isinstance(value, str):
        if len(value.strip()) < schema.get("minLength", 0):
            yield Problem("IS028", path, f"option `{shown}` is empty", "give at least one sign")
        elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
            fix = schema.get("such", f"text of the form {schema['pattern']}")
            yield Problem("IS027", path, f"option `{shown}` is `{value}`, which does not fit", fix)
    elif not isinstance(value, bool) and isinstance(value, int | float):
        yield from _of_number(value, schema, path, shown)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, TYPES[wanted]) and not (isinstance(value, float) and not math.isfinite(value))


def _of_mapping(value: dict[str, Any], schema: Schema, path: KeyPath) -> Iterator[Problem]:
    shown = ".".join(map(str, path))
    known = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            yield Problem("IS022", path, f"`{shown}.{key}` is missing", f"add `{key}:` under `{path[-1]}:`")
    for key, item in value.items():
        if key in known:
            yield from problems(item, known[key], (*path, key))
        elif schema.get("additionalProperties") is False:
            message = f"option `{shown}` has no key `{key}`{closest(str(key), known)}"
            yield Problem("IS021", (*path, key), message, f"one of: {', '.join(known)}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from problems(item, schema["additionalProperties"], (*path, key))


def _of_number(value: float, schema: Schema, path: KeyPath, shown: str) -> Iterator[Problem]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        yield Problem(
            "IS025", path, f"option `{shown}` is `{value}`; it must be at least {least}", f"give at least {least}"
        )
    if most is not None and value > most:
        yield Problem(
            "IS026", path, f"option `{shown}` is `{value}`; it must be at most {most}", f"give at most {most}"
        )


def check_callers(spec: StackSpec, worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    """Whether the Worker can tell its callers apart: a Worker that cannot would refuse them all."""
    if not template.service or worker.options.get("auth", "key") != "jwt":
        return
    given, path = worker.options.get("jwt"), (*at, "options", "jwt")
    if given is None:
        problem = "`auth: jwt` needs `jwt:`, which says whose tokens are good"
        report("IS101", (*at, "options", "auth"), problem, "add `jwt: { jwks_url: …, issuer: …, audience: … }`")
        return
    if not isinstance(given, dict):
        return  # IS023
    _check_address(given.get("jwks_url"), path, report)
    severity = "error" if spec.production else "warning"
    for key, words in (("issuer", "by any issuer with that key"), ("audience", "for any other service of the issuer")):
        if not given.get(key):
            problem = f"without `jwt.{key}`, tokens made {words} are good here, too"
            report("IS102", path, problem, f"add `{key}:`, as the tokens' `{key[:3]}` says", severity)


def _check_address(address: Any, path: KeyPath, report: Report) -> None:
    if not isinstance(address, str):
        return  # IS022 or IS023
    try:
        url = urlsplit(address)
        secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
        good = secure and bool(url.hostname)
    except ValueError:
        good = False
    if not good:
        problem = f"`jwt.jwks_url` is `{address}`: whoever is on the way could give keys of their own"
        report("IS103", (*path, "jwks_url"), problem, "give the issuer's https address")
