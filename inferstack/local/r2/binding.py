"""R2 as workerd's own client speaks it: JSON in a header or before the body (facts `dataplane.md` §3)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from inferstack.local._bytes import from_header, read_json
from inferstack.local._store import Document
from inferstack.local.r2.state import LARGEST_METADATA, LONGEST_KEY, Buckets

NOT_FOUND = (10007, "The specified key does not exist.")
UNSUPPORTED = (10003, "is not supported by the local Cloudflare")


async def r2_binding(buckets: Buckets, request: Request, bucket: str) -> Response:
    if request.method == "GET":
        call = read_json(from_header(request.headers["cf-r2-request"]))
        return _read(buckets, bucket, call)
    data = await request.body()
    size = int(request.headers["cf-r2-metadata-size"])
    call, payload = read_json(data[:size]), data[size:]
    if call["method"] == "put":
        refused = _refusal(call, payload)
        return _error(*refused) if refused else _answer(_head(_put(buckets, bucket, call, payload)))
    if call["method"] == "delete":
        for key in call.get("objects") or [call.get("object")]:
            buckets.remove(bucket, key)
        return Response()
    return _error(501, UNSUPPORTED[0], f"R2 {call['method']} {UNSUPPORTED[1]}")


def _refusal(call: dict[str, Any], data: bytes) -> tuple[int, int, str] | None:
    """What R2 does not take (facts `limits.json` r2, `errors.json`)."""
    size = len(str(call["object"]).encode())
    if not 0 < size <= LONGEST_KEY:
        return 400, 10020, f"The specified object name is not valid: {size} bytes, the limit is {LONGEST_KEY}."
    custom = call.get("customFields") or []
    if sum(len(str(item["k"]).encode()) + len(str(item["v"]).encode()) for item in custom) > LARGEST_METADATA:
        return 400, 10012, "Your metadata headers exceed the maximum allowed metadata size."
    for name in ("md5", "sha1", "sha256", "sha384", "sha512"):
        wanted = call.get(name)
        if wanted and hashlib.new(name, data, usedforsecurity=False).hexdigest() != str(wanted).lower():
            return 400, 10037, f"The {name.upper()} checksum you specified did not match what we received."
    return None


def _read(buckets: Buckets, bucket: str, call: dict[str, Any]) -> Response:
    method = call["method"]
    if method == "list":
        limit = min(int(call.get("limit", 1000)), 1000)
        after = call.get("cursor") or call.get("startAfter") or ""
        heads, more = buckets.objects(bucket, call.get("prefix") or "", limit, after)
        listed = {"objects": [_head(h) for h in heads], "truncated": more, "delimitedPrefixes": []}
        return _answer(listed | ({"cursor": heads[-1]["key"]} if more else {}))
    head = buckets.head(bucket, call["object"])
    if head is None:
        return _error(404, *NOT_FOUND)
    if method == "head":
        return _answer(_head(head))
    if method == "get":
        return _get(buckets, bucket, call, head)
    return _error(501, UNSUPPORTED[0], f"R2 {method} {UNSUPPORTED[1]}")


def _get(buckets: Buckets, bucket: str, call: dict[str, Any], head: Document) -> Response:
    data, given = buckets.read(bucket, call["object"]), call.get("range") or {}
    shown = _head(head)
    if given:
        offset = int(given.get("offset", 0))
        length = int(given.get("length", len(data) - offset))
        if "suffix" in given:
            offset = max(0, len(data) - int(given["suffix"]))
            length = len(data) - offset
        data = data[offset : offset + length]
        shown["range"] = {"offset": offset, "length": len(data)}
    return _answer(shown, data)


def _put(buckets: Buckets, bucket: str, call: dict[str, Any], data: bytes) -> Document:
    http = {k: v for k, v in (call.get("httpFields") or {}).items() if v is not None}
    custom = {item["k"]: item["v"] for item in call.get("customFields") or []}
    return buckets.write(bucket, call["object"], data, {"httpMetadata": http, "customMetadata": custom})


def _head(head: Document) -> dict[str, Any]:
    uploaded = datetime.fromisoformat(head["uploaded"]).timestamp() * 1000
    return {
        "name": head["key"],
        "version": head["version"],
        "size": str(head["size"]),
        "etag": head["etag"],
        "uploaded": str(int(uploaded)),
        "httpFields": head.get("httpMetadata", {}),
        "customFields": [{"k": k, "v": v} for k, v in head.get("customMetadata", {}).items()],
        "checksums": {"0": head["etag"]},
        "storageClass": "Standard",
    }


def _answer(value: dict[str, Any], body: bytes = b"") -> Response:
    # workerd's reader of JSON keeps the two halves of an escaped emoji apart, so they go as UTF-8.
    prefix = json.dumps(value, ensure_ascii=False).encode()
    return Response(prefix + body, headers={"cf-r2-metadata-size": str(len(prefix))})


def _error(status: int, code: int, message: str) -> Response:
    note = json.dumps({"version": 0, "v4code": code, "message": message})
    return Response(status_code=status, headers={"cf-r2-error": note})
