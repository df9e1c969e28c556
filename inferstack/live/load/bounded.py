"""One load test from its bounds to what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inferstack.config import StackSpec
from inferstack.errors import ConfigError, UserError
from inferstack.live.load.asked import Asked, Wish, asked, most_requests
from inferstack.live.load.measured import Bounds, Run, run
from inferstack.live.load.verdict import Figures, figures
from inferstack.live.telemetry import Telemetry

SETTLED_SECONDS = 0.5  # until the last traces are there
MODEL = {"key": "gen_ai.request.model", "operation": "exists", "type": "string"}


@dataclass(frozen=True, slots=True)
class Result:
    """`run` has each answer."""

    asked: Asked
    run: Run
    figures: Figures


def load_test(
    stack: str, root: Path, wish: Wish, bounds: Bounds, budget: float | None, follow: Callable[[int], None]
) -> Result:
    """On Cloudflare only with a budget, and no more requests than it pays for. Raises `ConfigError`."""
    spec, what = asked(stack, root, wish)
    if spec.target != "local":
        _within(spec, what.worker, bounds, budget)
    began = time.time()
    found = run(what, bounds, follow)
    if not found.samples:
        raise UserError(f"{what.shown}: nothing was asked within {bounds.seconds:g} s")
    spent = _spent(stack, root, what.worker, began) if spec.target == "local" else None
    return Result(what, found, figures(found, spent))


def _within(spec: StackSpec, worker: str, bounds: Bounds, budget: float | None) -> None:
    if budget is None:
        fix = "--yes --budget USD, the most that it may cost; or test a stack with `target: local`"
        raise ConfigError(f"a load test on Cloudflare costs money\n  fix: {fix}")
    most = most_requests(spec, worker, budget)
    if bounds.requests + bounds.warm_up > most:
        fix = f"--requests {max(most - bounds.warm_up, 0)}, or a higher --budget"
        raise ConfigError(
            f"{budget:g} USD pay for {most} requests at their dearest, not for {bounds.requests}\n  fix: {fix}"
        )


def _spent(stack: str, root: Path, worker: str, began: float) -> float | None:
    """By the traces; None where none were kept."""
    time.sleep(SETTLED_SECONDS)
    with suppress(UserError):
        telemetry = Telemetry(stack, root, [worker])
        spent = telemetry.figures([], [("sum", "inferstack.cost_usd")], [MODEL], time.time() - began)
        return spent[()][0] if spent else None
    return None
