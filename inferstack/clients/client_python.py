"""A typed client in Python: one class for each Worker, over httpx."""

from __future__ import annotations

import json
import re

from inferstack.clients.client_operations import Operation, Schema, Service

HEAD = '''"""Clients of the Workers of stack `{stack}`. Made by `inferstack client {stack} --lang python`; do not edit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypedDict, cast
from urllib.parse import quote

import httpx


class Problem(Exception):
    """What a Worker refuses: `status` of HTTP, a stable `code`, and the detail as text."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{{status}} {{code}}: {{detail}}")
        self.status, self.code, self.detail = status, code, detail


class Client:
    """`url` of the Worker and an API key; `http` is closed by whoever made it."""

    def __init__(self, url: str, token: str, http: httpx.Client | None = None) -> None:
        self._url, self._http = url.rstrip("/"), http or httpx.Client(timeout=120)
        self._headers = {{"authorization": f"Bearer {{token}}"}}

    def call(
        self, method: str, path: str, body: Any = None, content: bytes | None = None, type: str | None = None
    ) -> httpx.Response:
        headers = self._headers | ({{"content-type": type}} if type else {{}})
        answer = self._http.request(method, self._url + path, json=body, content=content, headers=headers)
        return _checked(answer)

    def stream(self, method: str, path: str, body: Any) -> Iterator[tuple[str, Any]]:
        """Server-sent events as (event, data)."""
        with self._http.stream(method, self._url + path, json=body, headers=self._headers) as answer:
            if answer.status_code >= 400:
                answer.read()
            event = "message"
            for line in _checked(answer).iter_lines():
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: ") and line != "data: [DONE]":
                    yield event, json.loads(line[6:])


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {{}}
    raise Problem(answer.status_code, problem.get("code", "unknown"), problem.get("detail", answer.reason_phrase))
'''
PLAIN = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "null": "None"}


def write(stack: str, services: list[Service]) -> str:
    return "\n\n".join([HEAD.format(stack=stack), *(_service(service) for service in services)])


def _service(service: Service) -> str:
    types = _Types()
    methods: list[str] = []
    for operation in service.operations:
        prefix = f"{service.pascal}{operation.pascal}"
        body = types.of(operation.body, f"{prefix}Body") if operation.body else None
        reply = types.of(operation.reply, f"{prefix}Reply") if operation.reply else None
        methods += _method(operation, body, reply)
    head = [f"class {service.pascal}Client(Client):", f'    """The Worker `{service.key}`."""', ""]
    return "\n".join([*types.definitions, *head, *methods]).rstrip() + "\n"


def _method(operation: Operation, body: str | None, reply: str | None) -> list[str]:
    arguments = ["self", *(f"{name}: str" for name in operation.parameters)]
    sent = ""
    if body:
        arguments.append(f"body: {body}")
        sent = ", body"
    elif operation.method in ("POST", "PUT"):
        arguments += ["content: bytes", "type: str"]
        sent = ", content=content, type=type"
    path = re.sub(r"\{(\w+)\}", r"{quote(\1, safe='')}", operation.path)
    literal = f'f"{path}"' if "{" in path else f'"{path}"'
    call = f'self.call("{operation.method}", {literal}{sent})'
    result = f'return cast("{reply}", {call}.json())' if reply else f"return {call}"
    return [
        f"    def {operation.snake}({', '.join(arguments)}) -> {reply or 'httpx.Response'}:",
        f'        """{operation.summary}."""',
        f"        {result}",
        "",
    ]


class _Types:
    """TypedDicts for the objects of schemas, in the order they are needed."""

    def __init__(self) -> None:
        self.definitions: list[str] = []

    def of(self, schema: Schema | bool | None, name: str) -> str:
        if not isinstance(schema, dict):
            return "Any"
        if "enum" in schema:
            return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
        if isinstance(schema.get("type"), list):
            return " | ".join(self.of({**schema, "type": kind}, name) for kind in schema["type"])
        if schema.get("type") == "array":
            return f"list[{self.of(schema.get('items'), f'{name}Item')}]"
        if schema.get("type", "object" if "properties" in schema else "") == "object":
            return self._object(schema, name)
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.of(part, name) for part in schema["anyOf"]))
        return PLAIN.get(str(schema.get("type")), "Any")

    def _object(self, schema: Schema, name: str) -> str:
        properties = schema.get("properties", {})
        if not properties:
            return "dict[str, Any]"
        fields = []
        for key, inner in properties.items():
            kind = self.of(inner, name + key.title().replace("_", ""))
            fields.append(f'    "{key}": {kind if key in schema.get("required", []) else f"NotRequired[{kind}]"},')
        # The functional form: keys may be words of the language.
        quoted = [re.sub(r'^    "(\w+)": (.*),$', lambda m: f'        "{m[1]}": {m[2]},', field) for field in fields]
        self.definitions.append(
            "\n".join([f"{name} = TypedDict(", f'    "{name}",', "    {", *quoted, "    },", ")", ""])
        )
        return name
