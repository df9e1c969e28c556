"""Destinations of telemetry: where Workers' traces and logs are sent to by OTLP. Shapes: Cloudflare's API document,
`/accounts/{account_id}/workers/observability/destinations`; codes that it leaves open are this module's."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import Document, Store

KIND, SCOPE = "telemetry_destination", "telemetry-destination"
DATASETS = ("opentelemetry-traces", "opentelemetry-logs", "opentelemetry-metrics")
CODE = 10021
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z")  # a token of RFC 9110
JOB = 1  # the number of a Logpush job that there is none of here
STATUS = {"error_message": "", "last_complete": "", "last_error": ""}
HIDDEN = "REDACTED"


class Destinations:
    """Of an account. Headers are secrets: they are kept apart, and nothing tells more of them than their names."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/observability/destinations"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(base + "/{slug}", self.update, methods=["PATCH"]),
            Route(base + "/{slug}", self.delete, methods=["DELETE"]),
        ]

    def find(self, slug: str) -> tuple[Document, dict[str, str]] | None:
        """With its headers."""
        document = self._store.get(KIND, slug)
        return (document, self._headers(slug)) if document else None

    async def list_all(self, request: Request) -> Response:
        return paged(request, [self._listed(each) for each in self._store.list_all(KIND)])

    def _listed(self, document: Document) -> Document:
        shown = _shown(document)
        names = dict.fromkeys(self._headers(document["slug"]), HIDDEN)
        return shown | {"configuration": shown["configuration"] | {"headers": names, "jobStatus": STATUS}}

    async def create(self, request: Request) -> Response:
        body = await json_body(request, CODE)
        name, enabled, configuration = body.get("name"), body.get("enabled"), _configuration(body)
        if not isinstance(name, str) or not name.strip() or not isinstance(enabled, bool):
            raise ApiError(400, CODE, "name, enabled: must be a text and a boolean")
        if configuration.get("logpushDataset") not in DATASETS:
            raise ApiError(400, CODE, f"configuration.logpushDataset: must be one of {', '.join(DATASETS)}")
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "destination"
        existing = self._store.get(KIND, slug)
        if existing is not None and self._store.owner_of(KIND, slug) != request.state.owner:
            raise ApiError(409, CODE, f"a destination with the name {name[:80]} exists already")
        kept = {key: configuration[key] for key in ("type", "url", "logpushDataset")}
        document: Document = {"slug": slug, "name": name, "enabled": enabled, "scripts": [], "configuration": kept}
        self._keep(slug, configuration["headers"])
        return ok(_shown(self._store.put(KIND, slug, document, request.state.owner)))

    async def update(self, request: Request) -> Response:
        slug, body = request.path_params["slug"], await json_body(request, CODE)
        document = self._get(slug)
        configuration = _configuration(body)
        if not isinstance(body.get("enabled"), bool):
            raise ApiError(400, CODE, "enabled: must be a boolean")
        document["enabled"] = body["enabled"]
        document["configuration"] |= {"url": configuration["url"], "type": configuration["type"]}
        self._keep(slug, configuration["headers"])
        return ok(_shown(self._store.put(KIND, slug, document)))

    async def delete(self, request: Request) -> Response:
        document = self._get(request.path_params["slug"])
        self._store.delete(KIND, document["slug"])
        self._keep(document["slug"], {})
        return ok(_shown(document))

    def _get(self, slug: str) -> Document:
        document = self._store.get(KIND, slug)
        if document is None:
            raise ApiError(404, CODE, f"there is no destination {slug[:80]}")
        return document

    def _keep(self, slug: str, headers: dict[str, str]) -> None:
        scope = f"{SCOPE}/{slug}"
        with self._store.db:
            self._store.db.execute("delete from secrets where scope = ?", (scope,))
            rows = [(scope, name, value) for name, value in headers.items()]
            self._store.db.executemany("insert into secrets values (?, ?, ?)", rows)

    def _headers(self, slug: str) -> dict[str, str]:
        rows = self._store.db.execute("select name, value from secrets where scope = ?", (f"{SCOPE}/{slug}",))
        return {str(name): str(value) for name, value in rows}


def _configuration(body: Document) -> dict[str, Any]:
    found = body.get("configuration")
    if not isinstance(found, dict) or found.get("type") != "logpush":
        raise ApiError(400, CODE, "configuration.type: must be logpush")
    if not isinstance(found.get("url"), str) or not re.match(r"https?://[^/\s]+", found["url"]):
        raise ApiError(400, CODE, "configuration.url: must be an address that begins with https://")
    headers = found.get("headers")
    whole = isinstance(headers, dict) and all(
        HEADER.match(name) and isinstance(value, str) and not re.search(r"[\r\n\0]", value)
        for name, value in headers.items()
    )
    if not whole:
        raise ApiError(400, CODE, "configuration.headers: must be an object of names and texts")
    return found


def _shown(document: Document) -> Document:
    configuration = document["configuration"]
    return document | {"configuration": configuration | {"destination_conf": configuration["url"], "logpushJob": JOB}}
