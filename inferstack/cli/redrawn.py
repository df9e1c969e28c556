"""What is drawn anew while somebody looks at it: tables, and how far long work is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

EVERY_SECONDS = 2.0


def watched(look: Callable[[], list[Table]], *, once: bool) -> None:
    """Until Ctrl-C; once where there is no terminal."""
    console = Console()
    if once or not sys.stdout.isatty():
        tables = look()
        for table in tables:
            console.print(table)
        return
    with suppress(KeyboardInterrupt), Live(Group(*look()), console=console, screen=True) as live:
        while True:
            time.sleep(EVERY_SECONDS)
            live.update(Group(*look()))


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how many are done; without a terminal it says nothing."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
