"""Static assets of a Worker: a folder of files that Cloudflare serves, before the Worker's code or behind it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inferstack.catalog import asset_rules
from inferstack.config._base import BindingName, StrictModel


class SiteSpec(StrictModel):
    """Which files Workers Sites has: those of `include`, or all but those of `exclude`; patterns as in a .gitignore."""

    include: list[Annotated[str, Field(min_length=1)]] = []
    exclude: list[Annotated[str, Field(min_length=1)]] = []


class AssetsSpec(StrictModel):
    """Static assets. Words and defaults are wrangler's."""

    directory: Annotated[str, Field(min_length=1)]
    binding: BindingName | None = None
    html_handling: Literal["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"] | None = None
    not_found_handling: Literal["none", "404-page", "single-page-application"] | None = None
    run_worker_first: bool | list[str] | None = None
    site: SiteSpec | None = None

    @model_validator(mode="after")
    def _rules(self) -> AssetsSpec:
        if self.site is not None and (self.binding is None or self.html_handling != "none"):
            raise ValueError(
                "with `site` the files need a `binding`, and `html_handling: none`: the code asks for them"
            )
        if self.site is not None and self.run_worker_first is not True:
            raise ValueError("with `site` the code answers all requests: `run_worker_first: true`")
        if isinstance(self.run_worker_first, list):
            try:
                asset_rules.read_worker_first(self.run_worker_first)
            except ValueError as error:
                raise ValueError(f"`run_worker_first`: {error}") from None
        return self

    @property
    def config(self) -> dict[str, Any]:
        """What is said, by the names of the API."""
        return self.model_dump(include={"html_handling", "not_found_handling", "run_worker_first"}, exclude_none=True)
