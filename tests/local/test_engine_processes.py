"""Engines in processes of their own: they die, hang, take too much or refuse, and who asked is told so; nobody outlives."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inferstack.errors import UserError
from inferstack.local.ai.engines.apart import Apart, Kind
from inferstack.local.ai.engines.held import Held
from inferstack.local.ai.engines.programs import serve
from inferstack.local.ai.faults import InferenceError
from inferstack.toolchain import SENTIMENT

BARE = replace(SENTIMENT, name="small", weights=())
CODE = """
import os, sys, time
def load(packages):
    print("libraries print what they like")
    def answer(asked, data):
        what = asked["do"]
        if what == "die": os.kill(os.getpid(), 9)
        if what == "leave": print("the last words", file=sys.stderr); os._exit(3)
        if what == "hang": time.sleep(60)
        if what == "wait": time.sleep(0.3)
        if what == "fail": raise KeyError("x")
        if what == "refuse": return {"refused": "that is no sound"}, b""
        if what == "eat": return {"got": len(bytearray(700 << 20))}, b""
        if what == "modules": return {"got": sorted(sys.modules), "path": sys.path}, b""
        print("more of it")
        return {"got": asked["do"], "pid": os.getpid()}, data[::-1]
    return answer
"""


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    BARE.folder.mkdir(parents=True)
    (tmp_path / "engine.py").write_text(CODE)
    return Kind(program=str(tmp_path / "engine"), packages=BARE, memory=400, seconds=20)


@pytest.fixture
def process(kind: Kind) -> Iterator[Apart]:
    started = Apart(kind)
    yield started
    started.end()


def told(process: Apart, do: str) -> InferenceError:
    with pytest.raises(InferenceError) as error:
        process.ask({"do": do})
    return error.value


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(true: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


def test_questions_and_bytes_go_there_and_back(process: Apart) -> None:
    data = os.urandom(3_000_000)
    for size in (0, 1, len(data)):
        said, found = process.ask({"do": "echo é"}, data[:size])
        assert (said["got"], found) == ("echo é", data[:size][::-1])


def test_nothing_of_ours_is_in_it(process: Apart) -> None:
    said, _ = process.ask({"do": "modules"})
    assert not [name for name in said["got"] if name.partition(".")[0] in ("inferstack", "numpy", "site")]
    assert not [path for path in said["path"] if path.endswith("site-packages")]


def test_what_is_wrong_with_a_request_is_its_sender_s(process: Apart) -> None:
    error = told(process, "refuse")
    assert (error.status, error.code, error.message) == (400, 5006, "Error: that is no sound")
    assert process.lives


@pytest.mark.parametrize(
    ("do", "why"),
    [
        ("die", "small ended by signal 9"),
        ("leave", "small ended with code 3: the last words"),
        ("fail", "small failed: KeyError: 'x'"),
        ("eat", "small failed: its memory is used up"),
    ],
)
def test_a_process_that_fails_is_ended_and_started_anew(kind: Kind, do: str, why: str) -> None:
    held = kind.held()
    first = held.use(lambda each: each.ask({"do": "echo"})[0]["pid"])
    error = held.use(lambda each: told(each, do))
    assert (error.status, error.code) == (502, 2010)
    assert why in error.message
    assert held.use(lambda each: each.ask({"do": "echo"})[0]["pid"]) != first
    until(lambda: gone(first))
    held.let_go()


def test_an_answer_that_does_not_come_is_given_up(kind: Kind) -> None:
    process = Apart(replace(kind, seconds=0.5))
    error = told(process, "hang")
    assert (error.status, error.code, error.message) == (408, 3007, "Request timeout (small: 0 s)")
    until(lambda: not process.lives)
    process.end()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "small failed: ModuleNotFoundError"),
        ("def load(packages): raise OSError('half a file')", "small failed: OSError: half a file"),
        ("import os; os._exit(9)", "small ended with code 9"),
    ],
)
def test_an_engine_that_does_not_start_says_why(kind: Kind, code: str, why: str) -> None:
    Path(f"{kind.program}.py").write_text(code)
    with pytest.raises(UserError, match=f"{why}.*\n  fix: inferstack local models remove sentiment"):
        Apart(kind)


def test_what_is_not_installed_is_not_started(kind: Kind) -> None:
    with pytest.raises(UserError, match="vader is not installed\n  fix: inferstack local models install sentiment"):
        Apart(replace(kind, packages=SENTIMENT))


def test_an_idle_process_is_ended(kind: Kind) -> None:
    held: Held[Apart] = kind.held(idle=0.3)
    pid = held.use(lambda each: each.pid)
    until(lambda: gone(pid))
    assert not held.is_loaded
    assert held.use(lambda each: each.pid) != pid
    held.let_go()


def test_who_comes_when_too_many_wait_is_told_so(kind: Kind) -> None:
    held: Held[Apart] = kind.held(most=2)

    async def ask() -> list[Any]:
        asked = (held.queued(lambda: held.use(lambda each: each.ask({"do": "wait"}))) for _ in range(5))
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask())
    assert [each.code for each in answers if isinstance(each, InferenceError)] == [3040] * 3
    assert sum(isinstance(each, tuple) for each in answers) == 2
    held.let_go()


def test_it_ends_with_the_process_that_asked(kind: Kind, tmp_path: Path) -> None:
    """Even one that was killed, and while the engine is at work."""
    program = tmp_path / "asker.py"
    program.write_text(
        "import os, subprocess, sys, time\n"
        f"from inferstack.local.ai.engines.programs import serve\n"
        f"p = subprocess.Popen([sys.executable, '-I', '-S', serve.__file__, {kind.program + '.py'!r}, '.', '400'],\n"
        "  stdin=-1, stdout=-1)\n"
        "serve.receive(p.stdout)\n"
        "serve.send(p.stdin, {'do': 'hang'})\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    asker = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert asker.stdout is not None
    pid = int(asker.stdout.readline())
    assert not gone(pid)
    asker.kill()
    asker.wait()
    asker.stdout.close()
    until(lambda: gone(pid))


def test_half_a_frame_is_the_end(tmp_path: Path) -> None:
    whole = tmp_path / "frame"
    with whole.open("wb") as file:
        serve.send(file, {"do": "x"}, b"12345")
    data = whole.read_bytes()
    for end in (0, 5, 13, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:end])
        with (tmp_path / "cut").open("rb") as file:
            assert serve.receive(file) is None
