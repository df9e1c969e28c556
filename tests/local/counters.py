"""A Worker that counts in objects, deployed as wrangler does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Api
from tests.local.websocket import WebSocket

CODE = (Path(__file__).parent / "workers" / "counter.js").read_text()
OWN = {"name": "COUNTERS", "type": "durable_object_namespace", "class_name": "Counter"}
NEW = {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}
BUSY_SECONDS = 30


def put(api: Api, name: str, code: str = CODE, **metadata: Any) -> httpx.Response:
    """As wrangler deploys: a script with its metadata, in one request."""
    body = {"main_module": "index.js", "compatibility_date": "2026-06-01", "bindings": [OWN], **metadata}
    parts = {
        "metadata": (None, json.dumps(body), "application/json"),
        "index.js": ("index.js", code, "application/javascript+module"),
    }
    answer = api.client.put(f"/workers/scripts/{name}", files=parts)  # type: ignore[arg-type]
    if answer.is_success:
        api.client.post(f"/workers/scripts/{name}/subdomain", json={"enabled": True})
    return answer


def deployed(api: Api, name: str, code: str = CODE, **metadata: Any) -> None:
    answer = put(api, name, code, **metadata)
    assert answer.status_code == 200, answer.text


def call(api: Api, worker: str, method: str, target: str = "a", argument: str = "n") -> Any:
    answer = api.worker(worker, "GET", f"/{method}/{target}/{argument}")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.status_code == 400, answer.text
    first = answer.json()["errors"][0]
    return first["code"], first["message"]


def namespaces(api: Api, script: str) -> dict[str, dict[str, Any]]:
    found = api.client.get("/workers/durable_objects/namespaces", params={"per_page": 100}).json()["result"]
    return {each["class"]: each for each in found if each["script"] == script}


def version_of(api: Api, name: str, code: str, **fields: Any) -> str:
    module = {"name": "index.js", "content_type": "application/javascript+module"}
    module["content_base64"] = base64.b64encode(code.encode()).decode()
    body = {"main_module": "index.js", "modules": [module], "compatibility_date": "2026-06-01", "bindings": [OWN]}
    answer = api.client.post(f"/workers/workers/{name}/versions", json=body | fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["id"])


def socket_of(api: Api, worker: str) -> WebSocket:
    return WebSocket(api.running.port, f"{worker}.local.localhost", "/fetch/room")
