"""Calls of models as they were logged: by the gateways of a stack, and by its Workers in lines that were kept.

`GET /ai-gateway/gateways/{id}/logs` has 50 entries a page, the newest first; `metadata` is JSON as text. Source: the OpenAPI
document, `aig-config-list-gateway-logs`. Lines of Workers are what `inferstack logs --format json` prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, load_stack, parse_seconds, price_name, text_given
from inferstack.cost.usage import NOBODY, Call, Usage, price_of_call
from inferstack.engine.account import Account, NotThere
from inferstack.errors import ConfigError
from inferstack.json_text import json_lines

PAGE = 50
MOST_PAGES = 400  # of a gateway: 20,000 calls
LONGEST_DAYS = 400
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SHAPE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError)  # of what is no event


def read_usage(stack: str, root: Path, since: str, lines: Path | None = None) -> Usage:
    """Raises `ConfigError` for a time or a file that is none, `UserError` when the account cannot be asked."""
    spec, now = load_stack(stack, root), datetime.now(UTC)
    start = beginning(since, now)
    usage, begun = Usage(stack, start, now, []), list[datetime]()
    account = Account(spec, root) if spec.gateways else None
    for key in spec.gateways if account else ():
        if spec.gateways[key].collect_logs and account is not None:
            usage.calls += _of_gateway(account, spec, key, usage, begun)
        else:
            usage.notes.append(f"gateways.{key} keeps no logs; set `collect_logs: true`")
    if lines is not None:
        kept = [call for call in _of_workers(spec, lines) if call.at >= start]
        begun += [min(call.at for call in kept)] if kept else []
        usage.calls += kept
    elif any(model.gateway is None for model in spec.models.values()):
        how = f"inferstack logs {stack} --since 7d --format json > usage.jsonl"
        usage.notes.append(
            f"calls that no gateway sees are not in it; have them by `{how}`, and give `--usage usage.jsonl`"
        )
    usage.since = max(usage.since, min(begun, default=start))  # a log that is younger says nothing of the time before
    return usage


def beginning(since: str, now: datetime) -> datetime:
    """`7d`, `24h`, or a day."""
    if DAY.fullmatch(since):
        try:
            start = datetime.fromisoformat(since).replace(tzinfo=UTC)
        except ValueError:
            raise ConfigError(f"there is no day {since}\n  fix: such as 2026-11-20, or 7d") from None
    else:
        start = now - timedelta(seconds=parse_seconds(since))
    if not now - timedelta(days=LONGEST_DAYS) <= start < now:
        raise ConfigError(f"`--since {since}` is not within the last {LONGEST_DAYS} days\n  fix: such as 7d")
    return start


def _of_gateway(account: Account, spec: StackSpec, key: str, usage: Usage, begun: list[datetime]) -> list[Call]:
    path = f"/ai-gateway/gateways/{spec.physical(key)}"
    query = {
        "start_date": usage.since.isoformat(),
        "per_page": PAGE,
        "order_by": "created_at",
        "order_by_direction": "desc",
    }
    found: list[Call] = []
    try:
        begun.append(_moment(account.call("GET", path)["created_at"]))
    except NotThere:
        usage.notes.append(f"gateways.{key} is not there; `inferstack up {usage.stack}` makes it")
        return []
    for page in range(1, MOST_PAGES + 1):
        entries = account.call("GET", f"{path}/logs", query={**query, "page": page}) or []
        found += [_call(spec, entry) for entry in entries if entry.get("success")]
        if len(entries) < PAGE:
            return found
    usage.since = max(usage.since, min(call.at for call in found))
    usage.notes.append(f"gateways.{key}: of its logs the newest {MOST_PAGES * PAGE:,} were read")
    return found


def _call(spec: StackSpec, entry: dict[str, Any]) -> Call:
    name = _name(spec, entry)
    into, out = entry.get("tokens_in") or 0, entry.get("tokens_out") or 0
    cached, ours = bool(entry.get("cached")), price_of_call(spec, name, into, out)
    theirs = entry.get("cost") or None
    ours = ours if into or out else None  # a stream whose tokens nobody counted is not free
    usd = 0.0 if cached else ours if name in spec.prices else theirs or ours
    return Call(
        at=_moment(entry["created_at"]),
        model=name,
        tenant=_tenant(entry.get("metadata")),
        tokens_in=into,
        tokens_out=out,
        cached=cached,
        usd=usd,
    )


def _name(spec: StackSpec, entry: dict[str, Any]) -> str:
    provider, model = str(entry["provider"]), str(entry["model"])
    own = next((key for key in spec.providers if spec.provider_name(key) == provider), provider)
    return model if model.startswith("@") else f"{own}/{model}"


def _tenant(metadata: Any) -> str:
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return NOBODY
    found = metadata.get("tenant") or metadata.get("caller") if isinstance(metadata, dict) else None
    return str(found) if found else NOBODY


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_workers(spec: StackSpec, file: Path) -> Iterator[Call]:
    """Lines that are none of a template's log are passed over: a Worker says other things, too."""
    logged = {alias for alias, model in spec.models.items() if _is_logged(spec, model.gateway)}
    by_gateway = {spec.models[alias].model for alias in logged}
    names = {spec.models[alias].model: price_name(spec, alias) for alias in spec.models}
    fix = "give what `inferstack logs STACK --format json` printed"
    lines = list(json_lines(text_given(file, fix)))
    if not lines:
        raise ConfigError(f"{file} holds no events\n  fix: {fix}")
    for number, line in lines:
        try:
            event = json.loads(line)["event"]
            said = [(entry, log) for log in event.get("logs") or [] for entry in _lines(log)]
            calls = [_worker_call(entry, _when(log, event), names, by_gateway) for entry, log in said]
        except SHAPE:
            raise ConfigError(f"{file}:{number}: this is no event of a Worker\n  fix: {fix}") from None
        yield from calls


def _when(log: dict[str, Any], event: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp((log.get("timestamp") or event.get("eventTimestamp") or 0) / 1000, UTC)


def _is_logged(spec: StackSpec, gateway: str | None) -> bool:
    return gateway in spec.gateways and spec.gateways[gateway].collect_logs


def _lines(log: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for text in log.get("message") or []:
        if isinstance(text, str) and text.startswith("{"):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("models"), list) and found["models"]:
                yield found


def _worker_call(entry: dict[str, Any], at: datetime, names: dict[str, str], by_gateway: set[str]) -> Call:
    models = list(dict.fromkeys(str(name) for name in entry["models"]))
    tokens = entry.get("tokens") or {}
    usd = entry.get("usd")
    return Call(
        at=at,
        model=" + ".join(names.get(name, name) for name in models),
        tenant=str(entry.get("tenant") or entry.get("caller") or NOBODY),
        route=str(entry.get("route") or NOBODY),
        tokens_in=int(tokens.get("prompt") or 0),
        tokens_out=int(tokens.get("completion") or 0),
        usd=float(usd) if usd else None,
        counted=not by_gateway & set(models),
        logged_by="Worker",
    )
