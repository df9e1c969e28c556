"""A deterministic text model: it answers with the sentences of its context that fit the question best.

It honours what a test of an application needs: the system message's context, numbered sources (`[1] …` lines are
cited as `[1]`), `max_tokens`, and a JSON schema. It has no knowledge of its own and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from inferstack.local.ai.embeddings import BASE_DIMENSIONS, embed

LABEL = re.compile(r"^\s*\[(\d+)\]\s*")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])|\n+")
WORD = re.compile(r"[a-z0-9]+")
STOP_WORDS = frozenset(
    """
    a an and are as at be been but by can did do does for from had has have how i if in into is it its me my no
    not of on or our so than that the their them then there these they this to was we were what when where which
    who why will with would you your
    """.split()  # noqa: SIM905 - a list of words reads better so
)
TITLE = re.compile(r"^[^.!?:]{1,60}: ")
LEAST_SCORE = 0.35
LONGEST_INSTRUCTION = 300  # characters of a system message that is no context to answer from
UNKNOWN = "I can't find that in the context I was given."


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the context and the number of the source it stands in."""

    text: str
    label: str | None


def answer(messages: list[dict[str, Any]]) -> str:
    """The reply to the last user message, drawn from everything that stands before its question."""
    question, passages = _split(messages)
    best = _best(question, passages)
    if best is None and messages and messages[-1].get("role") == "tool":
        return text_of(messages[-1].get("content"))
    if best is None:
        context = [p for p in passages if p.label] or sum(len(p.text) for p in passages) > LONGEST_INSTRUCTION
        return UNKNOWN if context or not question else f"You said: {question}"
    chosen = [passages[best]]
    # What a sentence announces, the next one of the same source often says.
    if best + 1 < len(passages) and passages[best + 1].label == chosen[0].label:
        chosen.append(passages[best + 1])
    text = " ".join(p.text for p in chosen)
    return f"{text} [{chosen[0].label}]" if chosen[0].label else text


def text_of(content: Any) -> str:
    """A message's text; a list of parts is joined."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _split(messages: list[dict[str, Any]]) -> tuple[str, list[Passage]]:
    users = [i for i, m in enumerate(messages) if m.get("role") == "user"]
    last = users[-1] if users else len(messages) - 1
    question_text = text_of(messages[last].get("content")) if messages else ""
    blocks = [line for line in question_text.split("\n") if line.strip()]
    question = blocks[-1].strip() if blocks else ""
    question = re.sub(r"^(question|q|user)\s*:\s*", "", question, flags=re.IGNORECASE)
    before = [text_of(m.get("content")) for m in messages if m.get("role") in ("system", "tool")]
    return question, [p for text in [*before, "\n".join(blocks[:-1])] for p in _passages(text)]


def _passages(text: str) -> list[Passage]:
    """Sentences under a numbered source; a text without numbers counts whole, instructions to the model do not."""
    lines, label, found = text.split("\n"), None, []
    numbered = any(LABEL.match(line) for line in lines)
    for line in lines:
        match = LABEL.match(line)
        if match:
            label, line = match.group(1), TITLE.sub("", line[match.end() :])
        if numbered and label is None:
            continue
        found += [Passage(s.strip(), label) for s in SENTENCE.split(line) if len(WORD.findall(s.lower())) >= 4]
    return found


def words_of(text: str) -> set[str]:
    return {w.rstrip("s") for w in WORD.findall(text.lower()) if w not in STOP_WORDS}


def _best(question: str, passages: list[Passage]) -> int | None:
    """The place of the passage that fits best by meaning and by shared words, None if none fits."""
    wanted = words_of(question)
    if not passages or not wanted:
        return None
    vectors = embed([question, *(p.text for p in passages)], BASE_DIMENSIONS)
    overlap = np.array([len(wanted & words_of(p.text)) / len(wanted) for p in passages], dtype=np.float32)
    scores = vectors[1:] @ vectors[0] + overlap
    best = int(np.argmax(scores))
    return best if float(scores[best]) >= LEAST_SCORE else None
