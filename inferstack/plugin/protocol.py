"""What every plugin process of this project starts with: Pulumi's generated protobufs, and the serving loop.

A run without changes starts these processes and asks them next to nothing, so that their start is what a user waits
for. Importing `pulumi` for its protobufs costs 80 ms each time; they are therefore loaded as a package of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

PACKAGE = "pulumi_protobufs"
if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        language_pb2,
        language_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        status_pb2,
    )
else:
    folder = Path(find_spec("pulumi").origin).parent / "runtime" / "proto"
    spec = spec_from_file_location(PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)])
    sys.modules[PACKAGE] = module_from_spec(spec)
    plugin_pb2, status_pb2 = (import_module(f"{PACKAGE}.{name}") for name in ("plugin_pb2", "status_pb2"))
    provider_pb2, language_pb2 = (import_module(f"{PACKAGE}.{name}_pb2") for name in ("provider", "language"))
    provider_pb2_grpc, language_pb2_grpc = (
        import_module(f"{PACKAGE}.{name}_pb2_grpc") for name in ("provider", "language")
    )

__all__ = [
    "language_pb2",
    "language_pb2_grpc",
    "log_to_engine",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "serve",
    "status_pb2",
]

MAX_MESSAGE = 400 * 1024 * 1024  # what the engine allows


def log_to_engine(urn: str, text: str) -> None:
    """Show a line beside a resource while it is worked on; the engine's address is the plugin's first argument."""
    if len(sys.argv) < 2:
        return
    with grpc.insecure_channel(sys.argv[1]) as channel:
        engine, stubs = (import_module(f"{PACKAGE}.engine_{name}") for name in ("pb2", "pb2_grpc"))
        request = engine.LogRequest(severity=engine.INFO, message=text, urn=urn)
        with contextlib.suppress(grpc.RpcError):  # a line that is not shown must not fail the work
            stubs.EngineStub(channel).Log(request, timeout=5)


def serve(register: Callable[[grpc.Server], None], threads: int) -> None:
    """Run as a Pulumi plugin: print the port, serve until the engine ends the process."""
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=threads), options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    ended = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: ended.set())  # how the engine ends its plugins
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    print(port, flush=True)
    engine = os.getppid()
    while not ended.wait(1.0):
        if os.getppid() != engine:  # killed: what nobody asks for any more must not go on
            os._exit(1)
    # The engine waits for each plugin in turn; it sends no request any more, and there is nothing to save.
    sys.stderr.flush()
    os._exit(0)
