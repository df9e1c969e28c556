"""What is kept of Workers' logs and traces, and where it is sent to by OTLP."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inferstack.config._base import Name, SecretReference, StrictModel

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$")]
Sample = Annotated[float, Field(gt=0, le=1)]


class DestinationSpec(StrictModel):
    """An endpoint of OTLP over HTTP, as OpenTelemetry collectors and their like have; its headers are secrets."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$")]
    sends: Literal["traces", "logs"] = "traces"
    headers: dict[HeaderName, SecretReference] = {}


class KeptSpec(StrictModel):
    """Of logs, or of traces."""

    sample: Sample = 1
    keep: bool = True
    to: list[Name] = []


class ObservabilitySpec(StrictModel):
    """What is left out is not kept."""

    logs: KeptSpec | bool = False
    traces: KeptSpec | bool = False

    def part(self, name: Literal["logs", "traces"]) -> KeptSpec | None:
        """None for one that is off."""
        found: KeptSpec | bool = getattr(self, name)
        return KeptSpec() if found is True else found or None
