"""What `gateway test` prints with `--format json`, as types."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from inferstack.cli.local_results import Versioned


class Refusal(TypedDict):
    """HTTP status and Cloudflare's code."""

    status: int
    code: int


class GatewayStep(TypedDict):
    """What a gateway does with a call, in its order; `refusal` is what it answers when it refuses.

    `depends`: only the day itself shows it, as with a limit.
    """

    what: str
    outcome: Literal["passes", "flags", "refuses", "depends", "leads away"]
    detail: str
    refusal: Refusal | None


class GatewayAnswer(TypedDict):
    """A model that may answer. `part` (0 to 1) of the calls reach it first; `usd` is one call's, null where nobody knows.

    `key`: of the provider. `here`: whether the environment variable of a kept key is set on this machine.
    """

    alias: str
    provider: str
    model: str
    when: Literal["first", "on failure", "above a limit"]
    part: float
    key: Literal["not needed", "kept", "paid by credits", "missing"]
    here: bool | None
    refusal: Refusal | None
    usd: float | None


class Tokens(TypedDict):
    """Of the call that is priced; `assumed` when the stack's `expect` says nothing."""

    input: float
    output: float
    assumed: bool


class GatewayTest(Versioned):
    """A call of a model, as it would go. `answered_by`: the aliases that answer, if nothing fails; none when refused."""

    stack: str
    model: str
    metadata: dict[str, str]
    gateway: str | None
    gateway_id: str | None
    route: str | None
    steps: list[GatewayStep]
    answers: list[GatewayAnswer]
    answered_by: list[str]
    refusal: Refusal | None
    priced_for: Tokens
