"""Cap'n Proto text, the form of workerd's configuration."""

from __future__ import annotations

from collections.abc import Iterable


def literal(value: str) -> str:
    """A string; Cap'n Proto has no \\u, so other characters are the bytes of their UTF-8."""
    out = []
    for byte in value.encode():
        char = chr(byte)
        out.append({'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(char, char if 32 <= byte < 127 else f"\\x{byte:02x}"))
    return '"' + "".join(out) + '"'


def joined(parts: Iterable[str]) -> str:
    return ",\n    ".join(parts)
