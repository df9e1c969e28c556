"""Multipart uploads of Workers: `metadata` and one part per module (facts `api.md`, section Workers)."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from inferstack.local._envelope import ApiError


async def read_upload(request: Request, name: str = "metadata") -> dict[str, Any]:
    """The metadata with `modules` as the newer API has them: name, content_type, content_base64."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ApiError(400, 10001, "Content-Type must be multipart/form-data")
    form = await request.form(max_part_size=64 * 1024 * 1024)
    modules: list[dict[str, str]] = []
    body: dict[str, Any] = {}
    for part, value in form.multi_items():
        data = await value.read() if isinstance(value, UploadFile) else value.encode()
        if part == name:
            body = _metadata(data)
        else:
            kind = (value.content_type if isinstance(value, UploadFile) else None) or "application/javascript+module"
            content = base64.b64encode(data).decode()
            modules.append({"name": part, "content_type": kind, "content_base64": content})
    return body | (
        {"modules": modules, "main_module": body.get("main_module") or body.get("body_part")} if modules else {}
    )


def _metadata(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        raise ApiError(400, 10001, "the part `metadata` is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, 10001, "the part `metadata` must be a JSON object")
    return body
