"""Pulumi's own lines without what tells a user nothing, and the place where a run's progress is shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from inferstack.text import paint

# Where the plugins of this project are from is no news: `inferstack doctor` says it.
NOISE = re.compile(r"warning: using pulumi-(language|resource)-\S+ from \$PATH at ")
TICK = re.compile(r"@ (previewing|updating|destroying|refreshing)\b.*\.{2,}$")
# A step that began, or goes on without news: its end will have a line, too.
BEGUN = re.compile(
    r"^ [+~<>\- ]{1,2} +\S+:\S+:\S+ .*\b(creating|updating|deleting|replacing|reading|importing)( \w+)* \(\d+s\)[^;]*$"
)
SECTION = re.compile(r"^\S[^:]*:$")
JUDGED = re.compile(r"^(Diagnostics|Polic\w+.*):$")  # sections that a plan of our own does not have
WARNINGS = re.compile(r"(?<=:Stack )(.*?) \d+ warnings?$")  # most of them are the noise; the others are told below
STEP = re.compile(r"^ ([+~<>-]{1,2})(?=  ?\S+:\S+:)")
COLOURS = {"+": "green", "~": "yellow", "-": "red"}
HEAD = re.compile(r"Diagnostics:$|  \S+ \(.+\):$")


# Pulumi writes both values whole when a run leaves its plan, and a Worker's secrets with them (seen with 3.259, 2026-11-27).
LEFT_PLAN = re.compile(r"(violates plan: properties changed:).*", re.DOTALL)


def without_values(text: str) -> str:
    """What Pulumi says, without values that it should not have written."""
    return LEFT_PLAN.sub(r"\1 values are not shown, they may be secrets", text)


@dataclass(slots=True)
class Settings:
    """What the command line was asked for."""

    verbose: bool = False
    to_stderr: bool = False  # standard output is for JSON alone
    printer: Callable[[str], None] | None = None  # of the terminal that shows a run's progress


settings = Settings()


class Filter:
    """Line by line; the heads of a block of diagnostics wait until the block has something to say."""

    def __init__(self, *, only_judged: bool = False) -> None:
        self._only_judged, self._judged = only_judged, False
        self._waiting: list[str] = []
        self._in_block = self._dropped = False

    def lines(self, line: str) -> list[str]:
        """What is to be shown now."""
        line = without_values(line)
        if settings.verbose:
            return [line]
        if SECTION.match(line):
            self._judged = bool(JUDGED.match(line))
        if TICK.match(line) or BEGUN.match(line) or (self._only_judged and not self._judged):
            return []
        if NOISE.search(line):
            self._dropped = True
            return []
        if HEAD.match(line):
            self._waiting.append(line)
            self._in_block = True
            return []
        if self._in_block and self._dropped and not line.strip():
            self._in_block, self._waiting = False, []
            return []
        shown = [*self._waiting, WARNINGS.sub(r"\1", line)]
        self._waiting, self._dropped = [], False
        return shown


def write(line: str) -> None:
    if settings.to_stderr:  # whether colour suits was asked of standard output
        print(line, file=sys.stderr, flush=True)
        return
    line = STEP.sub(lambda step: f" {paint(step[1], COLOURS.get(step[1][0], 'cyan'))}", line)
    (settings.printer or partial(print, flush=True))(line)


@contextmanager
def above(printer: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile lines go there: what is drawn at the foot of the terminal stays below them."""
    settings.printer = printer
    try:
        yield
    finally:
        settings.printer = None
