"""Images: a real PNG drawn from prompt and seed, the same bytes for the same request."""

from __future__ import annotations

import hashlib
import struct
import zlib

import numpy as np


def draw(prompt: str, seed: int, width: int, height: int) -> bytes:
    """PNG bytes, RGB: smooth colour waves whose frequencies come from the prompt's digest."""
    digest = hashlib.sha256(f"{seed}\0{prompt}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    channels = []
    for _ in range(3):
        a, b = generator.uniform(1, 9, 2)
        phase = generator.uniform(0, 6.28)
        channels.append((np.sin(a * x * 6.28 + phase) + np.cos(b * y * 6.28) + 2) * 63)
    pixels = np.stack(channels, axis=-1).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
