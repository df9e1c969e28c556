"""Whose trace an invocation goes on: that of the request which sent the messages that it was given.

Cloudflare documents one trace over service bindings and objects (changelog of 2026-05-07) and says nothing of queues, where
workerd begins anew. OpenTelemetry's messaging conventions ("spans", read 2026-11-27) let a consumer be a child of the span that
created its message, and link where a batch has several: so a batch of one trace goes on in it, another has links.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass

PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\Z")  # https://www.w3.org/TR/trace-context/
KEPT = 20_000  # traces that go on in another one
BATCHES = 64  # of each queue
LINKS = 128  # of a span, as OpenTelemetry's SDKs bound them


@dataclass(frozen=True, slots=True)
class Origin:
    """Of an invocation: its trace, the span that it is a child of, and spans of other traces that it has messages of."""

    trace: str
    parent: str = ""
    links: tuple[tuple[str, str], ...] = ()


class Lineage:
    """Of an account. A queue delivers one batch after the other, so the time of an invocation tells which it was."""

    def __init__(self) -> None:
        self._batches: dict[str, deque[tuple[int, tuple[tuple[str, str], ...]]]] = {}
        self._goes_on: OrderedDict[str, str] = OrderedDict()

    def delivered(self, queue: str, at_ms: int, contexts: list[str]) -> None:
        """A batch is about to be handed over; `contexts` are W3C's `traceparent` of those that sent its messages."""
        found = [match.groups() for match in map(PARENT.match, contexts) if match]
        spans = tuple(dict.fromkeys((trace, span) for trace, span in found))
        self._batches.setdefault(queue, deque(maxlen=BATCHES)).append((at_ms, spans))

    def trace(self, told: str) -> str:
        """The trace that the runtime's goes on."""
        return self._goes_on.get(told, told)

    def of_batch(self, queue: str, at_ms: int, told: str) -> Origin:
        """Of the invocation that began then with a batch of this queue. What it calls has the runtime's trace, too."""
        spans = next((spans for at, spans in reversed(self._batches.get(queue, ())) if at <= at_ms), ())
        if len({trace for trace, _ in spans}) != 1:
            return Origin(told, links=spans[:LINKS])
        trace, parent = spans[0]
        self._goes_on[told] = trace
        if len(self._goes_on) > KEPT:
            self._goes_on.popitem(last=False)
        return Origin(trace, parent, spans[1:LINKS])
