"""One module as it is uploaded."""

from __future__ import annotations

from dataclasses import dataclass

JAVASCRIPT = "application/javascript+module"


@dataclass(frozen=True, slots=True)
class Module:
    """Its name in imports, its bytes, and their kind."""

    name: str
    content: bytes
    content_type: str = JAVASCRIPT

    @property
    def text(self) -> str:
        return self.content.decode()
