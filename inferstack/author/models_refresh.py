"""`inferstack models refresh`: what the account's live list of models says otherwise than the catalogue.

`GET /accounts/{id}/ai/models/search`; its properties are texts ("true", "24000"), prices a list. Source: facts `api.md`.
"""

from __future__ import annotations

import os
from typing import Any

import httpx

from inferstack import catalog
from inferstack.catalog import Model
from inferstack.errors import AuthenticationError, ConfigError, UserError

API = "https://api.cloudflare.com/client/v4"
PAGE = 100
MOST_PAGES = 50
SECONDS = 30


def refresh() -> str:
    """One line for each difference; raises `ConfigError` without token or account, `AuthenticationError` when refused."""
    token, account = os.environ.get("CLOUDFLARE_API_TOKEN"), os.environ.get("CLOUDFLARE_ACCOUNT_ID")
    if not token or not account:
        missing = "CLOUDFLARE_API_TOKEN" if not token else "CLOUDFLARE_ACCOUNT_ID"
        fix = f"export {missing}; the token needs the permission Workers AI Read"
        raise ConfigError(f"the live list of models needs {missing}\n  fix: {fix}")
    base = os.environ.get("CLOUDFLARE_BASE_URL") or API
    live = {str(entry["name"]): entry for entry in _fetch(f"{base}/accounts/{account}/ai/models/search", token)}
    known = {model.name: model for model in catalog.builtin().all() if not model.removed}
    lines = [f"+ {name}: new, {_task(live[name])}" for name in sorted(live.keys() - known.keys())]
    lines += [f"- {name}: not served any more" for name in sorted(known.keys() - live.keys())]
    for name in sorted(known.keys() & live.keys()):
        lines += [f"~ {name}: {change}" for change in _changes(known[name], live[name])]
    about = catalog.sources()["retrieved"]
    head = f"{len(live)} models on the account, {len(known)} in the catalogue (read on {about})"
    tail = "no difference" if not lines else "a model that the catalogue lacks can be declared under `catalog:`"
    return "\n".join([head, *lines, tail])


def _fetch(url: str, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=SECONDS) as client:
        for page in range(1, MOST_PAGES + 1):
            try:
                answer = client.get(url, params={"page": page, "per_page": PAGE})
                body = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise UserError(
                    f"the list of models cannot be read: {type(error).__name__}\n  fix: try again"
                ) from None
            if answer.status_code in (401, 403):
                raise AuthenticationError(
                    "Cloudflare refuses the token\n  fix: one with the permission Workers AI Read"
                )
            if answer.status_code != 200 or not isinstance(body.get("result"), list):
                raise UserError(f"the list of models cannot be read: HTTP {answer.status_code}\n  fix: try again")
            found += body["result"]
            if len(body["result"]) < PAGE:
                break
    return found


def _task(entry: dict[str, Any]) -> str:
    return str((entry.get("task") or {}).get("name") or "of no task")


def _changes(model: Model, entry: dict[str, Any]) -> list[str]:
    live = {p.get("property_id"): p.get("value") for p in entry.get("properties") or []}
    known_as = model.listed_task or model.task
    changes = [] if _task(entry) == known_as else [f"task {known_as} → {_task(entry)}"]
    window = live.get("context_window")
    if window and str(window) != str(model.context_window):
        changes.append(f"context window {model.context_window} → {window}")
    date = live.get("planned_deprecation_date")
    if date and date != model.planned_deprecation:
        changes.append(f"removed on {date}")
    before = {price.unit: price.usd for price in model.prices}
    now = {price["unit"]: price["price"] for price in live.get("price") or []}
    units = [unit for unit in sorted(before.keys() | now.keys()) if now and before.get(unit) != now.get(unit)]
    return changes + [f"price {u} {before.get(u, 'none')} → {now.get(u, 'none')} USD" for u in units]
