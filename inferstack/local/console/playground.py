"""A form for each operation of a Worker that describes itself; what it sends goes to the Worker as anybody's request would.

A secret of the Worker may be sent as the caller's key: its value is read here and never reaches the page.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.responses import JSONResponse, Response, StreamingResponse

from inferstack.local._store import Document
from inferstack.local.console.door import HEADERS
from inferstack.local.console.drawn import workers_of
from inferstack.local.console.views import Seen
from inferstack.local.traces.spans import UNSEEN

LARGEST = 10_000_000
SHOWN_HEADERS = ("content-type", "x-request-id", "cf-aig-cache-status", "cf-aig-step", "retry-after")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def page(seen: Seen) -> Response:
    workers = [worker for worker in await workers_of(seen.api) if worker["versions"]]
    name = seen.query.get("worker") or next((worker["name"] for worker in workers), "")
    worker = next((each for each in workers if each["name"] == name), None)
    if worker is None:
        return seen.page("playground", 404 if name else 200, workers=workers, worker=None, operations=[], secrets=[])
    operations = operations_of(await _described(seen, name))
    secrets = sorted({b["name"] for v in worker["versions"] for b in v["bindings"] if b["type"] == "secret_text"})
    address = seen.addresses().get(name, f"http://{host_of(seen, name)}")
    values: dict[str, Any] = {
        "workers": workers,
        "worker": worker,
        "operations": operations,
        "secrets": secrets,
        "address": address,
    }
    return seen.page("playground", **values)


def host_of(seen: Seen, name: str) -> str:
    return f"{name}.{seen.cloudflare.account.subdomain}.localhost"


async def _described(seen: Seen, name: str) -> Document:
    """Its OpenAPI document; one that has none is asked by hand."""
    async with _client(seen) as client:
        try:
            answer = await client.get("/openapi.json", headers={"host": host_of(seen, name), UNSEEN: "1"}, timeout=10)
            document = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}
    return document if isinstance(document, dict) else {}


def operations_of(document: Document) -> list[Document]:
    """Method, path, summary and an example of the body, for each operation."""
    found = []
    for path, methods in (document.get("paths") or {}).items():
        for method, operation in methods.items():
            if method.upper() not in METHODS or not isinstance(operation, dict):
                continue
            content = ((operation.get("requestBody") or {}).get("content") or {}).get("application/json") or {}
            schema = content.get("schema") or {}
            body = content.get("example", example_of(schema) if schema else None)
            summary = operation.get("summary") or operation.get("description") or ""
            text = json.dumps(body, indent=2, ensure_ascii=False) if body is not None else ""
            found.append({"method": method.upper(), "path": path, "summary": summary, "body": text})
    return sorted(found, key=lambda each: (each["method"] != "POST", each["path"]))


def example_of(schema: Document, depth: int = 0) -> Any:
    """The least that a schema asks for, in words that say what belongs there."""
    if "example" in schema or "default" in schema or "const" in schema:
        return schema.get("example", schema.get("default", schema.get("const")))
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return example_of(schema[choice][0], depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        wanted = schema.get("required") or list(schema.get("properties", {}))[:3]
        properties = schema.get("properties", {})
        return {name: example_of(properties.get(name, {}), depth + 1) for name in wanted} if depth < 5 else {}
    if kind == "array":
        return [example_of(schema.get("items") or {}, depth + 1)] if depth < 5 else []
    return {"integer": 1, "number": 1, "boolean": True, "null": None}.get(str(kind), "Hello")


async def ask(seen: Seen) -> Response:
    """Send a request to a Worker and pass its answer on as it comes: `x-status`, `x-ms` and some of its headers stand before."""
    body = await seen.request.body()
    try:
        asked = json.loads(body) if len(body) <= LARGEST else None
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or asked.get("method") not in METHODS or not str(asked.get("path")).startswith("/"):
        return JSONResponse({"error": "needs method, and a path that begins with /"}, 400, HEADERS)
    name = str(asked.get("worker"))
    headers = {"host": host_of(seen, name), "content-type": "application/json"}
    key = _key(seen, name, asked)
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    if asked.get("version"):
        headers["cloudflare-workers-version-overrides"] = f'{name}="{asked["version"]}"'
    content = str(asked["body"]).encode() if asked.get("body") else None
    client = _client(seen)
    sent = client.build_request(asked["method"], str(asked["path"]), headers=headers, content=content)
    try:
        answer = await client.send(sent, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        return JSONResponse({"error": f"the Worker does not answer: {type(error).__name__}"}, 502, HEADERS)
    shown = {f"x-of-{name}": answer.headers[name] for name in SHOWN_HEADERS if name in answer.headers}
    shown |= {"x-status": str(answer.status_code), "content-type": "application/octet-stream"}
    return StreamingResponse(_passed(answer, client), 200, HEADERS | shown)


async def _passed(answer: httpx.Response, client: httpx.AsyncClient) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    except httpx.HTTPError:
        return
    finally:
        await answer.aclose()
        await client.aclose()


def _key(seen: Seen, name: str, asked: Document) -> str:
    """What was typed, or the value of the secret that was chosen, as the live version has it."""
    if asked.get("key"):
        return str(asked["key"]).replace("\n", "").replace("\r", "")
    workers = seen.cloudflare.workers
    worker = workers.find(name)
    live = workers.live(worker["id"]) if worker and asked.get("secret") else None
    return workers.secrets_of(live["versions"][0]["version_id"]).get(str(asked["secret"]), "") if live else ""


def _client(seen: Seen) -> httpx.AsyncClient:
    supervisor = seen.cloudflare.deployer.supervisor
    port = supervisor.port if supervisor else 0
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=httpx.Timeout(10, read=600))
