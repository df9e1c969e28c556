"""Gateway policies: who may call which model, and for how much. Deny by default after the first.

Rules, objects and answers: https://developers.cloudflare.com/ai-gateway/features/policies/ (beta, 2026-11-27). Nobody stands
behind Cloudflare Access here, so that an identity is its metadata; the simulation of policies is not played.
"""

from __future__ import annotations

import fnmatch
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, uuid_id
from inferstack.local.ai_gateway.cel import CelError, MissingField, compiled, resolved
from inferstack.local.ai_gateway.limits import Windows
from inferstack.local.ai_gateway.state import POLICY

PERIODS = ("hourly", "daily", "weekly", "monthly")
LONGEST = 32 * 86_400.0  # seconds; a month's sum, whose start stands in the key
FIELDS = ("name", "actor", "resource", "condition", "action")


@dataclass(frozen=True, slots=True)
class Decision:
    """`allowed`, or why not: `blocked`, or `limit_exceeded` of a bucket. `buckets` are those that the cost goes to."""

    allowed: bool
    why: str
    buckets: tuple[tuple[str, float], ...] = ()
    bucket: str = ""
    spent: float = 0.0
    limit: float = 0.0


class Policies:
    """Of all gateways of an account; what was spent is forgotten when the local Cloudflare ends."""

    def __init__(self, store: Store, windows: Windows) -> None:
        self._store, self._windows = store, windows

    def list_all(self, gateway: str) -> list[Document]:
        return [each for each in self._store.list_all(POLICY) if each["gateway_id"] == gateway]

    def get(self, gateway: str, identifier: str) -> Document:
        found = self._store.get(POLICY, identifier)
        if found is None or found["gateway_id"] != gateway:
            raise ApiError(404, 7002, "Not Found")
        return found

    def create(self, gateway: str, body: Document, owner: str | None, *, commit: bool) -> Document:
        fields = checked({"actor": "company:all", "condition": "true", **body})
        stamps = {"created_at": int(time.time()), "updated_at": int(time.time())}
        document = {"id": uuid_id(), "gateway_id": gateway, **fields, **stamps, **({} if commit else {"staging": True})}
        return self._store.put(POLICY, document["id"], document, owner)

    def update(self, gateway: str, identifier: str, body: Document, *, commit: bool) -> None:
        found = self.get(gateway, identifier)
        if found.get("staging"):
            raise ApiError(400, 7001, "only a policy that was committed can be updated")
        fields = checked({name: found[name] for name in FIELDS} | body)
        changed = {**fields, "updated_at": int(time.time())} if commit else {"draft": fields}
        self._store.put(POLICY, identifier, found | changed)

    def commit(self, gateway: str) -> int:
        """How many drafts are enforced from now on."""
        drafts = [each for each in self.list_all(gateway) if each.get("staging") or each.get("draft")]
        for each in drafts:
            fields = each.pop("draft", {})
            each.pop("staging", None)
            self._store.put(POLICY, each["id"], each | fields)
        return len(drafts)

    def delete(self, gateway: str, identifier: str) -> None:
        self.get(gateway, identifier)
        self._store.delete(POLICY, identifier)

    def decide(self, gateway: str, provider: str, model: str, metadata: Document) -> Decision:
        live = [each for each in self.list_all(gateway) if not each.get("staging")]
        return decide(live, provider, model, {"metadata": metadata}, lambda key: self._spent(gateway, key))

    def spend(self, gateway: str, provider: str, model: str, metadata: Document, usd: float) -> None:
        """After an answer: on each budget that the call draws on."""
        for key, _ in self.decide(gateway, provider, model, metadata).buckets if usd else ():
            self._windows.add(f"policy\0{gateway}\0{key}", usd)

    def _spent(self, gateway: str, key: str) -> float:
        return self._windows.total(f"policy\0{gateway}\0{key}", LONGEST)


