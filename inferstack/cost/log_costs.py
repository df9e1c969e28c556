"""What logs and data points cost: Workers Logs by events, from 2026-12-01 by gigabytes; Logpush; Analytics Engine."""

from __future__ import annotations

from inferstack import catalog
from inferstack.config import StackSpec
from inferstack.cost.lines import DAYS, Allowances, Estimate, add

KEPT_DAYS = 7  # of every log, on the paid plan; source: `obs_pricing` in limits.json


def logs(found: Estimate, spec: StackSpec) -> Allowances:
    events, volume = catalog.prices("workers_logs"), catalog.prices("observability")
    by_events = found.day.isoformat() < events["until"]
    for key, traffic in spec.expect.logs.items():
        at = ("Workers Logs", f"workers.{key}")
        if by_events:
            add(found, at, "log events", traffic.events * DAYS, 1e6, events["events"]["per_million_usd"])
        else:
            add(found, at, "GB ingested", traffic.gb * DAYS, 1, volume["ingested_gb"]["per_gb_usd"])
            add(found, at, "GB stored", traffic.gb * KEPT_DAYS, 1, volume["storage_gb"]["per_gb_month_usd"])
        lacking, unit = (traffic.gb, "events") if by_events else (traffic.events, "gb")
        if lacking and not getattr(traffic, unit):
            found.unpriced.append(f"workers.{key}")
            found.notes.append(f"logs.{key}: logs are billed by {unit} on {found.day}; give `{unit}`")
        pushed = catalog.prices("workers")["logpush"]
        add(found, at, "events pushed", traffic.pushed * DAYS, 1e6, pushed["per_million_usd"])
    for key, worker in spec.workers.items():
        if worker.observability and key in spec.expect.workers and key not in spec.expect.logs:
            found.notes.append(f"workers.{key}: it keeps logs, and how many is not said; give `expect.logs`")
    return {
        "log events": (events["events"]["paid_included_month"], events["events"]["free_day"] * DAYS),
        "GB ingested": (volume["ingested_gb"]["paid_included_month"], volume["ingested_gb"]["free_day"] * DAYS),
        "GB stored": (volume["storage_gb"]["paid_included"], float("inf")),
        "events pushed": (catalog.prices("workers")["logpush"]["included_month"], 0),
    }


def data_points(found: Estimate, spec: StackSpec) -> Allowances:
    """Announced prices, which nobody is billed by yet: they stand in a note, not in the sum."""
    rates = catalog.prices("analytics_engine")
    due = 0.0
    for item, rate in (("points", rates["points"]), ("queries", rates["queries"])):
        used = sum(getattr(traffic, item) for traffic in spec.expect.analytics.values()) * DAYS
        due += max(0.0, used - rate["paid_included_month"]) / 1e6 * rate["per_million_usd"]
    for key, traffic in spec.expect.analytics.items():
        at = ("Analytics Engine", f"analytics.{key}")
        add(found, at, "data points", traffic.points * DAYS, 1e6, 0)
        add(found, at, "queries", traffic.queries * DAYS, 1e6, 0)
    if spec.expect.analytics:
        found.notes.append(f"Analytics Engine is not billed yet; by the announced prices this is {due:,.2f} USD")
    return {}
