"""Tools that a template offers to models (`mcp`, `agent`): one kind each, bound, with arguments that are declared and read.

What is of the wrong type is said by the option's schema (checks/options.py), and is passed over here. Whether D1 takes a
query, its own SQLite says (author/tool_queries.py).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from inferstack.config.checks.tool_input import faults
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.named_sql import CALLER, numbered
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Template
from inferstack.config.tree import KeyPath

KINDS = {  # a tool's kind → the kind of the binding that it names
    "d1": "database",
    "vectorize": "index",
    "search": "search",
    "http": None,
    "service": "service",
    "ai": None,
}
MODELS = {"vectorize": "embedding", "ai": "chat"}  # the role that a kind calls
PLACE = re.compile(r"\{(\w+)\}")
INSIDE = re.compile(r"(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|arpa)$")
Entry = dict[str, Any]


def check(spec: StackSpec, worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    if "tools" not in template.options or not template.any_bindings:
        return
    for option, key in (("tools", "name"), ("resources", "uri"), ("prompts", "name")):
        _check_twice(worker, option, key, at, report)
    for place, tool in _entries(worker, "tools"):
        path: KeyPath = (*at, "options", "tools", place)
        kinds = [kind for kind in KINDS if isinstance(tool.get(kind), dict)]
        if len(kinds) != 1:
            said = f"has {' and '.join(f'`{kind}`' for kind in kinds)}" if kinds else "does nothing"
            problem = f"the tool `{tool.get('name')}` {said}; a tool is of one kind"
            report("IS150", path, problem, f"give it one of: {', '.join(KINDS)}")
            continue
        _check_bound(worker, kinds[0], tool, path, report)
        _check_input(kinds[0], tool, path, report)
        _check_conditions(worker, template, tool, path, report)
        if kinds[0] == "http":
            _check_address(spec, worker, tool["http"], (*path, "http", "url"), report)
    for place, resource in _entries(worker, "resources"):
        _check_resource(worker, resource, (*at, "options", "resources", place), report)
    for place, prompt in _entries(worker, "prompts"):
        _check_prompt(prompt, (*at, "options", "prompts", place), report)


def _entries(worker: WorkerSpec, option: str) -> Iterator[tuple[int, Entry]]:
    given = worker.options.get(option)
    if isinstance(given, list):
        yield from ((place, entry) for place, entry in enumerate(given) if isinstance(entry, dict))


def _check_twice(worker: WorkerSpec, option: str, key: str, at: KeyPath, report: Report) -> None:
    seen: set[str] = set()
    for place, entry in _entries(worker, option):
        name = entry.get(key)
        if isinstance(name, str) and name in seen:
            problem = f"`{name}` stands twice among the {option}; callers would reach the first only"
            report("IS156", (*at, "options", option, place, key), problem, "give one of them another name")
        seen.add(str(name))


def _check_bound(worker: WorkerSpec, kind: str, tool: Entry, path: KeyPath, report: Report) -> None:
    wanted, said = KINDS[kind], tool[kind]
    if wanted is not None:
        _check_binding(worker, said.get("binding"), wanted, (*path, kind, "binding"), report)
    role = MODELS.get(kind)
    if role is not None and role not in worker.models:
        problem = f"the tool `{tool.get('name')}` calls a model, and the Worker has none for `{role}`"
        report("IS151", (*path, kind), problem, f"add `{role}: <a name under models:>` under its `models:`")
    if role is not None and not any(name == "AI" and binding.ai for name, binding in worker.bindings.items()):
        problem = f"the tool `{tool.get('name')}` calls a model, and the Worker has no binding `AI`"
        report("IS151", (*path, kind), problem, "add `AI: { ai: true }` under its `bindings:`")
    headers = said.get("headers")
    for header, text in headers.items() if isinstance(headers, dict) else ():
        for name in PLACE.findall(text) if isinstance(text, str) else ():
            if name not in worker.secrets:
                problem = f"the header `{header}` needs the secret `{name}`{closest(name, worker.secrets)}"
                fix = f"add `{name}: env:NAME` (or file:, config:) under the Worker's `secrets:`"
                report("IS151", (*path, kind, "headers", header), problem, fix)


def _check_binding(worker: WorkerSpec, name: Any, wanted: str, path: KeyPath, report: Report) -> None:
    if not isinstance(name, str):
        return
    binding = worker.bindings.get(name)
    if binding is None or binding.kind != wanted:
        fitting = [each for each, bound in worker.bindings.items() if bound.kind == wanted]
        said = f"there is no binding `{name}`" if binding is None else f"`{name}` is of kind `{binding.kind}`"
        problem = f"{said}; one of kind `{wanted}` is needed{closest(name, fitting)}"
        fix = f"one of: {', '.join(fitting)}" if fitting else f"add `{name}: {{ {wanted}: … }}` under its `bindings:`"
        report("IS151", path, problem, fix)


def _check_input(kind: str, tool: Entry, path: KeyPath, report: Report) -> None:
    schema = tool.get("input")
    if schema is not None and not isinstance(schema, dict):
        return  # IS023
    for place, problem, fix in faults(schema) if schema is not None else ():
        report("IS157", (*path, "input", *place), problem, fix)
    properties = (schema or {}).get("properties", {})
    declared = list(properties) if isinstance(properties, dict) else []
    read: set[str] = set()
    for place, name in _names(kind, tool[kind]):
        read.add(name.lstrip(":"))
        if name.startswith("$"):
            if name not in CALLER:
                problem = f"the query knows no `{name}`: who asks is {' and '.join(f'`{each}`' for each in CALLER)}"
                report("IS153", (*path, kind, *place), problem, f"write `:{name[1:]}` for an argument")
        elif name.lstrip(":") not in declared:
            bare = name.lstrip(":")
            problem = f"`{name}` is no argument of the tool `{tool.get('name')}`{closest(bare, declared)}"
            report("IS153", (*path, kind, *place), problem, f"declare `{bare}` under `input.properties`")
    if kind in ("http", "service"):
        return  # what the address does not name is sent along
    for name in declared:
        if name not in read:
            problem = f"the tool `{tool.get('name')}` takes `{name}` and does nothing with it"
            report("IS154", (*path, "input", "properties", name), problem, "use it, or leave it out")


def _names(kind: str, said: Entry) -> Iterator[tuple[KeyPath, str]]:
    """The arguments that a tool reads, each with the place that names it."""
    if kind == "d1" and isinstance(said.get("query"), str):
        yield from ((("query",), name) for name in numbered(said["query"])[1])
    if kind in ("vectorize", "search") and isinstance(said.get("query"), str):
        yield ("query",), said["query"]
    texts = {"ai": ("prompt",), "http": ("url",), "service": ("path",)}.get(kind, ())
    for key in texts:
        if isinstance(said.get(key), str):
            yield from (((key,), name) for name in PLACE.findall(said[key]))
    yield from _in_filter(said.get("filter"), ("filter",))


def _in_filter(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _in_filter(part, (*path, key))
    elif isinstance(value, str):
        yield from ((path, name) for name in PLACE.findall(value))


def _check_conditions(worker: WorkerSpec, template: Template, tool: Entry, path: KeyPath, report: Report) -> None:
    name = tool.get("name")
    if tool.get("approve") and "approve_scope" not in template.options:
        problem = f"template `{template.name}` asks nobody to approve `{name}`: it would run at once"
        report("IS158", (*path, "approve"), problem, "use the template `agent`, or remove `approve`")
    if tool.get("scope") is None:
        return
    if "scopes" not in template.options:
        problem = f"template `{template.name}` looks at no scopes of tools: `{name}` would be open to all callers"
        report("IS158", (*path, "scope"), problem, "use the template `mcp`, or remove the scope")
    elif worker.options.get("auth", "key") != "jwt":
        problem = f"the tool `{name}` needs a scope, and callers of this Worker bring no tokens with scopes"
        report("IS158", (*path, "scope"), problem, "add `auth: jwt` and `jwt:`, or remove the scope")


def _check_address(spec: StackSpec, worker: WorkerSpec, http: Entry, path: KeyPath, report: Report) -> None:
    url, allowed = http.get("url"), worker.options.get("allow_hosts", [])
    if not isinstance(url, str) or not isinstance(allowed, list):
        return
    try:
        parts = urlsplit(url)
        host, name = parts.netloc, parts.hostname or ""
    except ValueError:
        return  # IS027
    if host not in allowed:
        problem = f"`{host}` is not among the hosts that tools may call{closest(host, map(str, allowed))}"
        report("IS155", path, problem, f"add `{host}` to `allow_hosts`")
    elif spec.target == "cloudflare" and (parts.scheme != "https" or _inside(name)):
        said = "leads into a network that is not public" if _inside(name) else "is not https"
        report(
            "IS155",
            path,
            f"the tool's address {said}: on Cloudflare it cannot be reached, or is read on the way",
            "give a public https address",
        )


def _inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return bool(INSIDE.search(host)) or "." not in host


def _check_resource(worker: WorkerSpec, resource: Entry, path: KeyPath, report: Report) -> None:
    kinds = [kind for kind in ("text", "bucket") if resource.get(kind) is not None]
    if len(kinds) != 1:
        problem = f"the resource `{resource.get('uri')}` has {'both `text` and `bucket`' if kinds else 'no content'}"
        report("IS150", path, problem, "give it `text`, or `bucket: { binding: …, key: … }`")
    elif kinds == ["bucket"] and isinstance(resource["bucket"], dict):
        _check_binding(worker, resource["bucket"].get("binding"), "bucket", (*path, "bucket", "binding"), report)


def _check_prompt(prompt: Entry, path: KeyPath, report: Report) -> None:
    given, text = prompt.get("arguments", []), prompt.get("text")
    if not isinstance(given, list) or not isinstance(text, str):
        return
    declared = [str(each.get("name")) for each in given if isinstance(each, dict)]
    for name in PLACE.findall(text):
        if name not in declared:
            problem = f"`{name}` is no argument of the prompt `{prompt.get('name')}`{closest(name, declared)}"
            report("IS153", (*path, "text"), problem, f"add `{{ name: {name} }}` to its `arguments`")
