"""Durable Objects of a Worker: what `objects:` may hold.

One key declares the binding and what becomes of the class, as Cloudflare's own declarative `exports` does (wrangler since
2026-06-30), instead of an ordered list of `migrations` with tags: which migration is due follows from what the account
has, and nobody keeps a history by hand. As there, a class is never deleted by leaving a line out: its objects hold data,
so `deleted: true` has to say it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from inferstack.config._base import StrictModel

ClassName = Annotated[str, Field(pattern=r"^[A-Za-z_$][A-Za-z0-9_$]*$")]


class ObjectSpec(StrictModel):
    """A class of Durable Objects in `env`: one that this Worker's code exports, or one of another Worker of the stack."""

    class_name: ClassName
    worker: str | None = None
    storage: Literal["sqlite", "legacy-kv"] = "sqlite"
    renamed_from: ClassName | None = None
    transferred_from: str | None = None
    deleted: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> ObjectSpec:
        own = self.model_fields_set & {"storage", "renamed_from", "transferred_from", "deleted"}
        if self.worker is not None and own:
            raise ValueError(f"`{sorted(own)[0]}` is said where the class is: at the Worker `{self.worker}`")
        if self.deleted and own - {"deleted", "storage"}:
            raise ValueError("a class is `deleted`, or it comes from another name or Worker")
        return self

    @property
    def own(self) -> bool:
        """Whether the Worker's own code exports the class."""
        return self.worker is None and not self.deleted
