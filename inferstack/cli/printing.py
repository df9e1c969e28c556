"""What a command says: for people or for programs, in colour or plain."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferstack import text as styled
from inferstack.engine.output import settings

SEVERITY = re.compile(r"^(?P<place>\S+:\d+:\d+): (?P<severity>error|warning)\[(?P<code>\w+)\]", re.MULTILINE)
FIX = re.compile(r"^(\s*)(fix:)", re.MULTILINE)


def set_up(color: str, *, verbose: bool) -> None:
    """`auto`: colour on a terminal, unless NO_COLOR (no-color.org) says no; TERM=dumb is a plain one."""
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    styled.terminal.colour = color == "always" or (color == "auto" and on_terminal and not os.environ.get("NO_COLOR"))
    styled.terminal.width = shutil.get_terminal_size().columns if on_terminal else 0
    settings.to_stderr = False
    settings.verbose = verbose or bool(os.environ.get("INFERSTACK_VERBOSE"))


def emit(style: str, data: Any, text: str) -> None:
    """JSON is all that standard output has then; a program that reads it can rely on that."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if style == "json" else text, flush=True)


def done(style: str, text: str, *, written: Iterable[Path | str] = (), notes: Iterable[str] = (), **more: Any) -> None:
    """Of a command that wrote files or did one thing."""
    files = [str(file) for file in written]
    emit(style, {"version": 1, "written": files, "notes": list(notes), **more}, text)


def json_only(style: str) -> None:
    """Progress goes to standard error then."""
    settings.to_stderr = style != "text"


def findings_painted(text: str) -> str:
    text = wrapped(text)
    if not styled.terminal.colour:
        return text
    colours = {"error": "red", "warning": "yellow"}

    def head(found: re.Match[str]) -> str:
        mark = f"{found['severity']}[{found['code']}]"
        return f"{styled.paint(found['place'], 'bold')}: {styled.paint(mark, colours[found['severity']], 'bold')}"

    return FIX.sub(lambda found: found[1] + styled.paint(found[2], "bold"), SEVERITY.sub(head, text))


def wrapped(text: str) -> str:
    """Between words, on a terminal; lines of a file stay as they are."""
    width = styled.terminal.width
    if not width:
        return text
    lines = []
    for line in text.split("\n"):
        indent = "       " if line.startswith("  fix: ") else "    "
        prose = SEVERITY.match(line) or not line.startswith("   ")
        lines += (
            textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) if prose and line else [line]
        )
    return "\n".join(lines)


def error(message: str) -> None:
    """On standard error: what, and the fix in the next lines."""
    if not sys.stderr.isatty() and styled.terminal.width:  # colour is for the one of both that is a terminal
        styled.terminal.colour = False
    head = "" if SEVERITY.match(message) else f"{styled.paint('error:', 'red', 'bold')} "
    print(head + findings_painted(message), file=sys.stderr)
