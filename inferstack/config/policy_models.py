"""Rules of an organisation over its stacks: how severe each is here, and who is excepted, by whom, until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from inferstack.config._base import StrictModel

Rule = Literal["public-worker", "private-logs", "shared-cache", "pinned-model", "jurisdiction", "protect", "budget"]
Severity = Literal["error", "warning", "off"]


def _real_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None
    return text


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_real_date)]


Age = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}(h|d)$")]


class ExceptionSpec(StrictModel):
    """One resource that a rule does not hold for, until a day."""

    rule: Rule
    resource: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z0-9-]+)?$")]
    owner: Annotated[str, Field(min_length=1)]
    expires: Day
    reason: Annotated[str, Field(min_length=1)]


class PolicySpec(StrictModel):
    """Without a word a rule is an error in an environment with `production: true`, and off in any other."""

    severity: dict[Rule, Severity] = {}
    private_data: bool = False
    jurisdiction: Literal["eu", "fedramp", "us"] | None = None
    secret_age: Age | None = None
    exceptions: list[ExceptionSpec] = []
