"""The process of an engine: `python -I -S serve.py ENGINE.py PACKAGES MEMORY`; frames come in by stdin and go out by stdout.

A frame is two lengths (4 and 8 bytes, big endian), a JSON object and bytes. An engine's `load(packages)` gives a function that
answers one. What is wrong with a request is answered as `{"refused": why}`; what is wrong with the engine as `{"failed": why}`.
The process ends with its stdin, so that it outlives nobody. MEMORY is in MiB, of addresses.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any

LOOKS_SECONDS = 1.0
HEAD = struct.Struct(">IQ")
Message = tuple[dict[str, Any], bytes]
Answers = Callable[[dict[str, Any], bytes], Message]


def receive(source: IO[bytes]) -> Message | None:
    """None at the end of the stream."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    words, rest = HEAD.unpack(head)
    said, data = source.read(words), source.read(rest)
    return (json.loads(said), data) if len(said) == words and len(data) == rest else None


def send(target: IO[bytes], said: dict[str, Any], data: bytes = b"") -> None:
    words = json.dumps(said).encode()
    target.write(HEAD.pack(len(words), len(data)) + words)
    target.write(data)
    target.flush()


def bound_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    with contextlib.suppress(OSError, ValueError):  # macOS takes no such bound
        resource.setrlimit(resource.RLIMIT_AS, (most << 20, most << 20))


def end_with(parent: int) -> None:
    """Not only between two requests: who asked may be gone while this one works."""
    while os.getppid() == parent:
        time.sleep(LOOKS_SECONDS)
    os._exit(0)


def loaded(engine: str, packages: str) -> Answers:
    sys.path.append(packages)
    spec = importlib.util.spec_from_file_location("engine", engine)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answers: Answers = module.load(packages)
    return answers


def reason(error: BaseException) -> str:
    return "its memory is used up" if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"[:300]


def serve(source: IO[bytes], target: IO[bytes], engine: str, packages: str) -> None:
    try:
        answers = loaded(engine, packages)
    except Exception as error:
        send(target, {"failed": reason(error)})
        return
    send(target, {"ready": True})
    while (message := receive(source)) is not None:
        try:
            said, data = answers(*message)
        except Exception as error:
            said, data = {"failed": reason(error)}, b""
        del message
        send(target, said, data)


def main() -> None:
    engine, packages, most = sys.argv[1:]
    bound_memory(int(most))
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is none of the frames
    serve(source, target, engine, packages)


if __name__ == "__main__":
    main()
