"""A Worker with a workflow, deployed as wrangler does: the script first, then the workflow's name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Api
from tests.local.counters import deployed

CODE = (Path(__file__).parent / "workers" / "ingest.js").read_text()


def binding(name: str, **more: Any) -> dict[str, Any]:
    return {"name": "INGEST", "type": "workflow", "workflow_name": name, "class_name": "Ingest", **more}


def ingesting(api: Api, name: str, code: str = CODE, **more: Any) -> None:
    """Worker and workflow have one name."""
    deployed(api, name, code, bindings=[binding(name)])
    answer = put(api, name, **more)
    assert answer.status_code == 200, answer.text


def put(api: Api, name: str, script: str | None = None, class_name: str = "Ingest", **more: Any) -> httpx.Response:
    return api.client.put(f"/workflows/{name}", json={"script_name": script or name, "class_name": class_name, **more})


def ask(api: Api, worker: str, path: str) -> Any:
    answer = api.worker(worker, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def described(api: Api, workflow: str, instance: str) -> dict[str, Any]:
    answer = api.client.get(f"/workflows/{workflow}/instances/{instance}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["result"]
    return found


def until(api: Api, workflow: str, instance: str, status: str, seconds: float = 30) -> dict[str, Any]:
    """The instance once it has that status."""
    end = time.monotonic() + seconds
    while (found := described(api, workflow, instance))["status"] != status:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found
