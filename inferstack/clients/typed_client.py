"""`inferstack client`: typed clients, made from the OpenAPI documents that the Workers serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from inferstack import local
from inferstack.clients import client_python, client_typescript
from inferstack.clients.client_operations import Service, operations
from inferstack.config import find_template, load_stack
from inferstack.engine.environment import local_host, local_settings
from inferstack.errors import UserError

WRITERS = {"python": client_python.write, "typescript": client_typescript.write}
SECONDS = 30


def make_client(stack: str, root: Path, language: str, urls: dict[str, str]) -> str:
    """The client's source; `urls` says where Workers are that do not run locally. Raises `UserError`."""
    spec = load_stack(stack, root)
    services = []
    for key, worker in spec.workers.items():
        template = find_template(worker.template, root) if worker.template else None
        if key not in urls and (template is None or not template.service):
            continue
        url, headers = _address(stack, root, key, urls)
        services.append(Service(key, operations(_document(url, headers))))
    if not services:
        raise UserError(
            f"no Worker of stack `{stack}` serves an /openapi.json\n  fix: --url WORKER=ADDRESS for your own"
        )
    return WRITERS[language](stack, services)


def _address(stack: str, root: Path, key: str, urls: dict[str, str]) -> tuple[str, dict[str, str]]:
    if key in urls:
        return urls[key], {}
    spec = load_stack(stack, root)
    running = local.find(local_settings(spec, root).folder) if spec.target == "local" else None
    if running is None:
        fix = f"inferstack up {stack}" if spec.target == "local" else f"--url {key}=https://…"
        raise UserError(f"Worker `{key}` of stack `{stack}` cannot be asked for its /openapi.json\n  fix: {fix}")
    return f"http://127.0.0.1:{running.port}", {"host": local_host(spec, key)}


def _document(url: str, headers: dict[str, str]) -> dict[str, Any]:
    try:
        answer = httpx.get(f"{url}/openapi.json", headers=headers, timeout=SECONDS)
        document = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise UserError(
            f"{url}/openapi.json cannot be read: {type(error).__name__}\n  fix: is the Worker up?"
        ) from None
    if not isinstance(document, dict) or "paths" not in document:
        raise UserError(f"{url}/openapi.json is no OpenAPI document")
    return document
