"""Values of environment variables kept out of what is said: `${NAME}` may hold a token, wherever it was written."""

from __future__ import annotations

import json
import re

SHORT = 8  # characters; what is shorter is hidden only where it stands quoted, or every `1` of a message would go
QUOTED = re.compile(r"`[^`]*`")


class Hidden:
    """The values by their names."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]):
            if form:
                self._names.setdefault(form, name)

    def conceal(self, text: str) -> str:
        """The text with each value, and each beginning of one that was cut off, as `${NAME}`."""
        for value in sorted(self._names, key=len, reverse=True):
            shown = "${" + self._names[value] + "}"
            text = _without(text, value, shown) if len(value) >= SHORT else _quoted_without(text, value, shown)
        return text


def _without(text: str, value: str, shown: str) -> str:
    start = text.find(value[:SHORT])
    while start >= 0:
        end = start + SHORT
        while end < len(text) and end - start < len(value) and text[end] == value[end - start]:
            end += 1
        if end - start == len(value) or text[end : end + 1] == "…":  # else it only begins alike, as addresses do
            text = text[:start] + shown + text[end:]
            end = start + len(shown)
        start = text.find(value[:SHORT], end)
    return text


def _quoted_without(text: str, value: str, shown: str) -> str:
    alone = re.compile(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])")
    return QUOTED.sub(lambda found: alone.sub(lambda _: shown, found.group()), text)
