"""How a Worker's new version goes live: requests that it must answer, shares of the traffic, when to go back."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from inferstack.config._base import BindingName, StrictModel
from inferstack.errors import ConfigError

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
Duration = Annotated[str, Field(pattern=r"^[0-9]{1,6}(ms|s|m|h|d)$")]
LONGEST_HOLD = 86400.0  # seconds; an update that runs longer than a day is better two updates


def seconds(duration: str) -> float:
    """`10m` is 600."""
    number, unit = re.findall(r"^([0-9]+)([a-z]+)$", duration)[0]
    return int(number) * UNITS[unit]


def parse_seconds(text: str) -> float:
    """The same for what a person typed. Raises `ConfigError`."""
    if not re.fullmatch(r"[0-9]{1,6}(ms|s|m|h|d)", text):
        raise ConfigError(f"`{text[:40]}` is no length of time\n  fix: such as 30s, 10m, 24h or 7d")
    return seconds(text)


def _rising(steps: list[int]) -> list[int]:
    if steps != sorted(set(steps)) or steps[-1] != 100:
        raise ValueError(f"steps rise and end with 100, not {', '.join(map(str, steps))}")
    return steps


def _hold(text: str) -> str:
    if seconds(text) > LONGEST_HOLD:
        raise ValueError("a step is held for at most 24h")
    return text


class SmokeSpec(StrictModel):
    """A request that the Worker must answer right after each deployment, else it has failed and the version before is back."""

    request: Annotated[str, Field(pattern=r"^(GET|POST|PUT|DELETE) /\S*$")]
    body: dict[str, Any] | list[Any] | None = None
    token: BindingName | None = None
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str | None = None
    stream: bool = False
    within: Duration | None = None


class AbortSpec(StrictModel):
    """What sends a new version back: failed checks before its first request, then the share that fails, then the time."""

    smoke: bool = True
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    p95: Duration | None = None


class RolloutSpec(StrictModel):
    """Shares of the traffic in percent, one after the other, each held while the new version is checked."""

    steps: Annotated[
        list[Annotated[int, Field(ge=1, le=100)]], Field(min_length=1, max_length=20), AfterValidator(_rising)
    ] = [5, 25, 100]
    hold: Annotated[Duration, AfterValidator(_hold)] = "10m"
    checks: list[SmokeSpec] = []
    evals: list[Annotated[str, Field(min_length=1)]] = []
    abort_on: AbortSpec = Field(default_factory=AbortSpec.model_construct)

    @property
    def seconds(self) -> float:
        """How long all holds take; the last step is not held."""
        return (len(self.steps) - 1) * seconds(self.hold)
