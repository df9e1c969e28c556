"""What all models of the language share: strictness, and the kinds of names."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$")]
BindingName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]  # of what `env` holds
Location = Literal["wnam", "enam", "weur", "eeur", "apac", "oc"]
# A name on Cloudflare that the project does not choose; which signs it may have, the product says.
ExactName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$")]
SOURCES = "env:[A-Za-z_][A-Za-z0-9_]*|file:.+|command:.+|config:.+"  # where a secret's value is read from
SecretSource = Annotated[str, Field(pattern=f"^({SOURCES})$")]
SecretReference = Annotated[str, Field(pattern=f"^({SOURCES}|store:[A-Za-z0-9_-]+)$")]

# Pydantic looks for plugins in every installed package: 8 ms of each start for what nobody here has.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class StrictModel(BaseModel):
    """Built at the first validation, all in one; instances as defaults would build theirs at import."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)
