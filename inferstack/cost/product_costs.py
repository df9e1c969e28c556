"""What Cloudflare's products cost beside the models: lines by `expect`, and what a plan includes of each."""

from __future__ import annotations

import math
import re

from inferstack import catalog
from inferstack.config import ObjectTraffic, StackSpec
from inferstack.cost.lines import DAYS, Allowances, Estimate, Line, add, include, round_up
from inferstack.cost.log_costs import data_points, logs
from inferstack.cost.search_costs import searches

MORE = (logs, data_points, searches)


def add_products(found: Estimate, spec: StackSpec) -> None:
    for product in (_workers, _indexes, _databases, _buckets, _namespaces, _queues, _objects, _workflows, *MORE):
        before = len(found.lines)
        allowances = product(found, spec)
        include(found, found.lines[before:], allowances)
        if product is _buckets:
            round_up(found, found.lines[before:])
    if spec.expect.plan == "paid" and spec.workers:
        minimum = catalog.prices("workers")["paid_minimum_usd_month"]
        found.lines.append(Line("Workers", "account", "Workers Paid plan", 1, 1, minimum))
    if spec.dispatch_namespaces:
        plan = catalog.prices("workers_for_platforms")["plan_usd_month"]
        found.lines.append(Line("Workers for Platforms", "account", "Workers for Platforms plan", 1, 1, plan))
        found.notes.append("dispatch_namespaces: what customers' Workers use beyond the plan is not estimated")


