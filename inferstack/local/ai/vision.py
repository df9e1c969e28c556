"""Images in: what can be said of one without knowing what it shows, its format, size and colours."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from inferstack.local.ai.faults import InferenceError

COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 160, 60),
    "blue": (40, 70, 200),
    "yellow": (220, 210, 60),
    "white": (240, 240, 240),
    "black": (20, 20, 20),
    "grey": (128, 128, 128),
}


def image_bytes(inputs: dict[str, Any]) -> bytes:
    image = inputs.get("image")
    if isinstance(image, list) and image and all(isinstance(b, int) and 0 <= b <= 255 for b in image):
        return bytes(image)
    raise InferenceError(400, 5006, "Error: required properties at '/' are 'image'")


def describe(data: bytes, words_in: Callable[[bytes], list[str]] = lambda _: []) -> str:
    """A sentence on format, size and, for PNG, the leading colour; and the words in it, where they are read."""
    kind, width, height, colour = _facts(data)
    tail = f", mostly {colour}" if colour else ""
    lines = words_in(data)
    return f"A {kind} image of {width} by {height} pixels{tail}." + (f" It reads: {'; '.join(lines)}" if lines else "")


def image_of(content: Any) -> bytes | None:
    """The image in a chat message, which comes as a data URL."""
    for part in content if isinstance(content, list) else []:
        url = str((part.get("image_url") or {}).get("url", "")) if isinstance(part, dict) else ""
        if url.startswith("data:"):
            try:
                return base64.b64decode(url.partition(",")[2], validate=True)
            except ValueError:
                raise InferenceError(400, 5006, "Error: 'image_url' is no base64") from None
    return None


def _facts(data: bytes) -> tuple[str, int, int, str | None]:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 33:
        width, height = struct.unpack(">II", data[16:24])
        return "PNG", width, height, _png_colour(data, width)
    if data.startswith(b"\xff\xd8"):
        at = 2
        while at + 9 < len(data):
            marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            if 0xC0 <= marker <= 0xC3:
                height, width = struct.unpack(">HH", data[at + 5 : at + 9])
                return "JPEG", width, height, None
            at += 2 + length
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP", *_webp_size(data), None
    raise InferenceError(400, 5006, "Error: 'image' is no PNG, JPEG or WebP")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Of its first chunk: lossy (a VP8 key frame), lossless, or extended. Raises `InferenceError`."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    raise InferenceError(400, 5006, "Error: 'image' is a WebP that cannot be read")


def _png_colour(data: bytes, width: int) -> str | None:
    """Of unfiltered RGB, 8 bit, as the local image models draw it; None for others."""
    if data[24:26] != b"\x08\x02":
        return None
    packed, at = b"", 8
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    try:
        rows = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(-1, 1 + 3 * width)
    except (zlib.error, ValueError):
        return None
    if rows[:, 0].any():
        return None
    mean = rows[:, 1:].reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(mean - np.array(COLOURS[name])).sum()))
