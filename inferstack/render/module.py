"""Modules as they are uploaded, and what they were made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

JAVASCRIPT = "application/javascript+module"
TEXT, DATA, WASM = "text/plain", "application/octet-stream", "application/wasm"
# Files that are no code: by their end, unless a rule of `bundle:` says otherwise.
NO_CODE = {".txt": TEXT, ".html": TEXT, ".sql": TEXT, ".bin": DATA, ".wasm": WASM}
BY_RULE = {"Text": TEXT, "Data": DATA, "CompiledWasm": WASM}


@dataclass(frozen=True, slots=True)
class Module:
    """One: its name in imports, its bytes, and their kind."""

    name: str
    content: bytes
    content_type: str = JAVASCRIPT

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True, slots=True)
class Source:
    """Modules, the main one first, and the files of the project that they were made of."""

    modules: tuple[Module, ...]
    files: frozenset[Path] = frozenset()