def _workers(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("workers")
    for key, traffic in spec.expect.workers.items():
        requests = traffic.requests * DAYS
        found.lines.append(
            Line("Workers", f"workers.{key}", "requests", requests, 1e6, rates["requests"]["per_million_usd"])
        )
        at, cpu = ("Workers", f"workers.{key}"), requests * traffic.cpu_ms
        add(found, at, "CPU milliseconds", cpu, 1e6, rates["cpu_ms"]["per_million_usd"])
        files = ("Static assets", f"workers.{key}")
        add(found, files, "asset requests", traffic.asset_requests * DAYS, 1e6, rates["static_assets"]["requests_usd"])
    _instances(found, spec)
    per_day = leading_number(rates["requests"]["free"])
    # On the free plan CPU time is bounded per invocation, not per month.
    return {
        "requests": (rates["requests"]["paid_included_month"], per_day * DAYS),
        "CPU milliseconds": (rates["cpu_ms"]["paid_included_month"], float("inf")),
    }


def _instances(found: Estimate, spec: StackSpec) -> None:
    """Of workflows: billed as Workers, whose requests and CPU time they share."""
    rates = catalog.prices("workers")
    for key, traffic in spec.expect.workflows.items():
        at, made = ("Workers", f"workers.{key}"), traffic.instances * DAYS
        add(found, at, "requests", made, 1e6, rates["requests"]["per_million_usd"])
        add(found, at, "CPU milliseconds", made * traffic.cpu_ms, 1e6, rates["cpu_ms"]["per_million_usd"])


def _workflows(found: Estimate, spec: StackSpec) -> Allowances:
    """What instances hold; `_instances` has the rest."""
    storage = catalog.prices("workflows")["storage_gb"]
    for key, traffic in spec.expect.workflows.items():
        add(found, ("Workflows", f"workers.{key}"), "GB stored", traffic.storage_gb, 1, storage["per_gb_month_usd"])
    return {"GB stored": (storage["paid_included"], storage["free"])}


def _indexes(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("vectorize")
    queried, stored = rates["queried_dimensions"], rates["stored_dimensions"]
    for key, traffic in spec.expect.indexes.items():
        dimensions = spec.dimensions_of(key)
        if dimensions is None:
            found.notes.append(f"indexes.{key}: the dimensions are not known")
            continue
        vectors = traffic.queries * DAYS + traffic.vectors
        at = ("Vectorize", f"indexes.{key}")
        found.lines.append(Line(*at, "queried dimensions", vectors * dimensions, 1e6, queried["per_million_usd"]))
        found.lines.append(
            Line(*at, "stored dimensions", traffic.vectors * dimensions, 1e8, stored["per_100_million_usd"])
        )
    return {
        "queried dimensions": (queried["paid_included_month"], queried["free_month"]),
        "stored dimensions": (stored["paid_included"], stored["free"]),
    }


def _databases(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("d1")
    read, written, storage = rates["rows_read"], rates["rows_written"], rates["storage_gb"]
    for key, traffic in spec.expect.databases.items():
        at = ("D1", f"databases.{key}")
        add(found, at, "rows read", traffic.rows_read * DAYS, 1e6, read["per_million_usd"])
        add(found, at, "rows written", traffic.rows_written * DAYS, 1e6, written["per_million_usd"])
        add(found, at, "GB stored", traffic.storage_gb, 1, storage["per_gb_month_usd"])
    return {
        "rows read": (read["paid_included_month"], leading_number(read["free"]) * DAYS),
        "rows written": (written["paid_included_month"], leading_number(written["free"]) * DAYS),
        "GB stored": (storage["paid_included"], storage["free"]),
    }


def _buckets(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("r2")
    storage, a, b = rates["storage_gb_month"], rates["class_a_million"], rates["class_b_million"]
    for key, traffic in spec.expect.buckets.items():
        infrequent = spec.buckets[key].storage_class == "InfrequentAccess"
        kind, at = "infrequent_usd" if infrequent else "standard_usd", ("R2", f"buckets.{key}")
        mark = " (infrequent access)" if infrequent else ""
        add(found, at, "GB stored" + mark, traffic.storage_gb, 1, storage[kind])
        add(found, at, "class A operations" + mark, traffic.writes * DAYS, 1e6, a[kind])
        add(found, at, "class B operations" + mark, traffic.reads * DAYS, 1e6, b[kind])
        if infrequent:
            add(found, at, "GB retrieved" + mark, traffic.retrieved_gb * DAYS, 1, rates["retrieval_gb"][kind])
        if infrequent and traffic.reads and not traffic.retrieved_gb:
            found.notes.append(
                f"buckets.{key}: infrequent access bills each GB read, and none is expected; give `retrieved_gb`"
            )
    return {  # the allowance is for Standard storage only
        "GB stored": (storage["free"], storage["free"]),
        "class A operations": (a["free"], a["free"]),
        "class B operations": (b["free"], b["free"]),
    }


def _namespaces(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("kv")
    for key, traffic in spec.expect.namespaces.items():
        at = ("KV", f"namespaces.{key}")
        for item in ("reads", "writes", "deletes", "lists"):
            add(found, at, item, getattr(traffic, item) * DAYS, 1e6, rates[item]["per_million_usd"])
        add(found, at, "GB stored", traffic.storage_gb, 1, rates["storage_gb"]["per_gb_month_usd"])
    included = {
        item: (rates[item]["paid_included_month"], rates[item]["free_day"] * DAYS)
        for item in ("reads", "writes", "deletes", "lists")
    }
    return included | {"GB stored": (rates["storage_gb"]["paid_included"], rates["storage_gb"]["free"])}


def _queues(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("queues")["operations"]
    for key, traffic in spec.expect.queues.items():
        # A delivered message is written, read and deleted; a retry reads it once more.
        units = math.ceil(traffic.message_kb / catalog.prices("queues")["unit_kb"])
        operations = traffic.messages * DAYS * (3 + traffic.retries) * units
        add(found, ("Queues", f"queues.{key}"), "operations", operations, 1e6, rates["per_million_usd"])
    return {"operations": (rates["paid_included_month"], rates["free_day"] * DAYS)}


def _objects(found: Estimate, spec: StackSpec) -> Allowances:
    rates = catalog.prices("durable_objects")
    requests, duration = rates["requests"], rates["duration_gb_s"]
    for key, traffic in spec.expect.objects.items():
        at = ("Durable Objects", f"workers.{key}")
        calls = (traffic.requests + traffic.messages / rates["messages_per_request"]) * DAYS
        add(found, at, "requests", calls, 1e6, requests["per_million_usd"])
        seconds = traffic.active_seconds * DAYS * rates["memory_gb"]  # billed for all of it, whatever is used
        add(found, at, "GB-seconds", seconds, 1e6, duration["per_million_usd"])
        _stored(found, at, traffic, older=_only_older(spec, key))
        if any(each.storage == "legacy-kv" for each in spec.workers[key].classes.values()) and not traffic.older:
            said = "give `read_units`, `write_units` and `deletes`"
            found.notes.append(f"objects.{key}: the older storage is billed by units of 4 KB; {said}")
    sql, pairs = rates["sqlite"], rates["key_value"]
    metered = {"requests": requests, "GB-seconds": duration}
    metered |= {"rows read": sql["rows_read"], "rows written": sql["rows_written"]}
    included = {item: (rate["paid_included_month"], rate["free_day"] * DAYS) for item, rate in metered.items()}
    for item, rate in {"units read": "read_units", "units written": "write_units", "deletes": "deletes"}.items():
        included[item] = (pairs[rate]["paid_included_month"], 0)
    included["GB stored"] = (sql["storage_gb"]["paid_included"], sql["storage_gb"]["free"])
    return included | {"GB stored (older storage)": (pairs["storage_gb"]["paid_included"], 0)}


def _only_older(spec: StackSpec, key: str) -> bool:
    classes = spec.workers[key].classes.values()
    return bool(classes) and all(each.storage == "legacy-kv" for each in classes)


def _stored(found: Estimate, at: tuple[str, str], traffic: ObjectTraffic, *, older: bool) -> None:
    rates = catalog.prices("durable_objects")
    sql, pairs = rates["sqlite"], rates["key_value"]
    add(found, at, "rows read", traffic.rows_read * DAYS, 1e6, sql["rows_read"]["per_million_usd"])
    add(found, at, "rows written", traffic.rows_written * DAYS, 1e6, sql["rows_written"]["per_million_usd"])
    add(found, at, "units read", traffic.read_units * DAYS, 1e6, pairs["read_units"]["per_million_usd"])
    add(found, at, "units written", traffic.write_units * DAYS, 1e6, pairs["write_units"]["per_million_usd"])
    add(found, at, "deletes", traffic.deletes * DAYS, 1e6, pairs["deletes"]["per_million_usd"])
    held, mark = (pairs, " (older storage)") if older else (sql, "")
    add(found, at, "GB stored" + mark, traffic.storage_gb, 1, held["storage_gb"]["per_gb_month_usd"])


def leading_number(text: str) -> float:
    """`5,000,000/day` → 5000000."""
    match = re.match(r"[\d,]+", text)
    if match is None:
        raise ValueError(f"no number in {text!r}")
    return float(match.group().replace(",", ""))
