"""The suites that a rollout asks its new version, as inputs of its resource."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from inferstack.config import caller_secret, read_suite, wanted_of
from inferstack.resources.callers import caller_token
from inferstack.resources.context import Context

ANSWER_SECONDS = 60  # what one answer may take when the engine is told how long an update lasts


def suites_of(key: str, context: Context) -> list[dict[str, Any]]:
    spec = context.spec.workers[key]
    found = []
    for name in spec.rollout.evals if spec.rollout else []:
        suite = read_suite(context.root / name, context.root)
        cases = [case.plain() for case in wanted_of(context.spec, key, suite)]
        one = {"name": PurePath(name).stem, "least": suite.least, "cases": json.dumps(cases, ensure_ascii=False)}
        secret = caller_secret(context.spec, key, suite.secret)
        token = caller_token(context, key, secret, f"evaluation `{name}`") if secret else None
        found.append({**one, **({"token": token} if token is not None else {})})
    return found


def seconds_of(key: str, context: Context) -> int:
    """How long they may take in all: before the first step, and after the hold of each other one."""
    rollout = context.spec.workers[key].rollout
    if rollout is None:
        return 0
    answers = sum(read_suite(context.root / name, context.root).answers for name in rollout.evals)
    return answers * ANSWER_SECONDS * len(rollout.steps)
