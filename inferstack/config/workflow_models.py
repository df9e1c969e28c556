"""Workflows of a Worker: what `workflows:` may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from inferstack.config._base import StrictModel
from inferstack.config.object_models import ClassName

WORKFLOW_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"  # Cloudflare's, of at most 64 signs (limits.json, `workflows`)


class WorkflowSpec(StrictModel):
    """A workflow in `env`: a class that this Worker's code exports, or a workflow of another Worker of the stack."""

    class_name: ClassName
    worker: str | None = None
    name: Annotated[str, Field(pattern=WORKFLOW_NAME)] | None = None
    steps: Annotated[int, Field(ge=1, le=25_000)] | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> WorkflowSpec:
        own = self.model_fields_set & {"name", "steps"}
        if self.worker is not None and own:
            raise ValueError(f"`{sorted(own)[0]}` is said where the class is: at the Worker `{self.worker}`")
        return self
