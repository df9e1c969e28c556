"""The local Cloudflare as a background process: start it once, find it again, stop it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from inferstack.errors import UserError
from inferstack.local._settings import ACCOUNT_ID, LOCK, Running, Settings, record_file, recordings_folder, token_of

START_SECONDS = 30
STOP_SECONDS = 15
ROOM = 1024 * 1024  # bytes without which nothing starts: SQLite's shared memory, and a line of the log
# Held for the life of this process: a Popen that is dropped while its child runs is reported as a leak.
_started: list[subprocess.Popen[bytes]] = []


def find(folder: Path) -> Running | None:
    """The one that runs on this state folder and answers.

    A record outlives a killed process, whose ports and pid others may have by now: what answers must be what the record
    says, or it is not ours to use, and still less to stop.
    """
    try:
        running = Running(**json.loads(record_file(folder).read_text()))
        running = replace(running, real=tuple(running.real))
        with urlopen(f"http://127.0.0.1:{running.api_port}/health", timeout=5) as answer:
            pid = json.loads(answer.read(1000))["pid"]
    except (OSError, ValueError, TypeError, KeyError, HTTPException):
        return None
    return running if type(pid) is int and pid == running.pid and pid > 1 else None


def ensure(settings: Settings) -> tuple[Running, bool]:
    """The running one, or a new one; and whether it was started now. Raises `UserError` with the process's own words."""
    running = _find_or_wait(settings.folder)
    if running:
        _set_engines(running, settings)
        if running.replay != settings.replay:
            use_recordings(settings.folder, running, settings.replay)
        return running, False
    running = _start(settings)
    if settings.replay != "off":
        use_recordings(settings.folder, running, settings.replay)
    return running, True


def _start(settings: Settings) -> Running:
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log_file = settings.folder / "server.log"
    command = [sys.executable, "-m", "inferstack.local", "--state", str(settings.folder)]
    command += ["--port", str(settings.port), "--api-port", str(settings.api_port)]
    command += ["--text-server", settings.text_server] if settings.text_server else []
    command += ["--real", ",".join(settings.real)] if settings.real is not None else []
    with log_file.open("a") as log:
        start = log.tell()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
        )
    _started.append(process)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = find(settings.folder)
        if running and running.pid == process.pid:
            return running
        if process.poll() is not None:
            raise UserError(_said(log_file, start) or _why_not(log_file))
        time.sleep(0.05)
    process.terminate()
    raise UserError(f"the local Cloudflare did not answer within {START_SECONDS} s; see {log_file}")


def _find_or_wait(folder: Path) -> Running | None:
    """The one that runs, or that starts just now; None when the folder is free."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = find(folder)
        if running or not is_held(folder):
            return running
        time.sleep(0.1)
    raise UserError(_hung(folder))


def _set_engines(running: Running, settings: Settings) -> None:
    """The running process answers as this stack says."""
    real = running.real if settings.real is None else settings.real
    if (running.text_server, running.real) != (settings.text_server, real):
        _control(running, token_of(settings.folder), "engines", {"text_server": settings.text_server, "real": real})


def speakers(folder: Path, running: Running, account: str = ACCOUNT_ID) -> list[dict[str, str]]:
    """Who answers which task: `task`, `engine`, `about`, and `error` where something is wrong. Raises `UserError`."""
    return list(_control(running, token_of(folder, account), "engines")["result"])


def use_recordings(folder: Path, running: Running, mode: str, account: dict[str, str] | None = None) -> None:
    """`mode`: off, record, fill or strict. `account` (base_url, account_id, token) is asked, while it records."""
    body: dict[str, object] = {"mode": mode, "folder": str(recordings_folder(folder)), "account": account}
    _control(running, token_of(folder), "recordings", body)


def recordings(folder: Path, running: Running) -> dict[str, object]:
    """`mode`, `recorded` and `missed` of the running process."""
    found: dict[str, object] = _control(running, token_of(folder), "recordings")["result"]
    return found


def _control(running: Running, token: str, what: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    url = f"http://127.0.0.1:{running.api_port}/__local/{what}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    data, method = (json.dumps(body).encode(), "PUT") if body else (None, "GET")
    try:
        with urlopen(Request(url, data=data, headers=headers, method=method), timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
    except HTTPError as error:
        with error:
            raise UserError(json.loads(error.read())["errors"][0]["message"]) from None
    return told


def stop(folder: Path) -> bool:
    """End it and wait; False when none runs."""
    running = find(folder)
    if running is None:
        if is_held(folder):
            raise UserError(_hung(folder))
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not alive(running.pid):
            return True
        time.sleep(0.05)
    raise UserError(f"the local Cloudflare (process {running.pid}) did not end within {STOP_SECONDS} s")


def is_held(folder: Path) -> bool:
    """Whether a process has this state folder, be it that it does not answer."""
    try:
        with (folder / LOCK).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none
        return False
    return False


def _hung(folder: Path) -> str:
    return (
        f"a local Cloudflare holds {folder} and does not answer\n"
        f"  fix: wait if it starts or ends just now; else end the process that `fuser {folder / LOCK}` names"
    )


def workers_trouble(folder: Path, running: Running) -> tuple[bool, str]:
    """Whether the Workers' port answers now, and what went wrong last, with its time."""
    try:
        state = json.loads((folder / "workers.json").read_text())
        at = time.strftime("%H:%M:%S", time.localtime(state["down_since"] or state["at"]))
        said = f"{state['trouble']} ({'since' if state['down_since'] else 'at'} {at})"
    except (OSError, ValueError, KeyError, TypeError):
        said = ""
    try:
        urlopen(f"http://127.0.0.1:{running.port}/", timeout=3).close()
    except HTTPError:
        return True, said  # no Worker has this host: the runtime said so itself
    except (OSError, HTTPException):
        return False, said
    return True, said


def alive(pid: int) -> bool:
    """Whether the process still runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # no /proc on this system
        return True


def _why_not(log_file: Path) -> str:
    """It left no word: on a disk without room there is none for its log either."""
    text = "the local Cloudflare did not start"
    if shutil.disk_usage(log_file.parent).free < ROOM:
        return (
            f"{text}: the disk under {log_file.parent} is full\n  fix: make room, and start it again; nothing is lost"
        )
    return f"{text}; see {log_file}"


def _said(log_file: Path, start: int) -> str:
    """Its last error, with the lines that belong to it."""
    with log_file.open() as log:
        log.seek(start)
        _, found, text = f"\n{log.read()}".rpartition("\nerror: ")
    return text.strip() if found else ""
