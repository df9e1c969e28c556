"""Pulumi's own lines without what tells a user nothing, unless `INFERSTACK_VERBOSE` is set."""

from __future__ import annotations

import os
import re

VERBOSE = "INFERSTACK_VERBOSE"
# Where the plugins of this project are from is no news: `inferstack doctor` says it.
NOISE = re.compile(r"warning: using pulumi-(language|resource)-\S+ from \$PATH at ")
COUNT = re.compile(
    r"(?P<head>.* Stack \S+ (?:created|updated|deleted|running|up to date|unchanged|\w+)?.*?) \d+ warnings?$"
)
HEAD = re.compile(r"Diagnostics:$|  \S+ \(.+\):$")


class Filter:
    """Line by line; the heads of a block of diagnostics wait until the block has something to say."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._in_block = self._dropped = False

    def lines(self, line: str) -> list[str]:
        """What is to be shown now."""
        if os.environ.get(VERBOSE):
            return [line]
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
        shown = [*self._waiting, line]
        self._waiting, self._dropped = [], False
        return shown
