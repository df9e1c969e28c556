"""A suite, asked and judged: which cases are right, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from inferstack.config import StackSpec, Suite, load_stack, unfit
from inferstack.engine.account import Account
from inferstack.errors import ConfigError
from inferstack.judging.cases import Outcome, outcome, share
from inferstack.judging.nearness import Nearness
from inferstack.judging.wanted import wanted_of
from inferstack.live.load.asked import Wish, door

Follow = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """Of a suite. `score` is the share of answers that were right."""

    suite: str
    worker: str
    least: float
    outcomes: tuple[Outcome, ...]

    @property
    def score(self) -> float:
        return share(self.outcomes)

    @property
    def passed(self) -> bool:
        return self.score >= self.least


def judge(stack: str, root: Path, suites: Mapping[Path, Suite], url: str | None, follow: Follow) -> list[Judged]:
    """By their files. `follow` hears how many answers there are. Raises `UserError`, before anything is asked."""
    spec = load_stack(stack, root)
    doors = {
        file: door(spec, stack, root, Wish(worker=suite.worker, secret=suite.secret, url=url))
        for file, suite in suites.items()
    }
    for file, suite in suites.items():
        why = unfit(spec, doors[file].worker, suite)
        if why is not None:
            raise ConfigError(f"{file}: {why[0]}\n  fix: {why[1]}")
    near, count, found = Nearness(_embed(spec, root)), 0, []
    with httpx.Client() as client:
        for file, suite in suites.items():
            to, outcomes = doors[file], []
            for case in wanted_of(spec, to.worker, suite):
                outcomes.append(outcome(client, to.base, to.headers, case, near))
                count += case.times
                follow(count)
            found.append(Judged(file.stem, to.worker, suite.least, tuple(outcomes)))
    return found


def _embed(spec: StackSpec, root: Path) -> Callable[[str, str], Any]:
    """As the Workers have it, here or on Cloudflare."""
    account = cache(lambda: Account(spec, root))  # few suites need one
    return lambda model, text: account().call("POST", f"/ai/run/{model}", {"text": [text]})
