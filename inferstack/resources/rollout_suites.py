"""The suites that a rollout asks its new version, as inputs of its resource."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from inferstack.config import Suite, caller_secret, read_suite
from inferstack.judging.wanted import wanted_of
from inferstack.resources.callers import caller_token
from inferstack.resources.context import Context

ANSWER_SECONDS = 60  # what one answer may take when the engine is told how long an update lasts


def suites_of(key: str, context: Context) -> dict[str, Suite]:
    """By their files."""
    rollout = context.spec.workers[key].rollout
    return {name: read_suite(context.root / name, context.root) for name in (rollout.evals if rollout else ())}


def inputs_of(key: str, context: Context, suites: dict[str, Suite]) -> list[dict[str, Any]]:
    found = []
    for name, suite in suites.items():
        cases = [case.plain() for case in wanted_of(context.spec, key, suite)]
        one = {"name": PurePath(name).stem, "least": suite.least, "cases": json.dumps(cases, ensure_ascii=False)}
        secret = caller_secret(context.spec, key, suite.secret)
        token = caller_token(context, key, secret, f"evaluation `{name}`") if secret else None
        found.append({**one, **({"token": token} if token is not None else {})})
    return found


def seconds_of(suites: dict[str, Suite], steps: int) -> int:
    """How long they may take in all: before the first step, and after the hold of each other one."""
    return sum(suite.answers for suite in suites.values()) * ANSWER_SECONDS * steps
