"""OTLP over HTTP in JSON, in the background: batches wait in line, and what cannot be sent is told once and dropped."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx

from inferstack.local._store import Document
from inferstack.local.egress import is_loopback

SECONDS = 10
MOST_WAITING = 50  # batches; the newest are dropped
log = logging.getLogger("inferstack.local")


class Sender:
    """Only this machine is reached, as by everything here."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[str, dict[str, str], Document]] = asyncio.Queue(MOST_WAITING)
        self._sending: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def put(self, url: str, headers: dict[str, str], body: Document) -> None:
        if not is_loopback(httpx.URL(url).host):
            self.tell(f"traces for {url} stay here: the local Cloudflare reaches this machine only")
        elif not self._waiting.full():
            self._waiting.put_nowait((url, headers, body))
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            while not self._waiting.empty():
                url, headers, body = self._waiting.get_nowait()
                try:
                    answer = await client.post(url, json=body, headers=headers)
                    if answer.status_code >= 400:
                        self.tell(f"{url} refuses telemetry: status {answer.status_code}")
                except httpx.HTTPError as error:
                    self.tell(f"{url} takes no telemetry: {type(error).__name__}")

    def tell(self, text: str) -> None:
        """Once for each text."""
        if text not in self._told:
            self._told.add(text)
            log.warning(text)


def attributes(values: dict[str, Any]) -> list[Document]:
    """As OTLP has them in JSON; those without a value are left out."""
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> Document:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}
