"""JSON of files that people or other programs wrote: what the standard has, and nothing that only Python reads."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any


class Written(float):
    """A number with a fraction or an exponent; `text` is as it was written."""

    text: str

    def __new__(cls, text: str) -> Written:
        made = super().__new__(cls, text)
        if not math.isfinite(made):
            raise ValueError(f"{text} is beyond the range of numbers")
        made.text = text
        return made


def read_json(text: str) -> Any:
    """Raises ValueError also for NaN, numbers beyond a double, half a character, and what is nested too deeply."""
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=Written, parse_int=_integer)
        if "\\u" in text:
            _whole(value)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def json_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers. JSON lets U+2028 and U+0085 stand in a text; `splitlines` would cut there."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _integer(text: str) -> int:
    if len(text) > 309:  # digits of the largest double
        raise ValueError(f"{text[:20]}… is beyond the range of numbers")
    return int(text)


def _whole(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise ValueError(f"{half} is half a character") from None
