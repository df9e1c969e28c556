"""The token of an account is one, whoever asks for it first."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path
from typing import Any

from inferstack.local import token_of

ROUNDS, PROCESSES = 150, 4


def _ask(home: Path, together: Any, answers: Any) -> None:
    found = []
    for number in range(ROUNDS):
        together.wait(30)
        try:
            found.append(token_of(home / str(number)))
        except OSError as error:
            found.append(repr(error))
    answers.put(found)


def test_processes_that_make_the_token_at_once_have_the_same(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    together, answers = context.Barrier(PROCESSES), context.Queue()
    asking = [context.Process(target=_ask, args=(tmp_path, together, answers)) for _ in range(PROCESSES)]
    for process in asking:
        process.start()
    found = [answers.get(timeout=60) for _ in asking]
    for process in asking:
        process.join()
    for number, tokens in enumerate(zip(*found, strict=True)):
        assert set(tokens) == {(tmp_path / str(number) / "token").read_text()}
        assert tokens[0].startswith("local-")
    assert [file.name for file in (tmp_path / "0").iterdir()] == ["token"]
    assert stat.S_IMODE((tmp_path / "0" / "token").stat().st_mode) == 0o600
