"""Text of a GGUF file by llama.cpp's own server, on loopback and with a key: asked over HTTP, started and ended by the pipe."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

CONTEXT = 8192  # tokens at most, for the cache grows with it: 1 GB for a model of 7 billion
LAST_LETTERS = 200
Message = tuple[dict[str, Any], bytes]


def load(_: str) -> Callable[[dict[str, Any], bytes], Message]:
    llama = importlib.import_module("xllamacpp")
    held: list[Any] = []

    def answer(asked: dict[str, Any], _: bytes) -> Message:
        with _heard() as said:
            try:
                held.append(llama.Server(_parameters(llama, asked["model"], asked["key"])))
            except RuntimeError as error:
                return {"failed": _reason(said) or str(error)}, b""
        return {"address": held[-1].listening_address}, b""

    return answer


def _parameters(llama: Any, model: str, key: str) -> Any:
    wanted = llama.CommonParams()
    wanted.model.path, wanted.n_ctx, wanted.n_parallel = model, CONTEXT, 1
    wanted.hostnames, wanted.port, wanted.api_keys = ["127.0.0.1"], 0, [key]
    wanted.ui, wanted.cors_origins, wanted.endpoint_slots = False, "null", False
    wanted.cache_prompt, wanted.cache_ram_mib, wanted.n_ctx_checkpoints = False, 0, 0
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1  # two on a busy machine are slower
    wanted.n_gpu_layers, wanted.n_threads_http, wanted.warmup = 0, 4, False
    wanted.offline, wanted.verbosity = True, 1
    return wanted


@contextmanager
def _heard() -> Iterator[IO[bytes]]:
    """What is said on stderr and stdout meanwhile: the library tells there why a file cannot be read."""
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            for descriptor, number in zip(kept, (1, 2), strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


def _reason(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines()]
    errors = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    return errors[0][-LAST_LETTERS:] if errors else ""
