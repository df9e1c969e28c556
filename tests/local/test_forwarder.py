"""Connections that change their process: a swap at every moment of a request loses nothing."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from inferstack.local.runtime.forwarder import Forwarder

MOMENTS = 24  # turns of the loop; a request over the forwarder takes about ten


class _Runtime:
    """Ends as workerd does: it listens no more, and closes what it has accepted or not yet accepted."""

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._accepted = name, list[socket.socket]()
        self._loop = asyncio.get_running_loop()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        taken, _ = self._listening.accept()
        self._accepted.append(taken)
        self._loop.add_reader(taken, self._answer, taken)

    def _answer(self, taken: socket.socket) -> None:
        if taken.recv(1000):
            text = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._name)}\r\n\r\n{self._name}"
            taken.sendall(text.encode())
        else:
            self._loop.remove_reader(taken)

    def end(self) -> None:
        for taken in [self._listening, *self._accepted]:
            self._loop.remove_reader(taken)
            taken.close()


async def _asked_while_swapped(folder: Path, moment: int) -> bytes:
    old, new, forwarder = _Runtime("old", folder / "old.sock"), _Runtime("new", folder / "new.sock"), Forwarder()
    forwarder.switch(folder / "old.sock")
    front = await asyncio.start_unix_server(forwarder.handle, folder / "front.sock")
    reader, writer = await asyncio.open_unix_connection(folder / "front.sock")
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(moment):
        await asyncio.sleep(0)
    forwarder.switch(folder / "new.sock")
    await forwarder.left(folder / "old.sock", 10)
    old.end()
    answer = await asyncio.wait_for(reader.read(1000), 10)
    writer.close()
    front.close()
    new.end()
    await asyncio.sleep(0.05)  # transports close in a later turn
    return answer


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_process_that_is_left_loses_no_request(moment: int, tmp_path: Path) -> None:
    answer = asyncio.run(_asked_while_swapped(tmp_path, moment))
    assert answer.startswith(b"HTTP/1.1 200 OK"), moment
    assert answer.endswith((b"old", b"new"))


async def _asked_while_held(folder: Path) -> list[bytes]:
    """One connection that keeps asking both lanes in turn, while the second is held and its process replaced."""
    free, old, new = (_Runtime(name, folder / f"{name}.sock") for name in ("free", "old", "new"))
    forwarder = Forwarder()
    forwarder.switch(folder / "free.sock")
    forwarder.objects.current = folder / "old.sock"
    forwarder.to_objects = lambda host, path: host.partition(":")[0] == "objects" or path == "/objects"
    front = await asyncio.start_unix_server(forwarder.handle, folder / "front.sock")
    reader, writer = await asyncio.open_unix_connection(folder / "front.sock")
    answers = []

    async def ask(head: bytes) -> None:
        writer.write(head[:9])
        await asyncio.sleep(0.01)  # a head in two parts
        writer.write(head[9:])
        answers.append((await asyncio.wait_for(reader.read(1000), 10)).rpartition(b"\n")[2])

    await ask(b"GET / HTTP/1.1\r\nHost: objects:80\r\n\r\n")
    await ask(b"GET / HTTP/1.1\r\nX-Host: objects\r\nhost: other\r\n\r\n")
    forwarder.objects.hold()
    forwarder.look()
    asking = asyncio.create_task(ask(b"GET http://other/objects?a HTTP/1.1\r\nHost: other\r\n\r\n"))
    await asyncio.sleep(0.1)
    assert not asking.done()
    assert not forwarder.has(folder / "old.sock")
    old.end()
    forwarder.objects.current = folder / "new.sock"
    forwarder.objects.release()
    await asking
    writer.close()
    front.close()
    free.end()
    new.end()
    await asyncio.sleep(0.05)
    return answers


def test_a_request_for_objects_waits_while_their_process_is_replaced(tmp_path: Path) -> None:
    assert asyncio.run(_asked_while_held(tmp_path)) == [b"old", b"free", b"new"]
