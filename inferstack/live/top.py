"""`top`: requests, errors, latency, tokens and cost of a stack's Workers and models, by the minute."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.table import Table

from inferstack.live.telemetry import Telemetry, is_

MODEL = "gen_ai.request.model"


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """Latency in milliseconds; the rest by the minute."""

    worker: str
    requests: float
    errors: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class ModelRow:
    """By the minute; latency in milliseconds."""

    worker: str
    model: str
    calls: float
    p95: float
    tokens_in: float
    tokens_out: float
    usd: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last `seconds`."""

    seconds: float
    workers: list[WorkerRow]
    models: list[ModelRow]

    def document(self) -> dict[str, object]:
        return {"version": 1, **asdict(self)}

    def tables(self) -> list[Table]:
        """For people; nothing where nothing happened."""
        workers = _table("Workers", "Worker", "requests/min", "errors/min", "p50", "p95")
        for row in self.workers:
            errors = f"[red]{row.errors:.1f}[/]" if row.errors else "0"
            workers.add_row(row.worker, f"{row.requests:.1f}", errors, f"{row.p50:.0f} ms", f"{row.p95:.0f} ms")
        models = _table("Models", "Worker", "model", "calls/min", "p95", "tokens in/min", "tokens out/min", "USD/min")
        for each in self.models:
            counts = (f"{each.tokens_in:.0f}", f"{each.tokens_out:.0f}", f"{each.usd:.6f}")
            models.add_row(each.worker, each.model, f"{each.calls:.1f}", f"{each.p95:.0f} ms", *counts)
        return [table for table in (workers, models) if table.row_count]


def figures(telemetry: Telemetry, seconds: float) -> Figures:
    """Workers without a request are among them, with nothing."""
    minutes = seconds / 60
    requests = [is_("$metadata.type", "cf-worker-event")]
    times = [("count", ""), ("median", "$workers.wallTimeMs"), ("p95", "$workers.wallTimeMs")]
    found = telemetry.figures(["$metadata.service"], times, requests, seconds)
    wrong = [*requests, is_("$metadata.level", "error")]
    errors = telemetry.figures(["$metadata.service"], [("count", "")], wrong, seconds)
    rows = []
    for key in telemetry.spec.workers:
        service = (telemetry.spec.name_of("workers", key),)
        if telemetry.covers(key):
            count, p50, p95 = found.get(service, [0.0, 0.0, 0.0])
            rows.append(WorkerRow(key, count / minutes, errors.get(service, [0.0])[0] / minutes, p50, p95))
    sums = [("sum", f"gen_ai.usage.{side}_tokens") for side in ("input", "output")]
    asked = [("count", ""), ("p95", "$metadata.duration"), *sums, ("sum", "inferstack.cost_usd")]
    known = [{"key": MODEL, "operation": "exists", "type": "string"}]
    models = telemetry.figures(["$metadata.service", MODEL], asked, known, seconds)
    shown = [
        ModelRow(telemetry.key(service), model, calls / minutes, p95, tin / minutes, out / minutes, usd / minutes)
        for (service, model), (calls, p95, tin, out, usd) in sorted(models.items())
    ]
    return Figures(seconds, rows, shown)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 or head == "model" else "right", no_wrap=head == "model")
    return table
