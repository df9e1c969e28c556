"""A typed client in TypeScript: one class for each Worker, over `fetch`, without dependencies."""

from __future__ import annotations

import json
import re

from inferstack.clients.client_operations import Operation, Schema, Service

HEAD = """// Clients of the Workers of stack `{stack}`. Made by `inferstack client {stack} --lang typescript`; do not edit.

export class Problem extends Error {{
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {{
    super(detail);
  }}
}}

class Client {{
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly send: typeof fetch = (input, init) => fetch(input, init),
  ) {{}}

  protected async call(method: string, path: string, body?: unknown, type = "application/json"): Promise<Response> {{
    const headers = {{ authorization: `Bearer ${{this.token}}`, "content-type": type }};
    const content = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await this.send(this.url + path, {{ method, headers, body: content as BodyInit | undefined }});
    if (answer.ok) return answer;
    const problem = (await answer.json().catch(() => ({{}}))) as {{ code?: string; detail?: string }};
    throw new Problem(answer.status, problem.code ?? "unknown", problem.detail ?? answer.statusText);
  }}
}}
"""
PLAIN = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def write(stack: str, services: list[Service]) -> str:
    return "\n".join([HEAD.format(stack=stack), *(_service(service) for service in services)])


def _service(service: Service) -> str:
    lines: list[str] = []
    for operation in service.operations:
        prefix = f"{service.pascal}{operation.pascal}"
        lines += [f"export type {prefix}Body = {type_of(operation.body)};"] if operation.body else []
        lines += [f"export type {prefix}Reply = {type_of(operation.reply)};"] if operation.reply else []
    lines += ["", f"export class {service.pascal}Client extends Client {{"]
    for operation in service.operations:
        lines += _method(operation, f"{service.pascal}{operation.pascal}")
    return "\n".join([*lines, "}", ""])


def _method(operation: Operation, prefix: str) -> list[str]:
    arguments = [f"{name}: string" for name in operation.parameters]
    sent = ""
    if operation.body:
        arguments.append(f"body: {prefix}Body")
        sent = ", body"
    elif operation.method in ("POST", "PUT"):
        arguments += ["content: Uint8Array", "type: string"]
        sent = ", content, type"
    reply = f"{prefix}Reply" if operation.reply else "Response"
    path = re.sub(r"\{(\w+)\}", r"${encodeURIComponent(\1)}", operation.path)
    call = f'await this.call("{operation.method}", `{path}`{sent})'
    body = f"return (await ({call}).json()) as {reply};" if operation.reply else f"return {call};"
    return [
        f"  /** {operation.summary} */",
        f"  async {operation.camel}({', '.join(arguments)}): Promise<{reply}> {{",
        f"    {body}",
        "  }",
        "",
    ]


def type_of(schema: Schema | bool | None) -> str:
    if not isinstance(schema, dict):
        return "unknown"
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if isinstance(schema.get("type"), list):
        return " | ".join(type_of({**schema, "type": kind}) for kind in schema["type"])
    if schema.get("type") == "array":
        return f"Array<{type_of(schema.get('items'))}>"
    if schema.get("type", "object" if "properties" in schema else "") == "object":
        required = schema.get("required", [])
        fields = [
            f"{json.dumps(name)}{'' if name in required else '?'}: {type_of(inner)}"
            for name, inner in schema.get("properties", {}).items()
        ]
        return "{ " + "; ".join(fields) + " }" if fields else "Record<string, unknown>"
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(part) for part in schema["anyOf"]))
    return PLAIN.get(str(schema.get("type")), "unknown")
