"""Reasons in the status line of an answer: all that workerd's KV tells a Worker of a refusal is `400` and these words.

uvicorn knows the standard's phrases only; a reason of our own goes as a header, and into the line when it is written.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER = "x-local-reason"
_LINE = re.compile(rb"\AHTTP/1\.1 (\d{3}) [^\r]*(\r\n.*?)\r\nx-local-reason: ([^\r]*)", re.DOTALL)


def refused(status: int, reason: str) -> Response:
    """An error whose body and status line say the same."""
    plain = re.sub(r"[^\x20-\x7e]", "?", reason)
    return Response(reason, status, headers={HEADER: plain[:500]})


class _Written:
    """A connection whose errors have their reasons."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if data[9:10] == b"4" and HEADER.encode() in data:
            data = _LINE.sub(rb"HTTP/1.1 \1 \3\2", data, count=1)
        self._transport.write(data)


class Protocol(HttpToolsProtocol):
    """Of the bindings' socket."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(_Written(transport))  # type: ignore[arg-type]
