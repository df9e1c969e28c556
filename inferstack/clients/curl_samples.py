"""Requests to try, as `curl` lines: each template's template.yaml names some."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from inferstack.config import StackSpec, Template
from inferstack.engine.environment import local_host

LOCAL_STATE = "file:.inferstack/"


def curl_lines(template: Template, spec: StackSpec, key: str, port: int) -> Iterator[tuple[str, str]]:
    """(what it shows, a line to paste) for a Worker of a local stack."""
    secret = spec.workers[key].secrets.get("API_TOKEN", "")
    token = secret.removeprefix("file:") if secret.startswith(LOCAL_STATE) else ""
    host = f"{local_host(spec, key)}:{port}"
    for sample in template.samples:
        yield sample["about"], _curl(sample, host, port, token)


def _curl(sample: dict[str, Any], host: str, port: int, token: str) -> str:
    method, path = sample["request"].split(" ")
    body = sample.get("body")
    streams = "N" if isinstance(body, dict) and body.get("stream") else ""
    parts = [f"curl -sSf{streams}", shlex.quote(f"http://127.0.0.1:{port}{path}"), f"-H 'Host: {host}'"]
    parts += [f'-H "Authorization: Bearer $(cat {token})"'] if token else []
    if body is not None:
        parts.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    if "file" in sample:
        parts += [f"-H 'Content-Type: {sample['type']}'", f"--data-binary @{sample['file']}"]
    if method not in ("GET", "POST"):
        parts.append(f"-X {method}")
    if "output" in sample:
        parts.append(f"-o {sample['output']}")
    return " ".join(parts)
