"""KV and R2: keys by prefix, and one value to look at, whatever it is."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from inferstack.local.console.api import ApiProblem
from inferstack.local.console.door import HEADERS, ROOT
from inferstack.local.console.views import Seen

KEYS = 200
LONGEST = 100_000  # bytes of a value that a page shows
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
LARGEST_PICTURE = 2_000_000
LARGEST_SHOWN = 20_000_000  # bytes of an object: the API has no ranges, so it is read whole
LARGEST_UPLOAD = 50_000_000


async def spaces(seen: Seen) -> Response:
    rows = []
    for space in await seen.api.get("/storage/kv/namespaces", per_page=100):
        keys = (await seen.api.send("GET", f"/storage/kv/namespaces/{space['id']}/keys", params={"limit": 1000})).json()
        more = "+" if keys["result_info"].get("cursor") else ""
        rows.append((space["title"], space["id"], f"{len(keys['result'])}{more}"))
    return seen.page("list", title="KV", kind="kv", heads=("Namespace", "Keys"), rows=rows, sizes=())


async def space(seen: Seen) -> Response:
    identifier, query = seen.path("name"), seen.query
    base = f"/storage/kv/namespaces/{identifier}"
    try:
        known = await seen.api.get(base)
    except ApiProblem:
        return seen.page("missing", 404, what=f"the namespace {identifier}", where="kv")
    asked = {"limit": KEYS, "prefix": query.get("prefix") or None, "cursor": query.get("cursor") or None}
    sent = await seen.api.send("GET", f"{base}/keys", params={k: v for k, v in asked.items() if v is not None})
    listed = sent.json()
    keys = [{"key": each["name"], "expiration": each.get("expiration"), "size": None} for each in listed["result"]]
    shown = None
    if query.get("key"):
        answer = await seen.api.send("GET", f"{base}/values/{quote(query['key'], safe='')}")
        if answer.status_code != 200:
            return seen.page("missing", 404, what=f"the key {query['key']}", where=f"kv/{identifier}")
        metadata = await seen.api.get(f"{base}/metadata/{quote(query['key'], safe='')}")
        shown = shown_as(query["key"], answer.content, "", {"metadata": json.dumps(metadata)} if metadata else {})
    values: dict[str, Any] = {"title": known["title"], "kind": "kv", "name": identifier, "keys": keys, "shown": shown}
    return seen.page("store", **values, cursor=listed["result_info"].get("cursor") or "", upload=False)


async def buckets(seen: Seen) -> Response:
    found = (await seen.api.get("/r2/buckets", per_page=1000))["buckets"]
    rows = [(each["name"], each["name"], each.get("location", ""), each.get("storage_class", "")) for each in found]
    return seen.page("list", title="R2", kind="r2", heads=("Bucket", "Location", "Class"), rows=rows, sizes=())


async def bucket(seen: Seen) -> Response:
    name, query = seen.path("name"), seen.query
    base = f"/r2/buckets/{name}"
    try:
        await seen.api.get(base)
    except ApiProblem:
        return seen.page("missing", 404, what=f"the bucket {name}", where="r2")
    if seen.request.method == "POST":
        return await _uploaded(seen, name)
    asked = {"per_page": KEYS, "prefix": query.get("prefix") or None, "cursor": query.get("cursor") or None}
    listed = (await seen.api.send("GET", f"{base}/objects", params={k: v for k, v in asked.items() if v})).json()
    keys = [{"key": each["key"], "expiration": None, "size": each.get("size")} for each in listed["result"]]
    shown = None
    if query.get("key") and (size := await _size_of(seen, base, query["key"])) > LARGEST_SHOWN:
        text = f"{size / 1e6:.0f} MB are more than a page holds; read it by the API, S3 or wrangler."
        shown = {"key": query["key"], "size": size, "about": {}, "picture": "", "text": text}
    elif query.get("key"):
        answer = await seen.api.send("GET", f"{base}/objects/{quote(query['key'], safe='')}")
        if answer.status_code != 200:
            return seen.page("missing", 404, what=f"the object {query['key']}", where=f"r2/{name}")
        about = {
            head: answer.headers[head] for head in ("content-type", "etag", "last-modified") if head in answer.headers
        }
        shown = shown_as(query["key"], answer.content, about.get("content-type", ""), about)
    cursor = (listed.get("result_info") or {}).get("cursor") or ""
    values: dict[str, Any] = {"title": name, "kind": "r2", "name": name, "keys": keys, "shown": shown, "cursor": cursor}
    return seen.page("store", **values, upload=True)


async def _size_of(seen: Seen, base: str, key: str) -> int:
    """0 for one that is not there: the first with a prefix is the key itself, if there is one."""
    listed = await seen.api.get(f"{base}/objects", prefix=key, per_page=1)
    return int(listed[0]["size"]) if listed and listed[0]["key"] == key else 0


async def _uploaded(seen: Seen, name: str) -> Response:
    async with seen.request.form(max_part_size=LARGEST_UPLOAD) as form:
        file, key = form.get("file"), str(form.get("key") or "")
        if file is None or isinstance(file, str):
            return seen.page("missing", 400, what="a file to upload", where=f"r2/{name}")
        key = key or file.filename or "upload"
        headers = {"content-type": file.content_type or "application/octet-stream"}
        content = await file.read()
    await seen.api.call("PUT", f"/r2/buckets/{name}/objects/{quote(key, safe='')}", content=content, headers=headers)
    return RedirectResponse(f"{ROOT}/r2/{quote(name)}?key={quote(key, safe='')}", 303, HEADERS)


def shown_as(key: str, content: bytes, kind: str, about: dict[str, str]) -> dict[str, Any]:
    """A picture as one, text as text, JSON with indents, everything else as its first bytes."""
    known: dict[str, Any] = {"key": key, "size": len(content), "about": about, "picture": "", "text": ""}
    plain = kind.split(";")[0].strip().lower()
    if plain in PICTURES and len(content) <= LARGEST_PICTURE:
        return known | {"picture": f"data:{plain};base64,{base64.b64encode(content).decode()}"}
    head = content[:LONGEST]
    try:
        text = head.decode() if len(content) <= LONGEST else head.decode(errors="ignore")
        if "\0" in text:
            raise ValueError
    except ValueError:
        lines = [head[start : start + 16] for start in range(0, min(len(head), 1024), 16)]
        return known | {"text": "\n".join(f"{n * 16:06x}  {line.hex(' ')}" for n, line in enumerate(lines))}
    return known | {"text": text}
