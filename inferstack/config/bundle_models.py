"""How a Worker's own code is bundled. Words are wrangler's where it has the same."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from inferstack.config._base import BindingName, StrictModel

GLOB = re.compile(r"(\*\*/)?\*(\.[A-Za-z0-9]+)+")


def _by_suffix(glob: str) -> str:
    if not GLOB.fullmatch(glob):
        raise ValueError(f"`{glob}` must tell files by their end: `**/*.md`")
    return glob


class BundleRule(StrictModel):
    """Files that are imported as something else than code."""

    type: Literal["Text", "Data", "CompiledWasm"]
    globs: Annotated[list[Annotated[str, AfterValidator(_by_suffix)]], Field(min_length=1)]

    @property
    def suffixes(self) -> list[str]:
        return [glob.rpartition("*")[2] for glob in self.globs]


class AdditionalSpec(StrictModel):
    """Files that go up as modules of their own, for imports whose names are known at run time only."""

    directory: Annotated[str, Field(min_length=1)]
    globs: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = ["**/*.js", "**/*.mjs"]


class GlobalSpec(StrictModel):
    """A file's content as a global of the code, as service-worker syntax has it."""

    type: Literal["Text", "Data", "CompiledWasm"]
    file: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _by_suffix(self) -> GlobalSpec:
        if self.type == "CompiledWasm" and not self.file.endswith(".wasm"):
            raise ValueError(f"`{self.file}` must end in `.wasm`")
        return self


class BundleSpec(StrictModel):
    """Settings of the bundler, for code that needs one: TypeScript, packages, JSON, variables of the build."""

    define: dict[str, str] = {}
    alias: dict[str, str] = {}
    rules: list[BundleRule] = []
    tsconfig: str | None = None
    globals: dict[BindingName, GlobalSpec] = {}
    additional: AdditionalSpec | None = None
