"""Uploads of Workers: `metadata` and one part per module, or a bare script (facts `api.md`, section Workers).

A module is named by its part's filename, as the SDKs send it (`name="files"; filename="x.mjs"`); wrangler writes the same
text into both. `metadata` is a part of its own, or fields such as `metadata[main_module]` (cloudflare-typescript 7).
"""

from __future__ import annotations

import base64
import re
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError
from inferstack.local.request_checks import check_value

LARGEST = 64 * 1024 * 1024  # bytes of a part: the limit of a Worker's size, before compression (limits.json)
MODULE, SCRIPT = "application/javascript+module", "application/javascript"
BARE = (SCRIPT, "text/javascript")
KEYS = re.compile(r"\[([^\]]*)\]")
# What a form tells as JSON, by the descriptions of the same things elsewhere: its own leaves them open.
SETTINGS = "PATCH /accounts/{}/workers/scripts/{}/script-settings"
VERSION = "POST /accounts/{}/workers/workers/{}/versions"


async def read_upload(request: Request, name: str = "metadata") -> dict[str, Any]:
    """The metadata with `modules` as the newer API has them: name, content_type, content_base64.

    `body_part` names the one that is in service-worker syntax.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    request, kind = await _as_it_is(request, kind)
    if kind in BARE:
        return {"modules": [_module("script.js", SCRIPT, await request.body())], "body_part": "script.js"}
    if kind != "multipart/form-data":
        raise ApiError(400, 10001, f"Content-Type must be multipart/form-data, not {kind or 'empty'}")
    form = await request.form(max_part_size=LARGEST)
    modules: list[dict[str, str]] = []
    body: dict[str, Any] = {}
    for part, value in form.multi_items():
        data = await value.read() if isinstance(value, UploadFile) else value.encode()
        if part == name:
            told = _metadata(data, name)
            _check_version(told)
            body |= told
        elif part.startswith(f"{name}["):
            keys = list(KEYS.findall(part[len(name) :]))
            _set(body, keys, _typed(keys, data.decode(errors="replace")))
        else:
            filename = value.filename if isinstance(value, UploadFile) else None
            content_type = (value.content_type if isinstance(value, UploadFile) else None) or MODULE
            modules.append(_module(filename or part, content_type, data))
    check_value(SETTINGS, body, 10021)
    if not modules:
        return body
    if not body and name not in form:
        raise ApiError(400, 10021, f"The upload has no part `{name}`, which names the main module")
    return body | {"modules": modules}


async def _as_it_is(request: Request, kind: str) -> tuple[Request, str]:
    """cloudflare-typescript 7.3 sends a form and calls it a script: its first line, which is none of JavaScript, tells."""
    if kind not in BARE:
        return request, kind
    first = re.match(
        rb"--([\w'()+,./:=?-]{1,70})\r\nContent-Disposition: form-data", await request.body(), re.IGNORECASE
    )
    if first is None:
        return request, kind
    told = b"multipart/form-data; boundary=" + first[1]
    headers = [(name, told if name == b"content-type" else value) for name, value in request.scope["headers"]]
    form = Request({**request.scope, "headers": headers}, request.receive)
    form._body = await request.body()  # as Starlette's own middleware hands a body on
    return form, "multipart/form-data"


def _module(name: str, content_type: str, data: bytes) -> dict[str, str]:
    return {"name": name, "content_type": content_type, "content_base64": base64.b64encode(data).decode()}


def _metadata(data: bytes, name: str) -> dict[str, Any]:
    try:
        body = read_json(data)
    except ValueError:
        raise ApiError(400, 10001, f"the part `{name}` is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, 10001, f"the part `{name}` must be a JSON object")
    return body


def _check_version(told: dict[str, Any]) -> None:
    check_value(VERSION, told, 10021)
    for number, binding in enumerate(told.get("bindings") or []):
        if not (isinstance(binding.get("name"), str) and isinstance(binding.get("type"), str)):
            raise ApiError(400, 10021, f"Invalid request body: bindings[{number}]: needs the texts `name` and `type`")
    kept = told.get("keep_bindings") or []
    if not isinstance(kept, list) or not all(isinstance(kind, str) for kind in kept):
        raise ApiError(400, 10021, "Invalid request body: keep_bindings: must be a list of types")


def _typed(keys: list[str], text: str) -> Any:
    """Fields of a form are texts; of these settings, some are none."""
    if keys[:1] in (["logpush"], ["observability"]):
        if text in ("true", "false"):
            return text == "true"
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            return float(text)
    return text


def _set(body: dict[str, Any], keys: list[str], text: Any) -> None:
    """`[bindings][0][type]` or `[compatibility_flags][]`: numbers and the empty key make lists.

    Fields of `[bindings][][…]` belong to one object until one of them comes again.
    """
    here: Any = body
    for place, (key, following) in enumerate(zip(keys, [*keys[1:], None], strict=True)):
        new: Any = text if following is None else [] if following == "" or following.isdigit() else {}
        if isinstance(here, list):
            if (key == "" and not (here and _takes(here[-1], keys[place + 1 :]))) or (
                key.isdigit() and int(key) >= len(here)
            ):
                here.append(new)
            here = here[int(key) if key.isdigit() and int(key) < len(here) else -1]
        elif isinstance(here, dict):
            here = here.setdefault(key, new)
        else:
            raise ApiError(400, 10001, f"the field {key!r} of the form lies in one that is no object")


def _takes(element: Any, keys: list[str]) -> bool:
    """Whether a value at these keys is not there yet."""
    for key in keys:
        if isinstance(element, list):
            return True
        if not isinstance(element, dict):
            return False
        if key not in element:
            return True
        element = element[key]
    return False
