"""What a queue's entry is made of, and its consumer's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from inferstack.config._base import ExactName, StrictModel


class ConsumerSpec(StrictModel):
    """The Worker that a queue's messages go to."""

    worker: str
    batch_size: Annotated[int, Field(ge=1, le=100)] = 10
    max_wait_ms: Annotated[int, Field(ge=0, le=60000)] = 5000
    max_retries: Annotated[int, Field(ge=0, le=100)] = 3
    retry_delay: Annotated[int, Field(ge=0, le=86400)] | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=250)] | None = None
    dead_letter: str | None = None


class QueueSpec(StrictModel):
    """A queue. `delivery_delay` and `retention` in seconds."""

    delivery_delay: Annotated[int, Field(ge=0, le=86400)] = 0
    retention: Annotated[int, Field(ge=60, le=1209600)] = 345600
    consumer: ConsumerSpec | None = None
    name: ExactName | None = None
    raw: dict[str, Any] = {}
