"""What came of evaluations: a table for people, a document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferstack.live.evals.judged import Judged
from inferstack.text import paint, table


def as_text(found: Sequence[Judged]) -> str:
    lines = []
    for suite in found:
        state = paint("passed", "green") if suite.passed else paint("failed", "red", "bold")
        head = f"{suite.suite} ({suite.worker}): {suite.score:.0%} right, {suite.least:.0%} is the least: {state}"
        rows = [("CASE", "RIGHT", "SECONDS", "")]
        rows += [
            (each.case, f"{each.right}/{each.times}", f"{each.seconds:.2f}", "; ".join(each.problems))
            for each in suite.outcomes
        ]
        lines += [head, *table(rows), ""]
    return "\n".join(lines).rstrip()


def document(stack: str, found: Sequence[Judged]) -> dict[str, Any]:
    suites = [
        {
            "suite": suite.suite,
            "worker": suite.worker,
            "score": round(suite.score, 4),
            "least": suite.least,
            "passed": suite.passed,
            "cases": [
                {
                    "case": each.case,
                    "right": each.right,
                    "times": each.times,
                    "seconds": round(each.seconds, 3),
                    "problems": list(each.problems),
                }
                for each in suite.outcomes
            ],
        }
        for suite in found
    ]
    return {"version": 1, "stack": stack, "passed": all(suite.passed for suite in found), "suites": suites}
