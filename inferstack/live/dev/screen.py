"""What a person sees meanwhile: lines that scroll by, and below them what is wrong and what goes on.

On a terminal the foot is drawn by rich and stays; elsewhere each news is a line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from inferstack.text import paint, terminal

KEYS = {"u": "up", "c": "check", "o": "console", "l": "clear", "q": "quit"}
LONGEST = 16  # lines of problems that the foot shows; all of them have scrolled by


class Screen:
    """`painted` gives an error its colours."""

    def __init__(self, painted: Callable[[str], str]) -> None:
        self._painted = painted
        self._problems: dict[str, str] = {}
        self._state = self._drawn = ""
        self._foot = _foot() if terminal.width and sys.stdin.isatty() else None

    def __enter__(self) -> Screen:
        if self._foot is not None:
            self._foot.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._foot is not None:
            self._foot.stop()

    def line(self, text: str) -> None:
        if self._foot is None:
            print(text, flush=True)
            return
        from rich.text import Text

        self._foot.console.print(Text.from_ansi(text), soft_wrap=True)

    def state(self, text: str) -> None:
        """What goes on, in a few words; for the foot alone."""
        self._state = text
        self._draw()

    def problems(self, found: dict[str, str]) -> None:
        """What is wrong now, by where it comes from. It stays until it is gone; each is told once."""
        for name, text in found.items():
            if self._problems.get(name) != text and self._foot is None:
                self.line(self._painted(text))
        if self._problems and not found:
            self.line(paint("mended", "green"))
        self._problems = dict(found)
        self._draw()

    def clear(self) -> None:
        if self._foot is not None:
            self._foot.console.clear()

    def _draw(self) -> None:
        if self._foot is None:
            return
        from rich.text import Text

        lines = [line for text in self._problems.values() for line in self._painted(text).split("\n")]
        more = [paint(f"… {len(lines) - LONGEST} more lines", "dim")] if len(lines) > LONGEST else []
        keys = "  ".join(f"{paint(key, 'bold')} {what}" for key, what in KEYS.items())
        mark = paint("✗", "red", "bold") if self._problems else paint("●", "green")
        foot = [*lines[:LONGEST], *more, f"{mark} {self._state}   {keys}"]
        if (text := "\n".join(foot)) != self._drawn:
            self._drawn = text
            self._foot.update(Text.from_ansi(text), refresh=True)


def _foot() -> Any:
    """rich's `Live`, imported where a person looks, and only there: 70 ms."""
    from rich.console import Console
    from rich.live import Live

    console = Console(no_color=not terminal.colour)
    return Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