def decide(policies: list[Document], provider: str, model: str, identity: Document, spent: Any) -> Decision:
    """`spent` gives the US dollars of a bucket. Without a policy, all is allowed."""
    if not policies:
        return Decision(True, "no policy")
    buckets: dict[str, list[Document]] = {}
    for each in policies:
        action, named = each["action"], _names(each["resource"], provider, model)
        blocks = action["type"] == "block"
        concerned = not named if blocks and action.get("except") else named
        if not concerned or not _holds(each["condition"], identity, unknown=blocks):
            continue
        if blocks:
            return Decision(False, "blocked", bucket=each["name"])
        try:
            actor = resolved(each["actor"], identity)
        except (MissingField, CelError):
            continue
        buckets.setdefault(f"{actor}\0{each['resource']}", []).append(each)
    if not buckets:
        return Decision(False, "blocked", bucket="no policy allows it")
    return _within(buckets, spent)


def _within(buckets: dict[str, list[Document]], spent: Any) -> Decision:
    counted: list[tuple[str, float]] = []
    for name, policies in buckets.items():
        if any(each["action"]["type"] == "no-limit" for each in policies):
            continue
        caps: dict[str, float] = {}
        for action in (each["action"] for each in policies):
            caps[action["period"]] = max(caps.get(action["period"], 0.0), float(action["amount"]))
        counted += [(f"{name}\0{start_of(period)}", most) for period, most in caps.items()]
    for key, most in counted:
        if spent(key) >= most:
            bucket = key.split("\0")[0]
            return Decision(False, "limit_exceeded", tuple(counted), bucket, spent(key), most)
    return Decision(True, "allowed", tuple(counted))


def start_of(period: str) -> str:
    """Of the calendar's interval that is now, in UTC; weeks begin on Monday."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    day = now.replace(hour=0)
    starts = {"hourly": now, "daily": day, "weekly": day - timedelta(days=day.weekday()), "monthly": day.replace(day=1)}
    return f"{period} {starts[period].isoformat()}"


def checked(body: Document) -> Document:
    """The fields of a policy. Raises `ApiError`."""
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise ApiError(400, 7001, "name: must be a non-empty string")
    for field in ("actor", "condition"):
        if not isinstance(body.get(field), str) or not body[field]:
            raise ApiError(400, 7001, f"{field}: must be a non-empty string")
    try:
        compiled(body["condition"])
    except CelError as error:
        raise ApiError(400, 7001, f"condition: {error}") from None
    if body["actor"].count("{") != body["actor"].count("}") or re.search(r"\{[^\w.]*\}", body["actor"]):
        raise ApiError(400, 7001, "actor: braces hold a field, such as {cf.user.email}")
    return {name: body[name] for name in FIELDS[:2]} | {
        "resource": _resource(body.get("resource")),
        "condition": body["condition"],
        "action": _action(body.get("action")),
    }


def _resource(given: Any) -> Any:
    if given == "*":
        return given
    if not isinstance(given, dict) or not given or set(given) - {"model", "provider"}:
        raise ApiError(400, 7001, 'resource: must be "*", or an object with model, provider or both')
    for value in given.values():
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str) and name for name in names):
            raise ApiError(400, 7001, "resource: names are texts, or lists of texts")
    return given


def _action(given: Any) -> Document:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "limit":
        amount = given.get("amount")
        number = isinstance(amount, int | float) and not isinstance(amount, bool) and amount > 0
        if number and given.get("period") in PERIODS and given.get("technique") == "named-interval":
            return dict(given)
        raise ApiError(
            400, 7001, f"action: a limit has an amount above 0, a period of {', '.join(PERIODS)}, and named-interval"
        )
    if kind in ("no-limit", "block"):
        return dict(given)
    raise ApiError(400, 7001, "action.type: must be no-limit, block or limit")


def _names(resource: Any, provider: str, model: str) -> bool:
    """Whether a call is one of those that the resource means. A wildcard stays between two slashes."""
    if resource == "*":
        return True
    tests = (("provider", (provider,)), ("model", (model, f"{provider}/{model}")))
    for field, values in tests:
        wanted = resource.get(field)
        if wanted is None:
            continue
        names = wanted if isinstance(wanted, list) else [wanted]
        if not any(_like(name, value) if field == "model" else name == value for name in names for value in values):
            return False
    return True


def _like(pattern: str, value: str) -> bool:
    parts, wanted = value.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, re.sub(r"([\[\]?])", r"[\1]", name)) for part, name in zip(parts, wanted, strict=True)
    )


def _holds(condition: str, identity: Document, *, unknown: bool) -> bool:
    try:
        return bool(compiled(condition)(identity))
    except MissingField:
        return unknown
    except CelError:
        return False
