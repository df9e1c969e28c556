"""A port of its own for each Worker that answers from outside, beside its host name.

Python, Node and most libraries do not resolve `<worker>.local.localhost`; `http://127.0.0.1:<port>` needs no Host header.
A Worker keeps its port as long as it is there, over restarts where nobody else took it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from inferstack.local._settings import ports_file, worker_ports

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Ports:
    """Listening sockets by the Workers' keys; the state folder remembers the numbers."""

    def __init__(self, folder: Path) -> None:
        self._file = ports_file(folder)
        self._sockets: dict[str, socket.socket] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._known: dict[str, int] = worker_ports(folder)

    def keep(self, keys: Iterable[str]) -> dict[str, int]:
        """Have one for each of the keys, and for no other; returns their numbers."""
        wanted = set(keys)
        for key in self._sockets.keys() - wanted:
            self._close(key)
        for key in sorted(wanted - self._sockets.keys()):
            self._sockets[key] = _listen(self._known.get(key, 0))
        found = {key: int(listening.getsockname()[1]) for key, listening in sorted(self._sockets.items())}
        if found != self._known:
            self._known = found
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(found) + "\n")
            partial.replace(self._file)
        return found

    async def serve(self, handle: Handle) -> None:
        """Begin to take requests on those that do not yet."""
        for key in self._sockets.keys() - self._servers.keys():
            self._servers[key] = await asyncio.start_server(handle, sock=self._sockets[key])

    def close(self) -> None:
        for key in list(self._sockets):
            self._close(key)

    def _close(self, key: str) -> None:
        server = self._servers.pop(key, None)
        if server is not None:
            server.close()
        self._sockets.pop(key).close()


def _listen(port: int) -> socket.socket:
    try:
        listening = socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError:  # somebody else has it by now
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it on sockets of its own only
    return listening
