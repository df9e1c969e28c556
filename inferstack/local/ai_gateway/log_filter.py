"""Which logs of a gateway are meant: the query of the list and of the deletion, as SQL over the entries.

Parameters: the API's own document, `aig-config-list-gateway-logs` and `aig-config-delete-gateway-logs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from inferstack.local._envelope import ApiError

TEXTS = ("model", "provider", "request_type")
LOSS = "dlp_action"
FLAGS = ("success", "cached")
NUMBERS = ("cost", "duration", "tokens_in", "tokens_out")
COLUMNS = {name: f"json_extract(body, '$.{name}')" for name in ("id", *TEXTS, *FLAGS, *NUMBERS, "feedback", LOSS)}
COLUMNS |= {"created_at": "created_ms", "tokens": f"({COLUMNS['tokens_in']} + {COLUMNS['tokens_out']})"}
COLUMNS |= {"total_tokens": COLUMNS["tokens"]}
OPERATORS = {"eq": "=", "neq": "<>", "lt": "<", "gt": ">", "contains": "like"}
ORDERS = ("created_at", *TEXTS[:2], *FLAGS, *NUMBERS, "feedback")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """`where` begins with the gateway's condition, whose value comes first."""

    where: str
    values: tuple[Any, ...]
    order: str

    @classmethod
    def read(cls, query: QueryParams, ascending: bool = False) -> LogFilter:
        found = [*_plain(query), *_given(query)]
        where = " and ".join(["gateway = ?", *(sql for sql, _ in found)])
        order, direction = (
            query.get("order_by", "created_at"),
            query.get("order_by_direction") or query.get("direction"),
        )
        if order not in ORDERS:
            raise ApiError(400, 7001, f"order_by: must be one of {', '.join(ORDERS)}")
        way = direction or ("asc" if ascending else "desc")
        return cls(where, tuple(value for _, value in found), f"{COLUMNS[order]} {'asc' if way == 'asc' else 'desc'}")


def _plain(query: QueryParams) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [(f"{COLUMNS[name]} = ?", query[name]) for name in TEXTS if query.get(name)]
    found += [(f"{COLUMNS[name]} = ?", int(query[name] == "true")) for name in FLAGS if query.get(name)]
    if query.get("feedback"):
        found.append((f"{COLUMNS['feedback']} = ?", _number("feedback", query["feedback"])))
    for name in (*NUMBERS, "total_tokens"):
        for side, sign in (("min", ">="), ("max", "<=")):
            given = query.get(f"{side}_{name}")
            if given:
                found.append((f"{COLUMNS[name]} {sign} ?", _number(f"{side}_{name}", given)))
    for name, sign in (("start_date", ">="), ("end_date", "<=")):
        if query.get(name):
            found.append((f"created_ms {sign} ?", _milliseconds(name, query[name])))
    if query.get("search"):
        found.append(("body like ?", f"%{query['search']}%"))
    return found


def _given(query: QueryParams) -> list[tuple[str, Any]]:
    """`filters[key]`, `filters[operator]`, `filters[value]`, as often as there are filters; one may have several values."""
    keys, operators = query.getlist("filters[key]"), query.getlist("filters[operator]")
    values = query.getlist("filters[value]") + query.getlist("filters[value][]")
    if not keys:
        return []
    groups = [values] if len(keys) == 1 else [[value] for value in values]
    if len(operators) != len(keys) or len(groups) != len(keys) or not values:
        raise ApiError(400, 7001, "filters: each needs a key, an operator and a value")
    return [_filter(key, how, group) for key, how, group in zip(keys, operators, groups, strict=True)]


def _filter(key: str, how: str, values: list[str]) -> tuple[str, Any]:
    if key not in COLUMNS or how not in OPERATORS:
        raise ApiError(400, 7001, f"filters: {key[:40]} {how[:20]} is no filter that the local Cloudflare knows")
    if len(values) > 1:
        raise ApiError(400, 7001, "filters: several values in one filter cannot be told apart here; send one of each")
    value: Any = values[0]
    if how == "contains":
        return f"{COLUMNS[key]} like ?", f"%{value}%"
    if key == "created_at":
        value = _milliseconds(key, value)
    elif key in FLAGS:
        value = int(value == "true")
    elif key in (*NUMBERS, "tokens", "total_tokens", "feedback"):
        value = _number(key, value)
    return f"{COLUMNS[key]} {OPERATORS[how]} ?", value


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ApiError(400, 7001, f"{name}: must be a number") from None


def _milliseconds(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 7001, f"{name}: must be a date and time in ISO 8601") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
