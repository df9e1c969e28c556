"""Zones, as many as routes and domains need: a name that is asked for is one of the account's.

A local account owns no domain, and who deploys a route by its zone's name asks for the zone first. So each name that
could be a zone is one, with an id that is always the same; nothing else of a zone is played here.
"""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, ok, paged
from inferstack.local._settings import API
from inferstack.local._store import Document, Store, now

KIND = "zone"
NAME = re.compile(r"^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$")


def zone_of(store: Store, name: str) -> str:
    """The id of the zone of that name, which is made when it is asked for."""
    zone = hashlib.sha256(name.lower().encode("utf-8", "replace")).hexdigest()[:32]
    if store.get(KIND, zone) is None:
        store.put(KIND, zone, {"id": zone, "name": name.lower(), "created_on": now()})
    return zone


class Zones:
    """Of the account."""

    def __init__(self, store: Store, account: Document) -> None:
        self._store, self._account = store, account

    def routes(self, _: str) -> list[Route]:
        return [
            Route(API + "/zones", self.list_all, methods=["GET"]),
            Route(API + "/zones/{zone_id}", self.get, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        name, account = request.query_params.get("name"), request.query_params.get("account.id")
        if account not in (None, "", self._account["id"]):
            return paged(request, [])
        if name:
            # A filter such as `contains:shop` looks among those that are there.
            how, _, text = name.rpartition(":")
            if not how and NAME.fullmatch(text.lower()):
                zone_of(self._store, text)
            known = [z for z in self._store.list_all(KIND) if _fits(z["name"], how, text.lower())]
        else:
            known = self._store.list_all(KIND)
        return paged(request, [self._shown(zone) for zone in known])

    async def get(self, request: Request) -> Response:
        zone = self._store.get(KIND, request.path_params["zone_id"])
        if zone is None:
            path = f"/zones/{request.path_params['zone_id'][:80]}"
            text = f"Could not route to {path}, perhaps your object identifier is invalid?"
            raise ApiError(404, 7003, text)
        return ok(self._shown(zone))

    def _shown(self, zone: Document) -> Document:
        account = {"id": self._account["id"], "name": self._account["name"]}
        servers = ["ada.ns.example.com", "bob.ns.example.com"]
        fields = zone | {"account": account, "owner": {**account, "type": "organization"}, "name_servers": servers}
        fields |= {"modified_on": zone["created_on"], "activated_on": zone["created_on"], "development_mode": 0}
        fields |= {"meta": {"step": 2}, "plan": {"id": "free", "name": "Free Website"}, "paused": False}
        # Of a zone that came from elsewhere; the API tells them of every zone.
        fields |= dict.fromkeys(("original_name_servers", "original_registrar", "original_dnshost"))
        return fields | {"status": "active", "type": "full"}


def _fits(name: str, how: str, text: str) -> bool:
    """Operators of the zones list: https://developers.cloudflare.com/api/resources/zones/methods/list."""
    tests = {"": name == text, "equal": name == text, "not_equal": name != text, "contains": text in name}
    tests |= {"starts_with": name.startswith(text), "ends_with": name.endswith(text)}
    return tests.get(how, False)
