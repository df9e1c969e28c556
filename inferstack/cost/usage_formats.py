"""What was used beside what was expected: as tables, Markdown, CSV, JSON, or a page with plots."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from html import escape
from typing import Any

from inferstack.config import StackSpec
from inferstack.cost.cost_formats import markdown_table, text_table, usd_text
from inferstack.cost.cost_page import bars, html_list, html_table, standing_alone
from inferstack.cost.usage import Gap, Sum, Usage, gaps, sums

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
GAPS = ("model", "expected", "used", "difference", "by calls", "by cache", "by size of a call", "why")
SUMS = ("calls", "from the cache", "tokens in", "tokens out", "USD", "USD a month")


def show_usage(spec: StackSpec, usage: Usage, kind: str) -> str:
    found = gaps(spec, usage)
    notes = _notes(spec, usage)
    if kind == "json":
        return json.dumps(_plain(usage, found, notes), indent=2)
    tables = _tables(usage, found)
    if kind == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for title, columns, rows in tables:
            writer.writerows([(title, *columns), *((title, *row) for row in rows)])
        return out.getvalue().rstrip("\n")
    said = _head(usage)
    if kind == "html":
        return _page(usage, found, said, tables, notes)
    parts = [said]
    for title, columns, rows in tables:
        shown = markdown_table(columns, rows) if kind == "markdown" else text_table(columns, rows)
        parts += ["", f"## {title}\n" if kind == "markdown" else f"{title}:", shown]
    return "\n".join([*parts, "", *(f"- {note}" for note in notes)]).rstrip()


def _head(usage: Usage) -> str:
    total = sum(call.usd or 0.0 for call in usage.counted)
    period = f"{usage.since:%Y-%m-%d %H:%M} to {usage.until:%Y-%m-%d %H:%M} UTC"
    month = usd_text(usage.a_month(total))
    return f"{usage.stack}: models cost {usd_text(total)} USD from {period}; at this rate {month} USD a month"


def _notes(spec: StackSpec, usage: Usage) -> list[str]:
    lacking = sorted({call.model for call in usage.counted if call.usd is None})
    told = [f"no price of {name} is known: its calls stand as 0.00; give it under `prices:`" for name in lacking]
    told += [] if spec.expect.models else ["nothing is expected of models; say what you expect under `expect:`"]
    free = "Workers AI's free neurons are on neither side, and tokens alone are priced here"
    return [*usage.notes, *told, f"{free}; a month is 30 days, a period at least one day"]


def _tables(usage: Usage, found: list[Gap]) -> list[Table]:
    tables: list[Table] = [("expected and used, USD a month", GAPS, [_gap_row(gap) for gap in found])]
    counted = usage.counted
    tables.append(("by model", ("model", *SUMS), _rows(usage, sums(counted, lambda call: call.model))))
    tables.append(("by tenant", ("tenant", *SUMS), _rows(usage, sums(counted, lambda call: call.tenant))))
    routes = [call for call in usage.calls if call.logged_by == "Worker"]
    if routes:
        tables.append(("by route", ("route", *SUMS), _rows(usage, sums(routes, lambda call: call.route))))
    return tables


def _gap_row(gap: Gap) -> tuple[str, ...]:
    parts = [usd_text(part, "+") if part else "" for part in (gap.calls, gap.cache, gap.size)]
    difference = usd_text(gap.actual - gap.expected, "+")
    return (gap.model, usd_text(gap.expected), usd_text(gap.actual), difference, *parts, gap.why)


def _rows(usage: Usage, found: dict[str, Sum]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, each in found.items():
        counts = (f"{each.calls:,}", f"{each.cached:,}", f"{each.tokens_in:,}", f"{each.tokens_out:,}")
        rows.append((name, *counts, usd_text(each.usd), usd_text(usage.a_month(each.usd))))
    return rows


def _page(usage: Usage, found: list[Gap], head: str, tables: list[Table], notes: list[str]) -> str:
    plot = bars([gap.model for gap in found], {
        "expected": [gap.expected for gap in found], "used": [gap.actual for gap in found],
    })  # fmt: skip
    parts = [f"<p>{escape(head)}</p>", plot]
    for title, columns, rows in tables:
        parts += [f"<h2>{escape(title)}</h2>", html_table(columns, rows)]
    return standing_alone(f"What {usage.stack} did cost", [*parts, html_list(notes)])


def _plain(usage: Usage, found: list[Gap], notes: list[str]) -> dict[str, Any]:
    def plain(sums_of: dict[str, Sum]) -> dict[str, Any]:
        return {name: {**asdict(each), "usd_a_month": usage.a_month(each.usd)} for name, each in sums_of.items()}

    routes = [call for call in usage.calls if call.logged_by == "Worker"]
    return {
        "stack": usage.stack,
        "since": usage.since.isoformat(),
        "until": usage.until.isoformat(),
        "days": usage.days,
        "usd": sum(call.usd or 0.0 for call in usage.counted),
        "usd_a_month": usage.a_month(sum(call.usd or 0.0 for call in usage.counted)),
        "gaps": [{**asdict(gap), "difference": gap.actual - gap.expected} for gap in found],
        "models": plain(sums(usage.counted, lambda call: call.model)),
        "tenants": plain(sums(usage.counted, lambda call: call.tenant)),
        "routes": plain(sums(routes, lambda call: call.route)),
        "notes": notes,
    }
