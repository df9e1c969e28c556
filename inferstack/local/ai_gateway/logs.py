"""Logs of a gateway: written with each request, read by page or alone with both bodies, judged by feedback and score."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.ai_gateway.dynamic import Routed
from inferstack.local.ai_gateway.limits import CENTS, cost_cents
from inferstack.local.ai_gateway.log_filter import LogFilter

BODIES = ("request", "response")  # kept with the entry, shown at addresses of their own
HEAD = 1024  # characters of a body that an entry shows; how many Cloudflare shows is in none of its pages
MOST_ENTRIES = 5  # of custom metadata; facts `limits.json`. Those beyond it are left out, as its page says
LARGEST = 10_000_000  # facts `limits.json`, `log_size_legacy`


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request as it ended."""

    routed: Routed
    started: float
    inputs: dict[str, Any]
    metadata: Document
    status: int
    cached: bool
    guarded: Document  # what guards found

    def document(self) -> Document:
        routed = self.routed
        shown: Document = {"provider": routed.provider, "model": routed.model, "path": routed.model}
        shown |= {"duration": int((time.perf_counter() - self.started) * 1000)}
        shown |= {"success": self.status < 400, "cached": self.cached, "request_type": "run"}
        shown |= {"status_code": self.status, "created_at": now(), **self.guarded}
        tokens = routed.answer.usage or {}
        shown |= {"tokens_in": tokens.get("prompt_tokens", 0), "tokens_out": tokens.get("completion_tokens", 0)}
        kept = {name: value for name, value in self.metadata.items() if isinstance(value, str | int | float)}
        shown |= {"metadata": dict(list(kept.items())[:MOST_ENTRIES])} if kept else {}
        shown |= {"step": routed.step, "cost": cost_cents(routed.provider, routed.model, routed.answer.usage) / CENTS}
        for name, body in zip(BODIES, (self.inputs, routed.answer.value), strict=True):
            text = "" if body is None else json.dumps(body)  # a stream is gone once it was sent
            shown[f"{name}_size"] = len(text)
            shown |= {name: text} if len(text) <= LARGEST else {}
        return shown


class Logs:
    """Of all gateways of an account."""

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.db

    def add(self, gateway: str, entry: Entry) -> str:
        document = {"id": uuid_id(), **entry.document()}
        values = (document["id"], gateway, int(time.time() * 1000), json.dumps(document))
        self._db.execute("insert into gateway_logs values (?, ?, ?, ?)", values)
        return str(document["id"])

    def charge(self, gateway: str, identifier: str, usage: dict[str, int]) -> None:
        """The tokens of a stream, which are counted at its end."""
        document = self._read(gateway, identifier)
        counts = {"tokens_in": usage.get("prompt_tokens", 0), "tokens_out": usage.get("completion_tokens", 0)}
        document |= counts | {"cost": cost_cents(document["provider"], document["model"], usage) / CENTS}
        self._db.execute("update gateway_logs set body = ? where id = ?", (json.dumps(document), identifier))

    def count(self, gateway: str, which: LogFilter) -> int:
        sql = f"select count(*) from gateway_logs where {which.where}"  # noqa: S608 - LogFilter's own words
        return int(self._store.one(sql, (gateway, *which.values))[0])

    def page(self, gateway: str, which: LogFilter, start: int, most: int) -> list[Document]:
        sql = f"select body from gateway_logs where {which.where} order by {which.order} limit ? offset ?"  # noqa: S608
        rows = self._db.execute(sql, (gateway, *which.values, most, start))
        return [{k: v for k, v in json.loads(row[0]).items() if k not in BODIES} for row in rows]

    def delete(self, gateway: str, which: LogFilter, most: int) -> None:
        inner = f"select id from gateway_logs where {which.where} order by {which.order} limit ?"  # noqa: S608
        self._db.execute(f"delete from gateway_logs where id in ({inner})", (gateway, *which.values, most))  # noqa: S608

    def get(self, gateway: str, identifier: str) -> Document:
        """With the beginnings of both bodies."""
        document = self._read(gateway, identifier)
        for name in BODIES:
            body = document.pop(name, "")
            document |= {f"{name}_head": body[:HEAD], f"{name}_head_complete": len(body) <= HEAD}
        return document

    def body(self, gateway: str, identifier: str, name: str) -> Any:
        """The request or the response, whole; null where it was too large, or a stream."""
        kept = self._read(gateway, identifier).get(name)
        return json.loads(kept) if kept else None

    def judge(self, gateway: str, identifier: str, body: Document) -> None:
        """What people say of an answer. Bounds: the API's own document, `aig-config-patch-gateway-log`."""
        document = self._read(gateway, identifier)
        for name, low, high in (("feedback", -1, 1), ("score", 0, 100)):
            value = body.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ApiError(400, 7001, f"{name}: must be a number from {low} to {high}")
            document[name] = value
        metadata = body.get("metadata")
        if metadata is not None:
            if not isinstance(metadata, dict) or not all(isinstance(v, str | int | float) for v in metadata.values()):
                raise ApiError(400, 7001, "metadata: must be an object of texts, numbers and booleans")
            document["metadata"] = metadata
        self._db.execute("update gateway_logs set body = ? where id = ?", (json.dumps(document), identifier))

    def _read(self, gateway: str, identifier: str) -> Document:
        sql = "select body from gateway_logs where gateway = ? and id = ?"
        row = self._db.execute(sql, (gateway, identifier)).fetchone()
        if row is None:
            raise ApiError(404, 7002, "Not Found")
        document: Document = json.loads(row[0])
        return document
