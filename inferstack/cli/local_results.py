"""What `inferstack local …` prints with `--format json`, as types; and what all results have."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

One = Literal[1]


class Versioned(TypedDict):
    """All new results."""

    version: One


class LocalStatus(Versioned):
    """All but the first only while it runs. `ports`: of the Workers' own, by `<account>/<script>`; `answers`: who for what."""

    running: bool
    api: NotRequired[str]
    port: NotRequired[int]
    workers_answer: NotRequired[bool]
    trouble: NotRequired[str | None]
    ports: NotRequired[dict[str, int]]
    answers: NotRequired[list[dict[str, str]]]


class LocalPackages(Versioned):
    """Weights that can be had, or what was done with each; sizes in bytes."""

    packages: list[dict[str, Any]]


class Recorded(Versioned):
    """How many inferences."""

    recorded: int


class Stopped(Versioned):
    """Whether it ran."""

    stopped: bool


class Planned(Versioned):
    """How many faults."""

    planned: int


class Faults(Versioned):
    """Without the fields that say nothing."""

    faults: list[dict[str, Any]]


class Mails(Versioned):
    """Of Workers, newest first."""

    mails: list[dict[str, Any]]


class Snapshots(Versioned):
    """By name."""

    snapshots: list[str]
