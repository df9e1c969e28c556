"""Single keys of a terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def listening(tell: Callable[[str], None]) -> Iterator[None]:
    """Each key is handed to `tell`, in a thread of its own; the terminal is as before afterwards. Nothing without one."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            if select.select([descriptor], [], [], 0.2)[0]:
                key = os.read(descriptor, 1)
                if not key:
                    return
                tell(key.decode(errors="replace"))

    tty.setcbreak(descriptor)
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=1)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
