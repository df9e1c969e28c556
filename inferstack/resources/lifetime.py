"""The mark of an ephemeral stack: the parent of everything in it, from its first update on."""

from __future__ import annotations

from typing import ClassVar

import pulumi


class Ephemeral(pulumi.ComponentResource):
    """Everything below it belongs to an environment for a while, and `inferstack ephemeral down` may destroy it.

    A parent is part of every child's URN: what was made without the mark cannot come under it without being replaced,
    so that a stack is ephemeral from birth or never.
    """

    token: ClassVar[str] = "inferstack:index:Ephemeral"  # noqa: S105 - a type token

    def __init__(self, name: str, expires: str) -> None:
        super().__init__(self.token, name, {"expires": expires})
        self.register_outputs({"expires": expires})
