"""Gateways, routes and provider keys: their rules. Shapes and codes: facts `api.md` (AI Gateway), `errors.json`."""

from __future__ import annotations

import json
import re

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now, uuid_id
from inferstack.local.ai_gateway.shapes import check_dlp, check_elements

KIND, ROUTE, KEY = "ai_gateway", "ai_gateway_route", "ai_gateway_provider_config"
POLICY, DATASET, EVALUATION = "ai_gateway_policy", "ai_gateway_dataset", "ai_gateway_evaluation"
NAME = re.compile(r"^[a-z0-9_-]{1,64}$")
REQUIRED: dict[str, type | tuple[type, ...]] = {
    "cache_invalidate_on_update": bool,
    "cache_ttl": (int, type(None)),
    "collect_logs": bool,
    "rate_limiting_interval": (int, type(None)),
    "rate_limiting_limit": (int, type(None)),
}
OPTIONAL = {
    *("authentication", "rate_limiting_technique", "logpush", "logpush_public_key", "log_management", "dlp", "otel"),
    *("log_management_strategy", "workers_ai_billing_mode", "zdr", "stripe", "guardrails", "spend_limits", "store_id"),
    *("retry_max_attempts", "retry_delay", "retry_backoff", "is_default", "byok_only"),
}
DEFAULT = "default"
DEFAULTS: Document = {
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}


class GatewayState:
    """The account's gateways."""

    def __init__(self, store: Store, account_id: str) -> None:
        self._store, self.account_id = store, account_id

    def list_all(self) -> list[Document]:
        return self._store.list_all(KIND)

    def create(self, body: Document, owner: str | None) -> Document:
        name = body.get("id")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ApiError(400, 7001, "id: must be 1 to 64 lower case letters, digits, - or _")
        existing = self._store.get(KIND, name)
        if existing:
            if owner and self._store.owner_of(KIND, name) == owner:
                return existing
            raise ApiError(409, 7001, "gateway already exists")
        stamps = {"created_at": now(), "modified_at": now(), "is_default": name == DEFAULT}
        ids = {"account_id": self.account_id, "account_tag": self.account_id, "internal_id": uuid_id()}
        return self._store.put(KIND, name, {**stamps, **ids, "id": name, **_fields(body)}, owner)

    def use(self, name: str) -> Document:
        """For a request. The gateway `default` comes to be with the first one, as in every account of Cloudflare."""
        if name == DEFAULT and self._store.get(KIND, name) is None:
            return self.create({"id": DEFAULT, **DEFAULTS}, None)
        return self.get(name)

    def get(self, name: str) -> Document:
        gateway = self._store.get(KIND, name)
        if gateway is None:
            raise ApiError(404, 7002, "Not Found")
        return gateway

    def update(self, name: str, body: Document) -> Document:
        old = self.get(name)
        kept = {k: old[k] for k in ("created_at", "is_default", "account_id", "account_tag", "internal_id", "id")}
        gateway = {**kept, "modified_at": now(), **_fields(body)}
        if gateway["cache_invalidate_on_update"]:
            self._store.db.execute("delete from gateway_cache where gateway = ?", (name,))
        return self._store.put(KIND, name, gateway)

    def delete(self, name: str) -> Document:
        gateway = self.get(name)
        for kind in (ROUTE, KEY, POLICY, DATASET, EVALUATION):
            for child in self.children(kind, name):
                self._store.delete(kind, child["id"])
                self._store.drop_secrets(child["id"])
        self._store.delete(KIND, name)
        return gateway

    def children(self, kind: str, gateway: str) -> list[Document]:
        return [d for d in self._store.list_all(kind) if d["gateway_id"] == gateway]

    def create_route(self, gateway: str, body: Document, owner: str | None) -> Document:
        self.get(gateway)
        name = body.get("name")
        if not isinstance(name, str) or not name:
            raise ApiError(400, 7001, "name: must be a non-empty string")
        existing = next((r for r in self.children(ROUTE, gateway) if r["name"] == name), None)
        if existing:
            if owner and self._store.owner_of(ROUTE, existing["id"]) == owner:
                return shown_route(existing)
            raise ApiError(409, 7001, f"route {name} already exists")
        version = _version(check_elements(body.get("elements")))
        stamps = {"created_at": now(), "modified_at": now()}
        route: Document = {
            "id": hex_id()[:14],
            "account_tag": self.account_id,
            "gateway_id": gateway,
            "name": name,
            **stamps,
        }
        route |= {"versions": [version], "deployments": [_deployment(version["version_id"])]}
        return shown_route(self._store.put(ROUTE, route["id"], route, owner))

    def route(self, gateway: str, route_id: str) -> Document:
        route = self._store.get(ROUTE, route_id)
        if route is None or route["gateway_id"] != gateway:
            raise ApiError(404, 7002, "Not Found")
        return route

    def rename_route(self, gateway: str, route_id: str, body: Document) -> Document:
        route = self.route(gateway, route_id)
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise ApiError(400, 7001, "name: must be a non-empty string")
        return self._save(route | {"name": body["name"]})

    def add_version(self, gateway: str, route_id: str, body: Document) -> Document:
        route = self.route(gateway, route_id)
        route["versions"].append(_version(check_elements(body.get("elements"))))
        return self._save(route)

    def deploy_version(self, gateway: str, route_id: str, body: Document) -> Document:
        route = self.route(gateway, route_id)
        if all(v["version_id"] != body.get("version_id") for v in route["versions"]):
            raise ApiError(404, 7002, "Not Found")
        route["deployments"].append(_deployment(str(body["version_id"])))
        return self._save(route)

    def _save(self, route: Document) -> Document:
        return self._store.put(ROUTE, route["id"], route | {"modified_at": now()})

    def delete_route(self, gateway: str, route_id: str) -> Document:
        route = self.route(gateway, route_id)
        self._store.delete(ROUTE, route_id)
        return shown_route(route)

    def create_key(self, gateway: str, body: Document, owner: str | None) -> Document:
        self.get(gateway)
        for field in ("alias", "provider_slug"):
            if not isinstance(body.get(field), str) or not body[field]:
                raise ApiError(400, 7001, f"{field}: must be a non-empty string")
        secret = body.get("secret")
        if not isinstance(secret, str) or not secret:
            raise ApiError(400, 7001, "secret: must be a non-empty string")
        same = (body["provider_slug"], body["alias"])
        existing = next((k for k in self.children(KEY, gateway) if (k["provider_slug"], k["alias"]) == same), None)
        if existing:
            if owner and self._store.owner_of(KEY, existing["id"]) == owner:
                return existing
            raise ApiError(409, 7001, f"provider config {same[0]}/{same[1]} already exists")
        document: Document = {"id": hex_id(), "gateway_id": gateway, "alias": same[1], "provider_slug": same[0]}
        document |= {"default_config": bool(body.get("default_config")), "modified_at": now(), "secret_id": hex_id()}
        document |= {k: body[k] for k in ("rate_limit", "rate_limit_period") if body.get(k) is not None}
        document["secret_preview"] = "…" + secret[-2:] if len(secret) > 8 else "…"
        self._store.set_secret(document["id"], "secret", secret)
        return self._store.put(KEY, document["id"], document, owner)

    def secret_of(self, gateway: str, provider: str) -> str | None:
        """The key that the gateway keeps for a provider: its default one, else the first."""
        keys = [key for key in self.children(KEY, gateway) if key["provider_slug"] == provider]
        keys.sort(key=lambda key: not key["default_config"])
        return self._store.secrets(keys[0]["id"])["secret"] if keys else None

    def key(self, gateway: str, key_id: str) -> Document:
        document = self._store.get(KEY, key_id)
        if document is None or document["gateway_id"] != gateway:
            raise ApiError(404, 7002, "Not Found")
        return document

    def update_key(self, gateway: str, key_id: str, body: Document) -> Document:
        document, secret = self.key(gateway, key_id), body.get("secret")
        if not isinstance(secret, str) or not secret:
            raise ApiError(400, 7001, "secret: must be a non-empty string")
        self._store.set_secret(key_id, "secret", secret)
        preview = "…" + secret[-2:] if len(secret) > 8 else "…"
        return self._store.put(KEY, key_id, document | {"secret_preview": preview, "modified_at": now()})

    def delete_key(self, gateway: str, key_id: str) -> Document:
        document = self.key(gateway, key_id)
        self._store.delete(KEY, key_id)
        self._store.drop_secrets(key_id)
        return document


