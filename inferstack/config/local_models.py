"""`local:` in a stack file: the local Cloudflare of a stack with `target: local`, and who answers on it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inferstack.config._base import StrictModel

Engine = Literal["fast", "real"]
GGUF = r"\.gguf$"
ON_THIS_MACHINE = r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?(/[^#\s]*)?(#\S+)?$"


class LocalModels(StrictModel):
    """Which engine does which task of the local Cloudflare."""

    embeddings: Engine = "fast"
    rerank: Engine = "fast"
    speech: Engine = "fast"
    voice: Engine = "fast"
    images: Engine = "fast"
    sentiment: Engine = "fast"
    translation: Engine = "fast"


class LocalSpec(StrictModel):
    """The local Cloudflare of a stack with `target: local`."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8787
    api_port: Annotated[int, Field(ge=0, le=65535)] = 8788
    text_server: Annotated[str, Field(pattern=ON_THIS_MACHINE)] | None = None
    text: Annotated[str, Field(min_length=1, pattern=GGUF)] | None = None
    models: Engine | LocalModels | None = None
    replay: Literal["off", "fill", "strict"] = "off"

    @property
    def real(self) -> tuple[str, ...] | None:
        """The tasks whose real engines answer; None where the stack says nothing."""
        if self.models is None:
            return None
        if isinstance(self.models, str):
            return tuple(LocalModels.model_fields) if self.models == "real" else ()
        return tuple(task for task, engine in self.models if engine == "real")
