"""A Worker's settings in wrangler's words; `raw` too, as far as they go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from inferstack.config import ObservabilitySpec, PlacementSpec, StackSpec, WorkerSpec

# Told by the code, the bindings or the lines here.
SAID = {
    *(
        "name",
        "template",
        "source",
        "models",
        "options",
        "bindings",
        "vars",
        "secrets",
        "assets",
        "bundle",
        "objects",
        "workflows",
        "compatibility_date",
    ),
    *("compatibility_flags", "observability", "crons", "routes", "domains", "cpu_ms", "placement", "raw"),
    *("subrequests", "tail_consumers", "logpush"),
}
RAW_SAID = {"worker": {"observability", "subdomain", "logpush"}, "version": {"limits", "placement"}}


def settings_of(spec: StackSpec, worker: WorkerSpec) -> dict[str, Any]:
    shell, version = worker.raw.worker, worker.raw.version
    subdomain = {"enabled": True, "previews_enabled": False, **_snake(shell.get("subdomain") or {})}
    given = {"cpu_ms": worker.cpu_ms, "subrequests": worker.subrequests}
    limits = {name: value for name, value in given.items() if value}
    tailed = [{"service": spec.name_of("workers", key)} for key in worker.tail_consumers]
    return {
        "observability": {**_observed(spec, worker), **_snake(shell.get("observability") or {})},
        "logpush": shell.get("logpush", worker.logpush or None),
        "tail_consumers": tailed,
        "triggers": {"crons": worker.crons} if worker.crons else None,
        "limits": _snake(version["limits"]) if version.get("limits") else limits,
        "placement": _placement(worker),
        "workers_dev": subdomain["enabled"],
        "preview_urls": subdomain["previews_enabled"],
        "routes": [
            *({"pattern": route.pattern, "zone_id": route.zone} for route in worker.routes),
            *(
                {"pattern": domain.hostname, "custom_domain": True, **({"zone_id": domain.zone} if domain.zone else {})}
                for domain in worker.domains
            ),
        ],
    }


def _observed(spec: StackSpec, worker: WorkerSpec) -> dict[str, Any]:
    """Destinations are the account's: a wrangler file names those that this project has made there."""
    wanted = worker.observability
    if not isinstance(wanted, ObservabilitySpec):
        return {"enabled": wanted}
    found: dict[str, Any] = {"enabled": wanted.part("logs") is not None}
    for name, kept in (("logs", wanted.part("logs")), ("traces", wanted.part("traces"))):
        parts: dict[str, Any] = {"head_sampling_rate": kept.sample, "persist": kept.keep} if kept else {}
        parts |= {"destinations": [spec.physical(each) for each in kept.to]} if kept and kept.to else {}
        found[name] = {"enabled": kept is not None, **parts}
    return found


def _placement(worker: WorkerSpec) -> dict[str, Any] | None:
    raw = _snake(worker.raw.version.get("placement") or {})
    if {"region", "host", "hostname"} & raw.keys():
        return {"mode": "targeted", **raw}
    if isinstance(worker.placement, PlacementSpec) and not raw:
        return {"mode": "targeted", **worker.placement.given}
    return raw or ({"mode": worker.placement} if worker.placement else None)


def unsaid(worker: WorkerSpec) -> Iterator[str]:
    """Paths of what the file does not say."""
    yield from sorted(worker.model_fields_set - SAID)
    for part in ("worker", "version", "deployment"):
        for name in sorted(getattr(worker.raw, part).keys() - RAW_SAID.get(part, set())):
            yield f"raw.{part}.{name}"


def _snake(given: Any) -> Any:
    """The provider's names as the API has them."""
    if isinstance(given, dict):
        return {
            re.sub(r"[A-Z]", lambda sign: f"_{sign.group().lower()}", key): _snake(item) for key, item in given.items()
        }
    return given
