"""What `inferstack prompts --format json` prints."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from inferstack.cli.local_results import Versioned


class LivePrompt(TypedDict):
    """`version` of the prompt is null where that version of the Worker does not carry it."""

    worker: str
    percent: float
    worker_version: str
    version: str | None


class OnePrompt(TypedDict):
    """`here` is the version of this checkout, `open` the variables that the Worker fills in."""

    prompt: str
    here: str
    text: str
    open: list[str]
    live: list[LivePrompt]


class PastPrompt(TypedDict):
    """Since `at` it took most of the traffic."""

    at: str
    worker: str
    worker_version: str
    version: str
    text: str


class Prompts(Versioned):
    """`history` is there when one prompt is named."""

    stack: str
    prompts: list[OnePrompt]
    history: NotRequired[list[PastPrompt]]
