"""One `inferstack dev`: what happens is put in a row by a queue, and dealt with one after the other.

A save that changes only code is live by an upload (`code`). Whatever else a save changes is the engine's, which runs in
a process of its own. After uploads the engine runs, too, once it is quiet: Pulumi's state then knows what is live, so
that `preview` says no changes. A save meanwhile is uploaded at once, and again when the engine is done, which knew
the code of before.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from inferstack.author.check import check
from inferstack.change import deploy
from inferstack.config import StackSpec, load_stack
from inferstack.engine.account import Account
from inferstack.engine.addresses import client_environment
from inferstack.engine.notes import console_link
from inferstack.engine.runs import RunFailed
from inferstack.errors import ConfigError, UserError
from inferstack.live.dev import keys
from inferstack.live.dev.code import Code, needs_engine
from inferstack.live.dev.news import News
from inferstack.live.dev.processes import Process
from inferstack.live.dev.screen import Screen
from inferstack.live.dev.watching import Saved, Watch, concerns_engine
from inferstack.live.logs import Wanted
from inferstack.text import paint

QUIET_SECONDS = 2.0  # after the last save, before the engine brings the state along
LAST_LINES = 30  # of a run of the engine that failed


@dataclass(frozen=True, slots=True)
class Key:
    """Pressed."""

    name: str


@dataclass(frozen=True, slots=True)
class EngineEnded:
    """A run, with its last lines."""

    exit_code: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """That of `--with`."""

    exit_code: int


@dataclass(slots=True)
class _Engine:
    """What is to be run, runs, or went wrong; `behind` is whether uploads are ahead of the state."""

    process: Process | None = None
    started: float = 0.0
    wanted: bool = False
    behind: bool = False
    problem: str = ""
    uploaded: set[str] = field(default_factory=set)  # while it ran


class Session:
    """`run` returns when the user has had enough."""

    def __init__(self, stack: str, root: Path, screen: Screen, wanted: Wanted, command: str | None) -> None:
        self._stack, self._root, self._screen, self._wanted, self._command = stack, root, screen, wanted, command
        self._events: queue.Queue[Saved | Key | EngineEnded | CommandEnded] = queue.Queue()
        self._code, self._engine = Code(root), _Engine()
        self._spec: StackSpec | None = None
        self._account: Account | None = None  # kept: to find the local Cloudflare and its token takes 50 ms
        self._stack_problem = ""
        self._saved_at = 0.0

    def run(self) -> None:
        """Raises `UserError` when the stack cannot be had at all, such as for a port that is taken."""
        spec = load_stack(self._stack, self._root)
        if spec.target != "local":
            fix = f"set `target: local`, or write a local stack beside it; {self._stack} goes up by `inferstack up`"
            raise ConfigError(f"`dev` follows stacks on the local Cloudflare; `{self._stack}` is not one\n  fix: {fix}")
        try:
            deploy.up(self._stack, self._root)
        except RunFailed:
            self._engine.problem = "the stack is not up: see above\n  fix: mend it and save, or u to try again"
        self._spec = spec
        for sign in (signal.SIGTERM, signal.SIGHUP):  # whoever ends it, what runs beside ends with it
            signal.signal(sign, signal.default_int_handler)
        with ExitStack() as running:
            running.enter_context(self._screen)
            watch = Watch(self._root, self._events.put)
            running.callback(watch.stop)
            self._code.renew(spec)
            self._code.is_live()
            running.enter_context(keys.listening(lambda key: self._events.put(Key(key))))
            self._news = running.enter_context(News(self._stack, self._root, self._wanted, self._screen.line))
            self._news.of(list(spec.workers))
            self._companion(running, spec)
            self._show()
            self._screen.line(paint(f"watching {self._root.name}/; a save goes live", "dim"))
            with suppress(KeyboardInterrupt):
                self._loop()
            self._leave()

    def _companion(self, running: ExitStack, spec: StackSpec) -> None:
        if self._command is None:
            return
        environment = {**os.environ, **client_environment(spec, self._root)}
        name = paint((self._command.split() or ["sh"])[0], "yellow")
        process = Process(
            ["/bin/sh", "-c", self._command],
            self._root,
            environment,
            lambda line: self._screen.line(f"{name} {line}"),
            lambda code: self._events.put(CommandEnded(code)),
        )
        running.callback(process.stop)

    def _loop(self) -> None:
        while True:
            try:
                event = self._events.get(timeout=0.25)
            except queue.Empty:
                self._when_quiet()
                continue
            if isinstance(event, Saved):
                self._saved(event)
            elif isinstance(event, EngineEnded):
                self._engine_ended(event)
            elif isinstance(event, CommandEnded):
                self._screen.line(f"the command of --with ended with {event.exit_code}")
            elif event.name == "q":
                return
            else:
                self._key(event.name)
            self._show()

    def _key(self, name: str) -> None:
        if name == "u":
            self._engine.wanted = True
        elif name == "l":
            self._screen.clear()
        elif name == "o" and self._spec is not None:
            with suppress(UserError):
                self._screen.line(f"console: {console_link(self._spec, self._root)}")
        elif name == "c":
            for line in check([self._stack], self._root).show("text").split("\n"):
                self._screen.line(line)

    def _saved(self, saved: Saved) -> None:
        self._saved_at = started = time.monotonic()
        try:
            spec = load_stack(self._stack, self._root)
        except UserError as error:
            self._stack_problem = str(error)
            return
        self._stack_problem = ""
        before, self._spec = self._spec, spec
        flags = self._code.flags()
        self._code.renew(spec, saved if before == spec else None)
        # What the last run of the engine left undone is undone still.
        resources = (
            bool(self._engine.problem)
            or before is None
            or needs_engine(before, spec)
            or concerns_engine(saved, spec, self._root)
        )
        if resources or (self._code.flags() != flags and not self._code.problems):
            self._engine.wanted = True
        else:
            self._upload(self._code.outdated(), started)

    def _upload(self, workers: list[str], started: float) -> None:
        assert self._spec is not None
        try:
            self._account = self._account or Account(self._spec, self._root)
        except UserError as error:  # somebody took the stack down
            self._engine.problem = f"{error}; or press u"
            return
        done = [key for key in workers if self._code.put_live(key, self._spec, self._account)]
        if len(done) < len(workers):
            self._account = None  # another process may answer the next time
        self._engine.uploaded.update(done)
        if done:
            self._engine.behind, self._engine.problem = True, ""
            shown = ", ".join(done) if len(done) <= 5 else f"{len(done)} Workers"
            self._screen.line(f"{paint('live', 'green')} {shown} ({time.monotonic() - started:.2f} s)")

    def _when_quiet(self) -> None:
        engine = self._engine
        if engine.process is not None:
            self._show()
            return
        quiet = time.monotonic() - self._saved_at > QUIET_SECONDS
        asked = engine.wanted and not (self._stack_problem or self._code.problems)
        if asked or (engine.behind and quiet and not self._broken()):
            self._start_engine()

    def _broken(self) -> bool:
        return bool(self._stack_problem or self._code.problems or self._code.refused)

    def _start_engine(self) -> None:
        engine, lines = self._engine, list[str]()
        if engine.wanted:
            self._screen.line(f"{paint('up', 'cyan')} {self._stack}: resources change")
        engine.wanted, engine.behind, engine.uploaded = False, False, set()
        engine.started = time.monotonic()
        self._show()
        engine.process = Process(
            [sys.executable, "-m", "inferstack.cli", "up", self._stack],
            self._root,
            os.environ,
            lines.append,
            lambda code: self._events.put(EngineEnded(code, lines[-LAST_LINES:])),
        )

    def _engine_ended(self, event: EngineEnded) -> None:
        engine, engine.process = self._engine, None
        if event.exit_code != 0:
            engine.problem = "\n".join([*event.lines, "  fix: mend it and save, or u to try again"])
            engine.behind = False  # not again and again: a save, or the key, starts the next
            return
        engine.problem, self._account = "", None  # it may have started the local Cloudflare anew
        seconds = time.monotonic() - engine.started
        self._screen.line(paint(f"state saved ({seconds:.1f} s)", "dim"))
        again = self._code.is_live(but=engine.uploaded)
        assert self._spec is not None
        self._news.of(list(self._spec.workers))
        if again:
            self._upload(again, time.monotonic())

    def _show(self) -> None:
        engine, count = self._engine, len(self._spec.workers) if self._spec else 0
        doing = f"{count} Worker{'s' if count != 1 else ''} live"
        if engine.process is not None:
            doing = f"the engine runs, {time.monotonic() - engine.started:.0f} s"
        elif engine.behind:
            doing += ", state follows"
        self._screen.state(f"{self._stack}: {doing}")
        found = {"stack": self._stack_problem, "engine": self._engine.problem}
        self._screen.problems(
            {**{key: text for key, text in found.items() if text}, **self._code.problems, **self._code.refused}
        )

    def _leave(self) -> None:
        """The state knows what is live before this ends; a second Ctrl-C leaves it as it is."""
        engine = self._engine
        if engine.process is None and engine.behind and not self._broken():
            self._start_engine()
        if engine.process is not None:
            self._screen.line("one moment: the engine takes what is live into the state")
            if engine.process.wait() == 0 and engine.uploaded:
                self._start_engine()
                engine.process.wait()
