"""What `top`, `console` and `load-test` print with `--format json`, as types."""

from __future__ import annotations

from typing_extensions import TypedDict

from inferstack.cli.local_results import Versioned


class Link(Versioned):
    """A page of this machine, behind a link that is good once."""

    url: str


class WorkerFigures(TypedDict):
    """By the minute; latency in milliseconds."""

    worker: str
    requests: float
    errors: float
    p50: float
    p95: float


class ModelFigures(TypedDict):
    """By the minute; latency in milliseconds."""

    worker: str
    model: str
    calls: float
    p95: float
    tokens_in: float
    tokens_out: float
    usd: float


class Top(Versioned):
    """Of the last `seconds`."""

    seconds: float
    workers: list[WorkerFigures]
    models: list[ModelFigures]


class LoadTest(Versioned):
    """Times in seconds; null is not known. `first_*` are times to the first token."""

    stack: str
    worker: str
    request: str
    requests: int
    seconds: float
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None
    first_p50: float | None
    first_p95: float | None
    first_p99: float | None
    error_rate: float
    requests_per_second: float
    tokens_per_second: float | None
    usd_per_1000: float | None
    problems: dict[str, int]
    usd: float | None
    broken_thresholds: list[str]


class CaseResult(TypedDict):
    """How many of a case's answers were right; seconds of one, on average."""

    case: str
    right: int
    times: int
    seconds: float
    problems: list[str]


class SuiteResult(TypedDict):
    """`score` is the share of answers that were right, `least` what it must be."""

    suite: str
    worker: str
    score: float
    least: float
    passed: bool
    cases: list[CaseResult]


class Evaluated(Versioned):
    """Of `eval`."""

    stack: str
    passed: bool
    suites: list[SuiteResult]
