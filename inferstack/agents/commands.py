"""Commands of this tool, run for an agent: their JSON, or the message that a person would see."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from inferstack.errors import UserError
from inferstack.json_text import json_lines

# In a process of its own: Pulumi's engine keeps the folder and the environment of the process it runs in, and a client
# may call two tools at once. 0.15 s a call.
INFERSTACK = [sys.executable, "-m", "inferstack.cli"]
SAID = 40  # lines of progress that are kept for an error's message
LINE = 64 * 1024 * 1024  # one document on one line, such as rendered code
ORDINARY = "give short text without control signs, in a project's folder that is there"
Say = Callable[[str], Awaitable[None]]


async def nothing(_: str) -> None:
    """For those who want no progress."""


async def told(root: Path, *words: str, say: Say = nothing) -> Any:
    """What `inferstack WORDS --format json` prints, read.

    `say` gets each line of its progress. Raises `UserError` with the command's own message when it prints no JSON.
    """
    out, error = await run(root, *words, "--format", "json", say=say)
    try:
        return json.loads(out)
    except ValueError:
        raise UserError(error or f"`inferstack {' '.join(words)}` said nothing") from None


async def lines(root: Path, *words: str) -> list[Any]:
    """Of a command that prints one object a line."""
    out, error = await run(root, *words, "--format", "json")
    if error and not out.strip():
        raise UserError(error)
    return [json.loads(line) for _, line in json_lines(out)]


async def run(root: Path, *words: str, say: Say = nothing) -> tuple[str, str]:
    """Standard output, and of standard error what a failure says: from its line `error:` on, else its end."""
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    try:
        process = await asyncio.create_subprocess_exec(
            *INFERSTACK,
            *words,
            cwd=root,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,  # ours is the protocol's
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE,
        )
    except (OSError, ValueError) as error:  # a NUL, half a character, more than a command line holds, no such folder
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"`inferstack {words[0]}` cannot be run with that: {reason}\n  fix: {ORDINARY}") from None
    try:
        out, said = await asyncio.gather(_all_of(process.stdout), _followed(process.stderr, say))
        code = await process.wait()
    except BaseException:  # the client has gone or cancelled: Pulumi lets a stack's lock go when it is asked to end
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        raise
    return out, _message(said) if code else ""


async def _all_of(stream: asyncio.StreamReader | None) -> str:
    return (await stream.read()).decode() if stream else ""


async def _followed(stream: asyncio.StreamReader | None, say: Say) -> list[str]:
    kept: deque[str] = deque(maxlen=SAID)
    while stream and (line := await stream.readline()):
        text = line.decode(errors="replace").rstrip()
        kept.append(text)
        if text:
            await say(text)
    return list(kept)


def _message(said: list[str]) -> str:
    starts = [place for place, line in enumerate(said) if line.startswith("error: ")]
    return "\n".join(said[starts[-1] :] if starts else said).removeprefix("error: ").strip()
