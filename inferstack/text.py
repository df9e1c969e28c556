"""Text for people: columns and colour. Plain unless `terminal` says that there is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(slots=True)
class Terminal:
    """Whether colours are shown, and how wide a line may be; 0 is any width."""

    colour: bool = False
    width: int = 0


terminal = Terminal()


def paint(text: str, *styles: str) -> str:
    """In colour, when there is any. The 16 colours of the terminal itself: they suit a dark and a light one."""
    if not terminal.colour or not text:
        return text
    return f"\x1b[{';'.join(STYLES[style] for style in styles)}m{text}\x1b[0m"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The first row is the head. Columns as wide as their widest cell; on a terminal, cells wrap to fit its width."""
    if terminal.width and rows:
        return _fitted(rows)
    widths = [max(len(ESCAPE.sub("", cell)) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _fitted(rows: Sequence[tuple[str, ...]]) -> list[str]:
    from io import StringIO

    from rich.console import Console  # 70 ms, and only where a person looks
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False, pad_edge=False)
    for head in rows[0]:
        drawn.add_column(head, overflow="fold")
    for row in rows[1:]:
        drawn.add_row(*(Text.from_ansi(cell) for cell in row))
    colour = "standard" if terminal.colour else None
    console = Console(file=StringIO(), width=terminal.width, color_system=colour, force_terminal=terminal.colour)  # type: ignore[arg-type]
    console.print(drawn)
    return [line.rstrip() for line in console.file.getvalue().rstrip("\n").split("\n")]  # type: ignore[attr-defined]
