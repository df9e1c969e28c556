"""Text at the edges of HTTP: paths, header values, JSON and charsets, the same way for every product.

Python's servers read header values as Latin-1, and a decoded path no longer tells a `/` from a `%2F`; workerd writes UTF-8
bytes into headers and percent-encodes keys. What is half a character (a lone surrogate) becomes U+FFFD, as workerd writes it.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

SURROGATE = re.compile("[\ud800-\udfff]")
CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DEEPEST = 200  # levels of JSON; Python's reader gives up near 1,000, and its writer with it


def whole(text: str) -> str:
    """Text that UTF-8 can hold."""
    return SURROGATE.sub("\ufffd", text)


def text_of(data: bytes) -> str:
    """UTF-8 as workerd writes it: half characters stand in three bytes of their own. Raises ValueError."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        halves = data.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def any_text(data: bytes) -> str:
    """The same of any bytes at all."""
    try:
        return text_of(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def from_header(value: str) -> str:
    """A header's value as its sender wrote it: UTF-8, or Latin-1 where it is none."""
    try:
        return text_of(value.encode("latin-1", "replace"))
    except ValueError:
        return value


def to_header(value: str) -> str:
    """`value` such that its UTF-8 bytes go on the wire; a line break would end the header, so it is a space there."""
    return re.sub(r"[\r\n\0]", " ", whole(value)).encode().decode("latin-1")


def ascii_json(value: Any) -> str:
    """JSON in one line and ASCII: the form of it that every header carries."""
    return json.dumps(clean(value), separators=(",", ":"))


def routed_path(raw: bytes) -> str:
    """A path for routing, decoded segment by segment: an encoded slash separates nothing (`restored` takes it back)."""
    segments = raw.decode("latin-1").split("/")
    return "/".join(any_text(unquote_to_bytes(each)).replace("%", "%25").replace("/", "%2F") for each in segments)


def restored(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a path's parameters as they were meant."""
    return {k: v.replace("%2F", "/").replace("%25", "%") if isinstance(v, str) else v for k, v in parameters.items()}


def read_json(data: bytes | str) -> Any:
    """JSON as the standard has it; raises ValueError for NaN, numbers beyond a double, and what is nested too deeply."""
    text = data if isinstance(data, str) else text_of(data.removeprefix(codecs.BOM_UTF8))
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_integer)
        return clean(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def clean(value: Any, depth: int = 0) -> Any:
    """The same value with whole texts only."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [clean(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {whole(str(key)): clean(each, depth + 1) for key, each in value.items()}
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond the range of numbers")
    return value


def _integer(text: str) -> int | float:
    """Beyond 64 bits it is a double, as it is to JavaScript; SQLite holds no more."""
    value = int(text) if len(text) < 400 else _finite(text)
    return value if -(2**63) <= value < 2**63 else _finite(text)


def charset_of(kind: str) -> str | None:
    """What a media type says of its charset."""
    for part in kind.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None


def decoded(data: bytes, kind: str = "", *, html: bool = False) -> str:
    """Text by its mark, its charset, an HTML document's own word, then UTF-8. Raises ValueError."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return data.decode(name)
    meta = CHARSET.search(data[:4096]) if html else None
    named = charset_of(kind) or (meta[1].decode("ascii") if meta else None) or "utf-8"
    try:
        return data.decode(codecs.lookup(named).name)
    except LookupError:
        raise ValueError(f"the charset {named} is not known") from None
