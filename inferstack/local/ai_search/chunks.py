"""Documents in parts of at most so many tokens, which share some with the part before, cut where a text has its joints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from inferstack.local.ai.embeddings import token_spans

# Best first: between paragraphs, at the end of a line, of a sentence, between words.
JOINTS = [re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?。！？])\s*", r"\s")]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes count in UTF-8, from the document's start."""

    text: str
    start_byte: int
    end_byte: int


def parts_of(text: str, size: int, overlap: int) -> Iterator[Part]:
    """`size` in tokens, `overlap` in percent of it. A text without any gives no part."""
    spans = token_spans(text)
    first, byte, at = 0, 0, 0
    while first < len(spans):
        begin = spans[first][0]
        after = min(first + size, len(spans))
        end = spans[after - 1][1] if after == len(spans) else _joint(text, begin, spans[after - 1][1])
        byte, at = byte + len(text[at:begin].encode()), begin
        part = text[begin:end]
        if part.strip():
            yield Part(part.strip(), byte, byte + len(part.encode()))
        if after == len(spans):
            return
        reached = next(n for n in range(after - 1, first - 1, -1) if spans[n][0] < end) + 1
        first = max(first + 1, reached - size * overlap // 100)


def _joint(text: str, begin: int, end: int) -> int:
    """Where to cut: the last of the best joints in the second half."""
    middle = (begin + end) // 2
    for joint in JOINTS:
        found = [match.end() for match in joint.finditer(text, middle, end) if match.end() > middle]
        if found:
            return found[-1]
    return end