def shown_route(route: Document) -> Document:
    """A route as the API shows it: the deployed version's graph (an undeployed draft is not visible)."""
    deployment = route["deployments"][-1]
    version = next(v for v in route["versions"] if v["version_id"] == deployment["version_id"])
    fields = {k: route[k] for k in ("id", "account_tag", "gateway_id", "name", "created_at", "modified_at")}
    return fields | {
        "elements": version["elements"],
        "version": shown_version(version, deployment["version_id"]),
        "deployment": deployment,
    }


def shown_version(version: Document, deployed: str) -> Document:
    active = "true" if version["version_id"] == deployed else "false"
    data = json.dumps(version["elements"])
    return {"version_id": version["version_id"], "active": active, "created_at": version["created_at"], "data": data}


def _version(elements: list[Document]) -> Document:
    return {"version_id": uuid_id(), "created_at": now(), "elements": elements}


def _deployment(version_id: str) -> Document:
    return {"deployment_id": uuid_id(), "version_id": version_id, "created_at": now()}


def _fields(body: Document) -> Document:
    for name, kind in REQUIRED.items():
        if name not in body or not isinstance(body[name], kind):
            raise ApiError(400, 7001, f"{name}: required")
    if body.get("dlp") is not None:
        check_dlp(body["dlp"])
    given = {k: v for k, v in body.items() if (k in REQUIRED or k in OPTIONAL) and v is not None}
    return {"authentication": False, "workers_ai_billing_mode": "postpaid", **given}
