"""What the Workers of a stack do, live: each one's tail, woven into one stream of lines."""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from inferstack.config import lacking, load_stack
from inferstack.engine.account import Account
from inferstack.errors import ConfigError, UserError
from inferstack.text import paint

PROTOCOL = "trace-v1"  # Cloudflare's; wrangler asks for the same
LEVELS = ("debug", "info", "log", "warn", "error")
COLOURS = {"debug": "dim", "info": "cyan", "log": "dim", "warn": "yellow", "error": "red"}
OF_WORKERS = ("cyan", "magenta", "green", "yellow")
AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of a level at least, with a text that the pattern finds."""

    level: str = "debug"
    pattern: re.Pattern[str] | None = None

    def fits(self, event: dict[str, Any]) -> bool:
        least = LEVELS.index(self.level)
        loud = least == 0 or event.get("outcome") not in (None, "ok") or event.get("exceptions")
        if not (loud or any(_level(log) >= least for log in event.get("logs") or [])):
            return False
        return self.pattern is None or bool(self.pattern.search(json.dumps(event, ensure_ascii=False)))


def wanted(level: str, pattern: str | None) -> Wanted:
    """From what a user says. Raises `ConfigError` for a pattern that is none."""
    try:
        return Wanted(level, re.compile(pattern, re.IGNORECASE) if pattern else None)
    except re.error as error:
        fix = "put a \\ before . ( [ * + ? and the like"
        raise ConfigError(f"`{pattern}` is no regular expression: {error}\n  fix: {fix}") from None


def _level(log: dict[str, Any]) -> int:
    level = log.get("level")
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("log")


def follow(
    stack: str,
    root: Path,
    workers: list[str],
    wanted: Wanted,
    seconds: float | None,
    ended: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of Workers and events, as they come; for so many seconds, until `ended`, or until the caller stops."""
    spec = load_stack(stack, root)
    for name in workers:
        if name not in spec.workers:
            raise ConfigError(lacking(f"stack `{stack}`", "Worker", name, spec.workers))
    account, end = Account(spec, root), time.monotonic() + seconds if seconds else None
    tails = [_Tail(account, key, spec.name_of("workers", key)) for key in workers or spec.workers]
    heard: queue.Queue[tuple[str, dict[str, Any]] | UserError] = queue.Queue()
    try:
        for tail in tails:
            tail.start(heard)
        while not ended() and (end is None or time.monotonic() < end):
            with suppress(queue.Empty):
                found = heard.get(timeout=0.2)
                if isinstance(found, UserError):
                    raise found
                if wanted.fits(found[1]):
                    yield found
    finally:
        for tail in tails:
            tail.stop()


class _Tail:
    """One Worker's session: opened anew when it ends, closed with the command."""

    def __init__(self, account: Account, key: str, script: str) -> None:
        self._account, self._key, self._path = account, key, f"/workers/scripts/{script}/tails"
        self._socket: ClientConnection | None = None
        self._session = ""
        self._stopped = False

    def start(self, heard: queue.Queue[tuple[str, dict[str, Any]] | UserError]) -> None:
        """The first session is open when this returns; what it cannot open is the caller's error."""
        self._open()
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()

    def _open(self) -> None:
        made = self._account.call("POST", self._path, {"filters": []})
        self._session = str(made["id"])
        try:
            self._socket = connect(str(made["url"]), subprotocols=[PROTOCOL], max_size=None)  # type: ignore[list-item]
        except (OSError, WebSocketException) as error:
            raise UserError(f"the logs of `{self._key}` cannot be read: {error}") from None

    def _listen(self, heard: queue.Queue[tuple[str, dict[str, Any]] | UserError]) -> None:
        while not self._stopped:
            with suppress(OSError, WebSocketException):
                for frame in self._socket or ():
                    heard.put((self._key, json.loads(frame)))
            if self._stopped:
                return
            time.sleep(AGAIN_SECONDS)  # the session ran out, or the local Cloudflare starts again
            try:
                self._open()
            except UserError as error:
                heard.put(error)
                return

    def stop(self) -> None:
        self._stopped = True
        if self._socket is not None:
            with suppress(OSError, WebSocketException):
                self._socket.close()
        if self._session:
            with suppress(UserError):
                self._account.call("DELETE", f"{self._path}/{self._session}")


def shown(worker: str, event: dict[str, Any], place: int = 0) -> str:
    """For people: a line of what happened, then what was logged and thrown, each with its position where it is known."""
    head = f"{_time(event.get('eventTimestamp'))} {paint(worker, OF_WORKERS[place % len(OF_WORKERS)])}"
    outcome = str(event.get("outcome") or "ok")
    end = "" if outcome == "ok" else f" {paint(outcome, 'red')}"
    lines = [f"{head} {_what(event.get('event') or {})}{end}"]
    for log in event.get("logs") or []:
        level = str(log.get("level") or "log")
        text = " ".join(
            each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in log["message"]
        )
        lines += [f"  {paint(level, COLOURS.get(level, 'dim'))} {line}" for line in text.split("\n")]
    for thrown in event.get("exceptions") or []:
        lines.append(f"  {paint(str(thrown.get('name')), 'red')}: {thrown.get('message')}")
        lines += [f"    {line.strip()}" for line in str(thrown.get("stack") or "").split("\n") if line.strip()]
    return "\n".join(lines)


def _time(milliseconds: Any) -> str:
    moment = (
        datetime.fromtimestamp(milliseconds / 1000, UTC) if isinstance(milliseconds, int | float) else datetime.now(UTC)
    )
    return moment.astimezone().strftime("%H:%M:%S")


def _what(event: dict[str, Any]) -> str:
    if "request" in event:
        status = (event.get("response") or {}).get("status")
        return f"{event['request'].get('method')} {event['request'].get('url')}" + (f" {status}" if status else "")
    if "cron" in event:
        return f"cron {event['cron']}"
    if "queue" in event:
        return f"queue {event['queue']}, {event.get('batchSize')} messages"
    return f"rpc {event['rpcMethod']}" if "rpcMethod" in event else "scheduled" if "scheduledTime" in event else "event"
