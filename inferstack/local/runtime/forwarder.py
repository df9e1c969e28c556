"""Connections of clients, each request to the workerd that is current when it begins.

workerd could listen on the port itself, but then its drain would close connections that clients keep open: a request
that comes at that moment is lost (seen under load). Here a connection changes its process between two requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from pathlib import Path

import httptools

CHUNK, LARGEST_HEAD = 65536, 262144
EARLY_SECONDS, HELD_SECONDS = 30, 30
HEAD = re.compile(rb"\A\S+ (?:\w+://[^/\s]*)?(\S*) (?:.*\r\n)*?host:[ \t]*([^\r\n]*)", re.IGNORECASE)


class Lane:
    """Which process takes its requests now. While it is held, they wait."""

    def __init__(self) -> None:
        self.current: Path | None = None
        self._open = asyncio.Event()
        self._open.set()

    @property
    def held(self) -> bool:
        return not self._open.is_set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def ready(self) -> Path | None:
        """The process' socket once it takes requests; None when none does."""
        if not self.held:
            return self.current
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELD_SECONDS):
                await self._open.wait()
                return self.current
        return None


class Forwarder:
    """Hands connections to the process behind a lane. `to_objects` says of host and path whether it is the other lane."""

    def __init__(self) -> None:
        self.free, self.objects = Lane(), Lane()
        self.to_objects: Callable[[str, str], bool] | None = None
        self._connections: set[_Connection] = set()

    def switch(self, socket: Path) -> None:
        """New requests go to `socket` from now on."""
        self.free.current = socket
        self.look()

    def look(self) -> None:
        """Connections between two requests leave what they must."""
        for connection in self._connections:
            connection.leave_when_idle()

    async def left(self, socket: Path, seconds: float, tunnels: bool = True) -> None:
        """Wait until no connection uses the process any more, at most so long; `tunnels`: not even as a WebSocket."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(c.backend == socket and (tunnels or not c.is_tunnel) for c in self._connections):
                    await asyncio.sleep(0.02)

    def has(self, socket: Path) -> bool:
        return any(connection.backend == socket for connection in self._connections)

    def lane_of(self, head: bytes) -> Lane:
        found = HEAD.match(head) if self.to_objects else None
        if found is None or self.to_objects is None:
            return self.free
        path, host = (part.decode("latin-1") for part in found.groups())
        return self.objects if self.to_objects(host.strip().lower(), path.partition("?")[0] or "/") else self.free

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


class _Backend:
    """A connection to a workerd. It is written through a second descriptor: on a failed write a transport would drop the
    answer that it has not read yet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, out: socket.socket) -> None:
        self.reader, self._writer, self._out = reader, writer, out
        self._sending = self._closed = False

    @classmethod
    async def open(cls, path: str) -> _Backend:
        reader, writer = await asyncio.open_unix_connection(path)
        out = writer.get_extra_info("socket").dup()
        out.setblocking(False)
        return cls(reader, writer, out)

    async def send(self, data: bytes) -> bool:
        """False when the other side has closed."""
        self._sending = True
        try:
            await asyncio.get_running_loop().sock_sendall(self._out, data)
        except OSError:
            return False
        finally:
            self._sending = False
            if self._closed:
                self._out.close()
        return True

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._out.shutdown(socket.SHUT_RDWR)  # a `send` that waits must not wait on a descriptor that is gone
        if not self._sending:
            self._out.close()


