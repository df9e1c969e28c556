"""Text of a GGUF file on this machine by llama.cpp, in a process of its own: `local: { text: path/to/model.gguf }`.

Measured on two busy cores on 2026-11-27 with SmolLM2-135M in 4 bits: ready in 1 s, 260 MB, 35 to 60 tokens a second.
"""

from __future__ import annotations

import hashlib
import secrets
import weakref
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from inferstack import catalog
from inferstack.errors import UserError
from inferstack.local.ai.engines.apart import Apart, Kind
from inferstack.local.ai.engines.held import IDLE_SECONDS, MOST_WAITING, Held
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.shapes import Answer
from inferstack.local.ai.text_server import TextServer
from inferstack.toolchain import LLAMA

SUFFIX = ".gguf"
MAGIC = b"GGUF"
BESIDES = 4096  # MiB of addresses beside the file: the context's cache, buffers, libraries
HASHED = 1 << 20  # bytes at the beginning: all that tells two models apart, their sizes and where their tensors lie
START_SECONDS = 300.0
PROPS_SECONDS = 10.0


def is_gguf(address: str) -> bool:
    """Whether it is a file of a model, and no address of a server."""
    return address.endswith(SUFFIX) and "://" not in address


def check(file: Path) -> None:
    """Raises `UserError` when it cannot be run: it is not there, no GGUF, or there is no engine for it."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(MAGIC))
    except OSError as error:
        raise UserError(f"`local: {{ text: {file} }}` cannot be read: {error.strerror}") from None
    if begins != MAGIC:
        raise UserError(f"{file} is no GGUF file: it does not begin with {MAGIC.decode()}\n  fix: another file")
    lacks = kind_of(file).missing()
    if lacks:
        raise UserError(f"`local: {{ text: {file} }}` wants llama.cpp, which is not installed\n  fix: {lacks}")


def kind_of(file: Path) -> Kind:
    memory = BESIDES + 2 * (file.stat().st_size >> 20)
    return Kind(program="llama", packages=LLAMA, memory=memory, seconds=START_SECONDS)


class Gguf:
    """A speaker as `TextServer` is, which starts the server with the first question and ends it when nobody asks."""

    def __init__(self, file: Path, idle: float = IDLE_SECONDS, most: int = MOST_WAITING) -> None:
        self._file, self._most, self._asking = file, most, 0
        self._servers: dict[int, tuple[TextServer, str]] = {}  # of the process that runs
        self._held: Held[Apart] = Held(
            self._load, idle, most, close=Apart.end, lives=lambda each: each.lives, busy=lambda: self._asking > 0
        )

    @property
    def engine(self) -> str:
        """Its name with the beginning of the hash of its first MiB."""
        with self._file.open("rb") as opened:
            return f"{self._file.name}@{hashlib.sha256(opened.read(HASHED)).hexdigest()[:8]}"

    async def shown(self) -> dict[str, str]:
        """Who speaks, for people; `error` says why nobody does. Starts nothing."""
        try:
            check(self._file)
            return {"task": "text", "engine": self.engine, "about": f"llama.cpp, {self._file}"}
        except (UserError, OSError) as error:
            return {"task": "text", "engine": self._file.name, "about": "llama.cpp", "error": str(error)}

    def end(self) -> None:
        self._held.let_go()

    async def run(self, model: catalog.Model, inputs: dict[str, Any]) -> Answer:
        """Raises `InferenceError`: 3040 when too many wait."""
        if self._asking >= self._most:
            raise InferenceError(429, 3040, "Capacity temporarily exceeded, please try again.")
        self._asking += 1
        streams = False
        try:
            server, engine = await self._held.queued(lambda: self._held.use(self._server))
            answer = replace(await server.run(model, inputs), engine=engine)
            if answer.stream is not None:
                streams = True
                return replace(answer, stream=_Stream(answer.stream, self._answered))
            return answer
        except (UserError, OSError, httpx.HTTPError) as error:
            raise InferenceError(502, 2010, str(error)) from None
        finally:
            if not streams:
                self._answered()

    def _answered(self) -> None:
        self._asking -= 1

    def _load(self) -> Apart:
        check(self._file)
        return Apart(kind_of(self._file))

    def _server(self, process: Apart) -> tuple[TextServer, str]:
        """In the thread of the engine: loading takes seconds for a large file."""
        if process.pid not in self._servers:
            key = secrets.token_hex(16)
            said, _ = process.ask({"model": str(self._file), "key": key})
            base = f"{said['address']}/v1"
            server = TextServer(base, key=key, tools_by_grammar=_knows_no_tools(base, key))
            self._servers = {process.pid: (server, self.engine)}
        return self._servers[process.pid]


class _Stream:
    """Tells once that it is over: at its end, or when nobody has it any more, begun or not."""

    def __init__(self, pieces: AsyncIterator[bytes], over: Callable[[], None]) -> None:
        self._pieces, self._end = pieces, weakref.finalize(self, over)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except BaseException:
            self._end()
            raise


def _knows_no_tools(base: str, key: str) -> bool:
    """What the file's chat template says."""
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(timeout=PROPS_SECONDS, trust_env=False) as client:
        told = client.get(f"{base.removesuffix('/v1')}/props", headers=headers).json()
    return "tools" not in str(told.get("chat_template", ""))
