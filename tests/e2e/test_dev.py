"""`dev`: a save is live without a run of the engine, errors stay until they are mended, the state is right afterwards."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  plain: { source: workers/plain.js, compatibility_date: "2026-06-01" }
  typed: { source: workers/typed.ts, compatibility_date: "2026-06-01" }
"""
SHARED = 'export const word = "one";\n'
PLAIN = """import { word } from "./shared.js";
export default { fetch: (_, env) => (console.log("asked"), new Response(`${word} ${env.NAME ?? "nobody"}`)) };
"""
TYPED = """const word: string = "one";
export default { fetch: (): Response => new Response(word) };
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SECONDS = 60.0


@dataclass
class Dev:
    """A running `inferstack dev`, and all that it has printed."""

    project: Project
    process: subprocess.Popen[bytes]
    terminal: int
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return ESCAPES.sub("", "".join(self.said)).replace("\r", "")

    def says(self, text: str, after: int = 0) -> int:
        """Waits until it was printed; where that ends."""
        self.until(lambda: text in self.text[after:], text)
        return self.text.index(text, after) + len(text)

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not true():
            assert time.monotonic() < end, f"{what}: not in {SECONDS} s\n{self.text}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        os.write(self.terminal, key.encode())

    def get(self, worker: str) -> str:
        host = {"host": f"{worker}-dev.local.localhost"}
        return httpx.get(f"http://127.0.0.1:{self.project.running.port}/", headers=host).text

    def save(self, file: str, text: str) -> None:
        (self.project.root / file).write_text(text)

    def serves(self, worker: str, text: str) -> None:
        self.until(lambda: self.get(worker) == text, f"{worker} serves {text}")


@pytest.fixture
def worked_on(project: Project) -> Project:
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "workers").mkdir()
    for name, text in {"shared.js": SHARED, "plain.js": PLAIN, "typed.ts": TYPED}.items():
        (project.root / "workers" / name).write_text(text)
    return project


@contextmanager
def following(project: Project, *words: str, terminal: bool = True) -> Iterator[Dev]:
    main, side = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [str(ROOT / ".venv" / "bin" / "inferstack"), "dev", *words],
        cwd=project.root,
        stdin=side if terminal else subprocess.DEVNULL,
        stdout=side,
        stderr=side,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(side)
    dev = Dev(project, process, main)
    threading.Thread(target=_read, args=(main, dev.said), daemon=True).start()
    try:
        dev.says("a save goes live")
        yield dev
    finally:
        process.terminate()
        process.wait(timeout=60)
        os.close(main)


def _read(terminal: int, said: list[str]) -> None:
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return
        said.append(data.decode(errors="replace"))


def runs_of_the_engine(project: Project) -> int:
    history = project.root / ".inferstack" / "pulumi" / ".pulumi" / "history"
    return len(list(history.rglob("*.history.json")))


def test_a_save_is_live_at_once_and_the_state_follows(worked_on: Project) -> None:
    with following(worked_on) as dev:
        before = runs_of_the_engine(worked_on)
        assert (dev.get("plain"), dev.get("typed")) == ("one nobody", "one")
        dev.says("asked")  # its log
        dev.save("workers/shared.js", SHARED.replace("one", "two"))
        dev.serves("plain", "two nobody")
        assert runs_of_the_engine(worked_on) == before
        assert "live plain (" in dev.text
        dev.says("state saved")
        assert runs_of_the_engine(worked_on) == before + 1
        worked_on.run("preview", "dev", "--expect-no-changes")
        dev.save("workers/typed.ts", TYPED.replace('"one"', '"three"'))
        dev.serves("typed", "three")
        assert dev.get("plain") == "two nobody"
        dev.press("q")  # before the state has followed
        assert dev.process.wait(timeout=60) == 0
    worked_on.run("preview", "dev", "--expect-no-changes")


def test_errors_stay_until_they_are_mended_and_the_code_of_before_serves_on(worked_on: Project) -> None:
    with following(worked_on) as dev:
        dev.save("workers/typed.ts", TYPED.replace(";", " +;"))
        dev.says("workers/typed.ts:1:")
        dev.save("workers/plain.js", "export default {")
        at = dev.says("worker `plain`: Uncaught SyntaxError")
        dev.save("stacks/dev.yaml", STACK.replace("workers:", "wokers:"))
        at = dev.says("unknown key `wokers`", at)
        assert (dev.get("plain"), dev.get("typed")) == ("one nobody", "one")
        dev.save("stacks/dev.yaml", STACK)
        dev.save("workers/plain.js", PLAIN.replace("nobody", "somebody"))
        dev.serves("plain", "one somebody")
        dev.save("workers/typed.ts", TYPED)
        dev.says("mended", at)
        dev.says("state saved", at)
    worked_on.run("preview", "dev", "--expect-no-changes")


def test_what_changes_resources_is_the_engines(worked_on: Project) -> None:
    with following(worked_on) as dev:
        dev.save("stacks/dev.yaml", STACK.replace("plain.js, ", "plain.js, vars: { NAME: you }, "))
        dev.serves("plain", "one you")
        at = dev.says("state saved")
        more = '  more: { source: workers/plain.js, compatibility_date: "2026-06-01" }\n'
        dev.save("stacks/dev.yaml", STACK + more)
        at = dev.says("state saved", at)
        dev.until(lambda: dev.get("more") == "one nobody" and "more GET" in dev.text[at:], "more has a log, too")
        dev.save("stacks/dev.yaml", STACK + more + "# a comment alone\n")
        dev.save("workers/shared.js", SHARED.replace("one", "two"))
        dev.serves("more", "two nobody")
        dev.says("state saved", at)
    worked_on.run("preview", "dev", "--expect-no-changes")


def test_a_save_while_the_engine_runs_is_what_stays(worked_on: Project) -> None:
    with following(worked_on) as dev:
        dev.save("stacks/dev.yaml", STACK.replace("plain.js, ", "plain.js, vars: { NAME: you }, "))
        dev.says("the engine runs")
        for word in ("two", "three", "four"):
            dev.save("workers/shared.js", SHARED.replace("one", word))
            time.sleep(0.4)
        dev.serves("plain", "four you")
        at = dev.says("state saved")
        dev.says("state saved", at)  # of the code that came while the first ran
        assert dev.get("plain") == "four you"
    worked_on.run("preview", "dev", "--expect-no-changes")


def test_a_stack_that_was_taken_down_meanwhile_comes_back_by_a_key(worked_on: Project) -> None:
    with following(worked_on) as dev:
        worked_on.run("down", "dev", "--yes")
        dev.save("workers/shared.js", SHARED.replace("one", "two"))
        dev.says("the local Cloudflare of stack `dev` does not run")
        dev.press("u")
        dev.says("state saved")
        dev.serves("plain", "two nobody")
        dev.press("c")
        dev.says("dev: ok")
        dev.press("o")
        dev.says("console: http://127.0.0.1:")


def test_a_first_run_that_fails_is_mended_by_a_save(worked_on: Project) -> None:
    (worked_on.root / "workers" / "plain.js").write_text("export default {")
    with following(worked_on) as dev:
        dev.says("the stack is not up: see above")
        dev.save("workers/plain.js", PLAIN)
        dev.says("state saved")
        dev.serves("plain", "one nobody")
    worked_on.run("preview", "dev", "--expect-no-changes")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_command_runs_beside_and_ends_with_it(worked_on: Project, tmp_path: Path, sign: signal.Signals) -> None:
    mark = tmp_path / "pid"
    command = f'echo $$ > {mark}; echo "asks $INFERSTACK_URL_PLAIN and \'$0"; sleep 1000'
    with following(worked_on, "--with", command) as dev:
        dev.says("asks http://127.0.0.1:")
        pid = int(mark.read_text())
        dev.process.send_signal(sign)
        assert dev.process.wait(timeout=60) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_without_a_terminal_each_news_is_a_line(worked_on: Project) -> None:
    with following(worked_on, terminal=False) as dev:
        dev.save("workers/plain.js", PLAIN + "x(")
        dev.says("SyntaxError")
        dev.save("workers/plain.js", PLAIN)
        dev.says("mended")
        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(timeout=60) == 0
        assert "\x1b" not in "".join(dev.said)


def test_a_stack_on_cloudflare_is_refused(project: Project) -> None:
    said = project.run("dev", "prod", code=2)
    assert "`dev` follows stacks on the local Cloudflare" in said
    assert "fix:" in said
