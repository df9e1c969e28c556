"""KV on the wire: REST under /storage/kv/namespaces, and the binding's HTTP protocol (facts `dataplane.md` §3)."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._bytes import any_text, ascii_json, from_header
from inferstack.local._envelope import ApiError, integer, json_body, ok, paged
from inferstack.local._reason import refused
from inferstack.local.kv.limits import (
    LARGEST_VALUE,
    MOST_KEYS,
    MOST_LISTED,
    check_key,
    check_metadata,
    check_times,
    check_value,
    short_cache,
    too_long,
    wrong_key,
)
from inferstack.local.kv.state import Namespaces

MOST_AT_ONCE = 10_000  # of one bulk write or delete; Cloudflare's documentation of the API


class KvApi:
    """REST handlers."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/storage/kv/namespaces"
        one = base + "/{namespace_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.rename, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/keys", self.keys, methods=["GET"]),
            Route(one + "/bulk", self.write_bulk, methods=["PUT"]),
            Route(one + "/bulk", self.delete_bulk, methods=["DELETE"]),
            Route(one + "/bulk/delete", self.delete_bulk, methods=["POST"]),
            Route(one + "/bulk/get", self.read_bulk, methods=["POST"]),
            Route(one + "/values/{key_name:path}", self.read, methods=["GET"]),
            Route(one + "/values/{key_name:path}", self.write, methods=["PUT"]),
            Route(one + "/values/{key_name:path}", self.remove, methods=["DELETE"]),
            Route(one + "/metadata/{key_name:path}", self.metadata, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._namespaces.list_all())

    async def create(self, request: Request) -> Response:
        return ok(self._namespaces.create(await json_body(request, 10012), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._namespaces.get(request.path_params["namespace_id"]))

    async def rename(self, request: Request) -> Response:
        return ok(self._namespaces.rename(request.path_params["namespace_id"], await json_body(request, 10012)))

    async def delete(self, request: Request) -> Response:
        self._namespaces.delete(request.path_params["namespace_id"])
        return ok({})

    async def keys(self, request: Request) -> Response:
        namespace, query = self._namespaces.get(request.path_params["namespace_id"])["id"], request.query_params
        limit = integer(request, "limit", 1000, 1000)
        found, cursor = self._namespaces.keys(namespace, query.get("prefix", ""), limit, query.get("cursor", ""))
        return ok(found, result_info={"count": len(found), "cursor": cursor})

    def _key(self, request: Request) -> tuple[str, str]:
        return self._namespaces.get(request.path_params["namespace_id"])["id"], request.path_params["key_name"]

    async def read(self, request: Request) -> Response:
        entry = self._namespaces.read(*self._key(request))
        if entry is None:
            raise ApiError(404, 10009, "get: 'key not found'")
        headers = {"expiration": str(entry[2])} if entry[2] is not None else {}
        return Response(entry[0], media_type="application/octet-stream", headers=headers)

    async def metadata(self, request: Request) -> Response:
        entry = self._namespaces.read(*self._key(request))
        if entry is None:
            raise ApiError(404, 10009, "get: 'key not found'")
        return ok(json.loads(entry[1]) if entry[1] else None)

    async def write(self, request: Request) -> Response:
        query, metadata = request.query_params, None
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            form = await request.form()
            part = form.get("value", "")
            value = part.encode() if isinstance(part, str) else await part.read()
            note = form.get("metadata")
            metadata = (
                note if isinstance(note, str) else (await note.read()).decode("utf-8", "replace") if note else None
            )
        else:
            value = await request.body()
        namespace, key = self._key(request)
        times = check_times(query.get("expiration"), query.get("expiration_ttl"))
        self._namespaces.write(namespace, check_key(key), check_value(value), check_metadata(metadata), *times)
        return ok({})

    async def remove(self, request: Request) -> Response:
        self._namespaces.remove(*self._key(request))
        return ok({})

    async def write_bulk(self, request: Request) -> Response:
        namespace = self._namespaces.get(request.path_params["namespace_id"])["id"]
        items: list[dict[str, Any]] = await json_body(request, 10012, list)
        _check_number(items)
        self._namespaces.write_all(namespace, [_entry(item) for item in items])
        return ok({"successful_key_count": len(items), "unsuccessful_keys": []})

    async def read_bulk(self, request: Request) -> Response:
        """Several values; null for a key that is not there. As JSON when `type` says so."""
        namespace = self._namespaces.get(request.path_params["namespace_id"])["id"]
        body = await json_body(request, 10012)
        keys, form = body.get("keys"), body.get("type", "text")
        if not isinstance(keys, list) or not keys:
            raise ApiError(400, 10029, "at least one key is needed")
        if len(keys) > MOST_KEYS:
            raise ApiError(400, 10012, f"at most {MOST_KEYS} keys at once; these are {len(keys):,}")
        if form not in ("text", "json"):
            raise ApiError(400, 10012, "type must be text or json")
        entries = {check_key(key): self._namespaces.read(namespace, key) for key in keys}
        values = {key: entry and _bulk_value(key, entry[0], form) for key, entry in entries.items()}
        if body.get("withMetadata") is True:
            noted = {key: json.loads(entry[1]) if entry and entry[1] else None for key, entry in entries.items()}
            values = {
                key: value if value is None else _with(value, noted[key], entries[key]) for key, value in values.items()
            }
        return ok({"values": values})

    async def delete_bulk(self, request: Request) -> Response:
        namespace = self._namespaces.get(request.path_params["namespace_id"])["id"]
        keys = await json_body(request, 10012, list)
        _check_number(keys)
        checked = [check_key(entry.get("name") if isinstance(entry, dict) else entry) for entry in keys]
        self._namespaces.remove_all(namespace, checked)
        return ok({"successful_key_count": len(keys), "unsuccessful_keys": []})


def _bulk_value(key: str, value: bytes, form: str) -> Any:
    if form == "text":
        return any_text(value)
    try:
        return json.loads(value)
    except ValueError:
        raise ApiError(400, 10012, f"the value of {key[:80]!r} is not JSON") from None


def _with(value: Any, metadata: Any, entry: Any) -> dict[str, Any]:
    expires = {"expiration": entry[2]} if entry[2] is not None else {}
    return {"value": value, "metadata": metadata} | expires


def _check_number(items: list[Any]) -> None:
    if len(items) > MOST_AT_ONCE:
        raise ApiError(413, 10012, f"at most {MOST_AT_ONCE:,} keys at once; these are {len(items):,}")


def _entry(item: Any) -> tuple[str, bytes, str | None, str | None, str | None]:
    """An item of a bulk write; all are looked at before the first is written."""
    if not isinstance(item, dict) or not isinstance(item.get("value"), str):
        raise ApiError(400, 10012, "each pair needs a key and a value, both text")
    try:
        value = base64.b64decode(item["value"], validate=True) if item.get("base64") else item["value"].encode()
    except ValueError:
        raise ApiError(400, 10012, f"the value of {str(item.get('key'))[:80]!r} is not base64") from None
    note = check_metadata(json.dumps(item["metadata"])) if item.get("metadata") is not None else None
    return (
        check_key(item.get("key")),
        check_value(value),
        note,
        *check_times(item.get("expiration"), item.get("expiration_ttl")),
    )


async def kv_binding(namespaces: Namespaces, request: Request, namespace: str) -> Response:
    """GET, PUT and DELETE of one key, the list at `/`, and `/bulk/get`."""
    key, query = request.path_params["path"], request.query_params
    if request.method == "POST" and key == "bulk/get":
        return await _bulk_get(namespaces, request, namespace)
    if request.method == "GET" and key == "":
        if (long := too_long(query.get("prefix", ""))) is not None:
            return refused(*long)
        asked = query.get("key_count_limit", "1000")
        if not asked.lstrip("-").isdecimal() or not 1 <= int(asked) <= MOST_LISTED:
            than = "greater than 0" if asked.startswith(("-", "0")) else f"less than {MOST_LISTED}"
            return refused(400, f"Invalid key_count_limit of {asked[:40]}. Please specify an integer {than}.")
        limit = int(asked)
        found, cursor = namespaces.keys(namespace, query.get("prefix", ""), limit, query.get("cursor", ""))
        for entry in found:  # workerd takes metadata as JSON in a text
            if (note := entry.pop("metadata", None)) is not None:
                entry["metadata"] = ascii_json(note)
        return JSONResponse({"keys": found, "list_complete": not cursor} | ({"cursor": cursor} if cursor else {}))
    if request.method == "GET":
        if (wrong := short_cache(query.get("cache_ttl"))) is not None:
            return refused(400, wrong)
        if (value := namespaces.read(namespace, key)) is None:
            return Response("Not Found", 404)
        return Response(value[0], headers={"cf-kv-metadata": ascii_json(json.loads(value[1]))} if value[1] else {})
    if request.method == "PUT":
        try:
            note = check_metadata(from_header(request.headers.get("cf-kv-metadata", "")))
            times = check_times(query.get("expiration"), query.get("expiration_ttl"))
            namespaces.write(namespace, check_key(key), check_value(await request.body()), note, *times)
        except ApiError as error:
            return refused(error.status, error.message)
        return Response()
    namespaces.remove(namespace, key)
    return Response()


async def _bulk_get(namespaces: Namespaces, request: Request, namespace: str) -> Response:
    body, answer, size = await json_body(request), {}, 0
    if body.get("type", "text") not in ("text", "json"):
        return refused(400, f'"{str(body["type"])[:40]}" is not a valid type. Use "json" or "text"')
    if len(body["keys"]) > MOST_KEYS:
        return refused(400, f"You can request a maximum of {MOST_KEYS} keys")
    if not body["keys"]:
        return refused(400, "You must request a minimum of 1 key")
    if (wrong := short_cache(body.get("cacheTtl"))) is not None:
        return refused(400, wrong)
    for key in body["keys"]:
        if (wrong_one := wrong_key(key)) is not None:
            return refused(*wrong_one)
        entry = namespaces.read(namespace, key)
        value: Any = None
        if entry is not None:
            text = any_text(entry[0])
            size += len(entry[0])
            try:
                value = json.loads(text) if body.get("type") == "json" else text
            except ValueError:
                return refused(400, "At least one of the requested keys corresponds to a non-json value")
            if body.get("withMetadata"):
                value = {"value": value, "metadata": json.loads(entry[1]) if entry[1] else None}
        answer[key] = value
    if size > LARGEST_VALUE:
        return refused(413, f"Total size of request exceeds the limit of {LARGEST_VALUE // 1024**2}MB")
    return JSONResponse(answer)
