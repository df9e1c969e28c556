"""Suites of cases asked of one version of a Worker, before it gets more of the traffic.

A suite as an input: name, least (share of answers that must be right), cases (JSON text, as `judging.cases` has them), and
optionally token (sent as a bearer token).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from inferstack.judging.cases import Outcome, Wanted, outcome, share
from inferstack.judging.nearness import Nearness
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Operation
from inferstack.provider._api import Api
from inferstack.provider._probe import Place

KIND = "evaluation"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one suite; `problem` is empty when enough answers were right."""

    text: str
    problem: str


def wrong_suites(suites: Any) -> list[CheckFailure]:
    failures = []
    for number, one in enumerate(suites if isinstance(suites, list) else []):
        cases = one.get("cases") if isinstance(one, dict) else None
        if cases is UNKNOWN:
            continue
        try:
            [Wanted.of(case) for case in json.loads(str(cases))]
        except (ValueError, TypeError, KeyError):
            failures.append(CheckFailure(f"suites[{number}].cases", "must be JSON text of cases"))
    return failures


def evaluate(place: Place, account: str, suites: list[dict[str, Any]], operation: Operation) -> list[Verdict]:
    """One after the other; the first that fails is the last that is asked."""
    import httpx  # 60 ms; a run without changes does not need it

    def embed(model: str, text: str) -> Any:
        api = Api(operation, "read", KIND, model)
        return api.call("POST", f"/accounts/{account}/ai/run/{model}", {"text": [text]})["result"]

    near, found = Nearness(embed), list[Verdict]()
    with httpx.Client() as client:
        for suite in suites:
            token = {"authorization": f"Bearer {suite['token']}"} if suite.get("token") else {}
            cases = [Wanted.of(case) for case in json.loads(suite["cases"])]
            outcomes = [outcome(client, place.base, {**place.headers, **token}, case, near) for case in cases]
            found.append(_verdict(suite, outcomes))
            if found[-1].problem:
                break
    return found


def _verdict(suite: dict[str, Any], outcomes: list[Outcome]) -> Verdict:
    score, least = share(outcomes), float(suite["least"])
    text = f"{KIND} `{suite['name']}`: {score:.0%} of {sum(each.times for each in outcomes)} answers right"
    if score >= least:
        return Verdict(text, "")
    first = next(each for each in outcomes if each.problems)
    return Verdict(text, f"{text}, {least:.0%} is the least; case `{first.case}`: {first.problems[0]}")