class _Connection:
    """One client. The bytes pass unchanged; the parsers only watch where requests and answers end."""

    def __init__(self, forwarder: Forwarder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._forwarder, self._reader, self._writer = forwarder, reader, writer
        self._inner: _Backend | None = None
        self._answers: asyncio.Task[None] | None = None
        self._requests, self._replies = httptools.HttpRequestParser(_Requests(self)), self._reply_parser()
        self.backend: Path | None = None
        self.unanswered: list[bytes] = []  # methods of the requests that have begun
        self.sending = False  # in the middle of a request
        self.tunnel = False  # not HTTP any more
        self._lane = forwarder.free
        self._answered = False  # in a tunnel: the other side has said something

    @property
    def idle(self) -> bool:
        return not self.sending and not self.unanswered and not self.tunnel

    @property
    def is_tunnel(self) -> bool:
        """Open; while the answer to the request for one is missing, it is a request like others."""
        return self.tunnel and self._answered

    async def run(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self._reader.read(CHUNK):
                if self.idle and self._forwarder.to_objects is not None:
                    data = await self._choose(data)
                if not await self._connected():
                    break
                self._watch(data)
                assert self._inner is not None
                if not await self._inner.send(data):
                    await self._answered_early()
                    break
        self._leave()
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()

    async def _choose(self, data: bytes) -> bytes:
        """A request begins: its head says which lane it takes."""
        while b"\r\n\r\n" not in data and len(data) < LARGEST_HEAD and (more := await self._reader.read(CHUNK)):
            data += more
        lane = self._forwarder.lane_of(data)
        if lane is not self._lane:
            self._leave()
            self._lane = lane
        return data

    def leave_when_idle(self) -> None:
        if self.idle and (self._lane.held or self.backend != self._lane.current):
            self._leave()

    async def _connected(self) -> bool:
        self.leave_when_idle()
        if self._inner is not None:
            return True
        while self._inner is None:
            backend = await self._lane.ready()
            if backend is None:
                return False
            self.backend = backend  # named before the wait: a drain asks for it
            try:
                inner = await _Backend.open(str(backend))
            except OSError:
                if backend == self._lane.current and not self._lane.held:
                    return False
                self.backend = None
                continue
            if backend == self._lane.current and not self._lane.held:
                self._inner, self.backend = inner, backend
            else:  # left in the meantime: nobody may have seen this connection, and its process may be ending
                self.backend = None
                inner.close()
        self._replies = self._reply_parser()
        self._answers = asyncio.create_task(self._copy_answers(self._inner))
        return True

    async def _answered_early(self) -> None:
        """The runtime answered and closed before it read the whole request; what it said must still arrive."""
        if self._answers is not None:
            await asyncio.wait({self._answers}, timeout=EARLY_SECONDS)

    async def _copy_answers(self, inner: _Backend) -> None:
        with contextlib.suppress(OSError):
            while data := await inner.reader.read(CHUNK):
                self._answered = True
                self._watch_reply(data)
                self._writer.write(data)
                await self._writer.drain()
                self.leave_when_idle()
                if self._inner is not inner:
                    return
        if self._inner is inner:
            self._leave()
            if not self.idle:  # cut off in the middle of an answer
                self._writer.close()

    def _leave(self) -> None:
        inner, self._inner, self.backend = self._inner, None, None
        if inner is not None:
            inner.close()

    def _watch(self, data: bytes) -> None:
        if not self.tunnel:
            try:
                self._requests.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self.tunnel, self._answered = True, False

    def _watch_reply(self, data: bytes) -> None:
        if not self.tunnel:
            try:
                self._replies.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self.tunnel = True

    def _reply_parser(self) -> httptools.HttpResponseParser:
        return httptools.HttpResponseParser(_Replies(self))

    def request_began(self) -> None:
        self.sending = True

    def head_sent(self) -> None:
        self.unanswered.append(self._requests.get_method())

    def request_ended(self) -> None:
        self.sending = False

    def reply_head_ended(self) -> None:
        """An answer to HEAD has no body, whatever its head says of one."""
        if self.unanswered[:1] == [b"HEAD"]:
            self.unanswered.pop(0)
            self._replies = self._reply_parser()

    def reply_ended(self) -> None:
        if self._replies.get_status_code() >= 200 and self.unanswered:
            self.unanswered.pop(0)


class _Requests:
    """httptools calls these."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def on_message_begin(self) -> None:
        self._connection.request_began()

    def on_headers_complete(self) -> None:
        self._connection.head_sent()

    def on_message_complete(self) -> None:
        self._connection.request_ended()


class _Replies:
    """And these."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def on_headers_complete(self) -> None:
        self._connection.reply_head_ended()

    def on_message_complete(self) -> None:
        self._connection.reply_ended()
