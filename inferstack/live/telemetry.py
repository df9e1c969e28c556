"""Workers Observability's query API over the Workers of a stack: what was logged, and figures by Worker and model.

On Cloudflare it knows what `observability: true` keeps; the local one keeps everything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, lacking, load_stack
from inferstack.engine.account import Account
from inferstack.errors import ConfigError

QUERY = "/workers/observability/telemetry/query"
AT_ONCE = 2000  # events of one answer
MOST = 20_000  # events of one command
Document = dict[str, Any]


def is_(key: str, value: str, operation: str = "eq") -> Document:
    """A filter on a text."""
    return {"key": key, "operation": operation, "type": "string", "value": value}


class Telemetry:
    """Of some of a stack's Workers, or of all."""

    def __init__(self, stack: str, root: Path, workers: list[str]) -> None:
        spec = load_stack(stack, root)
        for name in workers:
            if name not in spec.workers:
                raise ConfigError(lacking(f"stack `{stack}`", "Worker", name, spec.workers))
        self.spec: StackSpec = spec
        self._account = Account(spec, root)
        self._keys = {spec.name_of("workers", key): key for key in workers or spec.workers}

    def key(self, service: str) -> str:
        """What the stack file calls a Worker."""
        return self._keys.get(service, service)

    def covers(self, worker: str) -> bool:
        return worker in self._keys.values()

    def events(self, start_ms: int, end_ms: int) -> Iterator[Document]:
        """All that is known of this time, newest first."""
        offset, seen = "", 0
        while seen < MOST:
            more = {"limit": AT_ONCE} | ({"offset": offset} if offset else {})
            found = self._query("events", {"filters": [self._mine()]}, start_ms, end_ms, more)["events"]["events"]
            yield from found
            seen += len(found)
            if len(found) < AT_ONCE:
                return
            offset = found[-1]["$metadata"]["id"]

    def figures(
        self, groups: list[str], calculations: list[tuple[str, str]], filters: list[Document], seconds: float
    ) -> dict[tuple[str, ...], list[float]]:
        """Of the last seconds: each calculation (operator and key) by the values of `groups`."""
        now = int(time.time() * 1000)
        asked = [
            {"operator": operator, **({"key": key, "keyType": "number"} if key else {})}
            for operator, key in calculations
        ]
        parameters = {
            "filters": [self._mine(), *filters],
            "calculations": asked,
            "groupBys": [{"type": "string", "value": each} for each in groups],
        }
        answer = self._query("calculations", parameters, now - int(seconds * 1000), now + 1000, {"granularity": 1})
        found: dict[tuple[str, ...], list[float]] = {}
        for place, calculation in enumerate(answer["calculations"]):
            for each in calculation["aggregates"]:
                known = {group["key"]: str(group["value"]) for group in each.get("groups") or []}
                row = found.setdefault(tuple(known.get(key, "") for key in groups), [0.0] * len(calculations))
                row[place] = float(each["value"] or 0)
        return found

    def _mine(self) -> Document:
        return is_("$metadata.service", ",".join(self._keys), "in")

    def _query(self, view: str, parameters: Document, start_ms: int, end_ms: int, more: Document) -> Document:
        frame = {"from": start_ms, "to": end_ms}
        body = {"queryId": "inferstack", "view": view, "timeframe": frame, "parameters": parameters, **more}
        answer: Document = self._account.call("POST", QUERY, body)
        return answer
