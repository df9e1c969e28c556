"""Words in images, read by PP-OCRv6 as RapidOCR runs it."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import Any

MOST_PIXELS = 40_000_000  # a small file can be a wall of a hundred times as many
Message = tuple[dict[str, Any], bytes]


def load(_: str) -> Callable[[dict[str, Any], bytes], Message]:
    image, numpy = importlib.import_module("PIL.Image"), importlib.import_module("numpy")
    reader = importlib.import_module("rapidocr").RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def answer(_: dict[str, Any], data: bytes) -> Message:
        try:
            with image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    size = f"{opened.width} by {opened.height} pixels, more than {MOST_PIXELS // 1_000_000} million"
                    return {"refused": f"the image has {size}"}, b""
                pixels = numpy.asarray(opened.convert("RGB"))[:, :, ::-1]
        except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as error:  # Pillow's, by its page
            return {"refused": f"the image cannot be read: {str(error).splitlines()[0][:120]}"}, b""
        found = reader(pixels)
        return {"lines": list(found.txts or ()), "sure": [float(each) for each in found.scores or ()]}, b""

    return answer
