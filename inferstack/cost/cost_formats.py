"""An estimate as a table for people, Markdown for a pull request, CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from inferstack import catalog
from inferstack.cost.estimate import Estimate, Line

FORMATS = ("table", "json", "markdown", "csv")
HEAD = ("product", "resource", "item", "computed from", "USD a month")
SOURCED = ("workers_ai", "workers", "vectorize", "d1", "r2", "kv", "queues")
ALSO = {  # named when the estimate has lines of theirs
    "AI Gateway": "ai_gateway",
    "AI Search": "ai_search",
    "Analytics Engine": "analytics_engine",
    "Durable Objects": "durable_objects",
    "Workers Logs": "workers_logs",
    "Workflows": "workflows",
}


def show(estimates: list[Estimate], kind: str) -> str:
    """One estimate in full, or several side by side."""
    if kind == "json":
        return json.dumps(
            [_plain(found) for found in estimates] if len(estimates) > 1 else _plain(estimates[0]), indent=2
        )
    if len(estimates) > 1:
        head, rows = compared(estimates)
    else:
        head, rows = HEAD, [row_of(line) for line in estimates[0].lines]
        lacking = ", without what has no price" if estimates[0].unpriced else ""
        rows.append(
            (
                "",
                "",
                f"total of `{estimates[0].stack}`{lacking}",
                f"plan: {estimates[0].plan}",
                usd_text(estimates[0].usd),
            )
        )
    notes = noted(estimates)
    if kind == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([head, *rows])
        return out.getvalue().rstrip("\n")
    body = markdown_table(head, rows) if kind == "markdown" else text_table(head, rows)
    retrieved = catalog.sources()["retrieved"]
    tail = [*(f"- {note}" for note in notes), f"A month is 30 days; prices as read on {retrieved}, without tax."]
    return "\n".join([body, "", *tail])


def noted(estimates: list[Estimate]) -> list[str]:
    notes = [f"{found.stack}: {note}" for found in estimates for note in found.notes]
    known = {name: source for found in estimates for name, source in found.sources.items()}
    notes += [f"price of {name}: {source}" for name, source in known.items()]
    if not estimates[0].lines:
        notes.append(f"{estimates[0].stack}: nothing to compute with; say what you expect under `expect:`")
    return notes


def row_of(line: Line) -> tuple[str, ...]:
    included = line.quantity < 0
    resource = "included" if included else line.resource
    return (line.product, resource, line.item, line.basis, usd_text(line.usd))


def usd_text(value: float, sign: str = "") -> str:
    """To the cent; what is less than half of one has no sign of its own, as `-0.00` reads like a saving."""
    return f"{value if abs(value) >= 0.005 else 0.0:{sign},.2f}"


def compared(estimates: list[Estimate]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Resources as rows, stacks as columns, and the difference of the last to the first."""
    names: list[str] = []
    for found in estimates:
        names += [name for name in found.resources() if name not in names]
    rows = []
    for name in [*(n for n in names if n != "account"), *(["account"] if "account" in names else [])]:
        values = [found.resources().get(name, 0.0) for found in estimates]
        shown = "account: plan and allowances" if name == "account" else name
        rows.append((shown, *map(usd_text, values), usd_text(values[-1] - values[0], "+")))
    totals = [found.usd for found in estimates]
    rows.append(("total", *map(usd_text, totals), usd_text(totals[-1] - totals[0], "+")))
    return ("USD a month", *(found.stack for found in estimates), "difference"), rows


def text_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    numeric = {i for i in range(len(head)) if rows and all(_is_number(row[i]) for row in rows)}

    def line(row: tuple[str, ...]) -> str:
        cells = [c.rjust(w) if i in numeric else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), "  ".join("-" * w for w in widths), *map(line, rows)])


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(",", "").replace(".", "").isdigit()


def markdown_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _priced_by(found: Estimate) -> list[str]:
    products = {line.product for line in found.lines}
    also = [name for product, name in ALSO.items() if product in products]
    if any(line.item == "GB ingested" for line in found.lines):
        also.append("observability")
    return [*SOURCED, *also]


def _plain(found: Estimate) -> dict[str, Any]:
    return {
        "stack": found.stack,
        "plan": found.plan,
        "days": 30,
        "usd": round(found.usd, 6),
        "lines": [
            {
                "product": line.product,
                "resource": line.resource,
                "item": line.item,
                "quantity": line.quantity,
                "per": line.per,
                "price_usd": line.price,
                "usd": round(line.usd, 6),
            }
            for line in found.lines
        ],
        "notes": found.notes,
        **({"unpriced": found.unpriced} if found.unpriced else {}),
        "sources": {product: catalog.source_of(product) for product in _priced_by(found)} | found.sources,
    }
