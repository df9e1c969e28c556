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
from inferstack.local.ai.faults import InferenceError

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
MOST_VALUES = 10_000  # of one JSON answer; a real model ends at its tokens, long before
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


def fill_schema(schema: dict[str, Any], messages: list[dict[str, Any]]) -> Any:
    """A value that fits a JSON schema as far as this model can, with sentences and numbers of the user's text.

    Raises `InferenceError` where it would be too long: lists of `minItems` in lists would fill the memory.
    """
    return _Filling(messages).value(schema, "", 1)


@dataclass(slots=True)
class _Filling:
    messages: list[dict[str, Any]]
    left: int = MOST_VALUES

    def value(self, schema: dict[str, Any], name: str, times: int) -> Any:
        """`times` is how often it stands in the answer."""
        self.left -= times + len(schema.get("enum", ()))
        if self.left < 0:
            raise InferenceError(400, 5025, "JSON Mode couldn't be met")
        if "enum" in schema:
            return _closest([str(v) for v in schema["enum"]], schema["enum"], self.messages)
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        if kind == "object":
            return {key: self.value(inner, key, times) for key, inner in schema.get("properties", {}).items()}
        if kind == "array":
            number = max(1, int(schema.get("minItems", 1)))
            return [self.value(schema.get("items", {}), name, times * number)] * number
        return self.leaf(kind, schema, name)

    def leaf(self, kind: Any, schema: dict[str, Any], name: str) -> Any:
        if kind in ("number", "integer"):
            return _number(schema, self.messages, kind == "integer")
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        text = _sentence(f"{name} {schema.get('description', '')}", self.messages)
        return text[: int(schema.get("maxLength", 2000))]


def _sentence(wanted: str, messages: list[dict[str, Any]]) -> str:
    """The sentence of the user's text that is nearest to what is wanted."""
    text = next((text_of(m.get("content")) for m in reversed(messages) if m.get("role") == "user"), "")
    sentences = [part.strip() for part in SENTENCE.split(text) if part.strip()] or [text]
    vectors = embed([wanted, *sentences], BASE_DIMENSIONS)
    return sentences[int(np.argmax(vectors[1:] @ vectors[0]))]


def choose_tool(tools: list[dict[str, Any]], messages: list[dict[str, Any]], *, forced: bool) -> dict[str, Any] | None:
    """`{name, arguments}` of the tool whose words the question shares most; None when it shares none."""
    question = text_of(next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), ""))
    wanted = _words(question)

    def shared(tool: dict[str, Any]) -> int:
        return len(wanted & _words(f"{tool.get('name', '')} {tool.get('description', '')}".replace("_", " ")))

    best = max(tools, key=shared, default=None)
    if best is None or (not forced and shared(best) == 0):
        return None
    properties = (best.get("parameters") or {}).get("properties") or {}
    return {"name": best["name"], "arguments": {key: _argument(s, question) for key, s in properties.items()}}


def _argument(schema: dict[str, Any], question: str) -> Any:
    """A value out of the question: a quoted text, a name, a number; else the question itself."""
    if "enum" in schema:
        words = _words(question)
        return max(schema["enum"], key=lambda value: len(words & _words(str(value))))
    if schema.get("type") in ("number", "integer"):
        found = re.search(r"-?\d+(\.\d+)?", question)
        value = float(found.group()) if found else float(schema.get("default", 1))
        return int(value) if schema["type"] == "integer" else value
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "array":
        return [_argument(schema.get("items") or {}, question)]
    if schema.get("type") == "object":
        return {key: _argument(inner, question) for key, inner in (schema.get("properties") or {}).items()}
    quoted = re.search(r"[\"“]([^\"”]+)[\"”]", question)
    names = re.findall(r"(?<=[a-z,] )[A-Z][\w-]*(?: [A-Z][\w-]*)*", question)
    return quoted.group(1) if quoted else names[0] if names else question


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


def _words(text: str) -> set[str]:
    return {w.rstrip("s") for w in WORD.findall(text.lower()) if w not in STOP_WORDS}


def _best(question: str, passages: list[Passage]) -> int | None:
    """The place of the passage that fits best by meaning and by shared words, None if none fits."""
    wanted = _words(question)
    if not passages or not wanted:
        return None
    vectors = embed([question, *(p.text for p in passages)], BASE_DIMENSIONS)
    overlap = np.array([len(wanted & _words(p.text)) / len(wanted) for p in passages], dtype=np.float32)
    scores = vectors[1:] @ vectors[0] + overlap
    best = int(np.argmax(scores))
    return best if float(scores[best]) >= LEAST_SCORE else None


def _closest(names: list[str], values: list[Any], messages: list[dict[str, Any]]) -> Any:
    vectors = embed([" ".join(text_of(m.get("content")) for m in messages), *names], BASE_DIMENSIONS)
    return values[int(np.argmax(vectors[1:] @ vectors[0]))]


def _number(schema: dict[str, Any], messages: list[dict[str, Any]], whole: bool) -> float | int:
    texts = " ".join(text_of(m.get("content")) for m in messages if m.get("role") == "user")
    found = re.search(r"-?\d+(\.\d+)?", texts)
    value = float(found.group()) if found else 0.0
    value = min(max(value, schema.get("minimum", value)), schema.get("maximum", value))
    return int(value) if whole else value
