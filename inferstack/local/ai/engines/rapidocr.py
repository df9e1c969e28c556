"""Words in images by PP-OCRv6, in a process of its own: what vision models and `toMarkdown` tell of an image.

Measured on two busy cores on 2026-11-27: ready in 1 s, 80 MB, 430 MB after a large image; 3 s for one of 600 by 160 pixels.
"""

from __future__ import annotations

from inferstack.local.ai.engines.apart import Apart, Kind
from inferstack.toolchain import IMAGES

KIND = Kind(program="rapidocr", packages=IMAGES, memory=2500, seconds=120)
ENGINE = IMAGES.engine
SURE = 0.5


def words(process: Apart, image: bytes) -> list[str]:
    """The lines, from the top. Raises `InferenceError`."""
    said, _ = process.ask({}, image)
    return [line for line, sure in zip(said["lines"], said["sure"], strict=True) if sure >= SURE and line.strip()]
