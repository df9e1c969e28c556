"""A WebSocket client of a few lines: text frames up to 125 bytes, which is what the tests send."""

from __future__ import annotations

import base64
import os
import socket


class Closed(Exception):
    """The other side ended it."""


class WebSocket:
    """Open once made; raises `Closed` when it is refused or ends."""

    def __init__(self, port: int, host: str, path: str, seconds: float = 20) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._socket.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self._read = self._socket.makefile("rb")
        if b" 101 " not in self._read.readline():
            self.__exit__()
            raise Closed
        while self._read.readline().strip():
            pass

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._read.close()
        self._socket.close()

    def send(self, text: str) -> None:
        data = text.encode()
        self._socket.sendall(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)  # a mask of zeros changes nothing

    def receive(self) -> str:
        try:
            head = self._read.read(2)
        except OSError:
            raise Closed from None
        if len(head) < 2 or head[0] & 0x0F == 8:
            raise Closed
        return self._read.read(head[1] & 0x7F).decode()
