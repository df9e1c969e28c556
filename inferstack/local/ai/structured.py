"""What a model answers in JSON: an object by a schema, and the arguments of the tool it calls."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from inferstack.local.ai.embeddings import BASE_DIMENSIONS, embed
from inferstack.local.ai.extractive import SENTENCE, text_of, words_of
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.filling import Filling, Place, Source
from inferstack.local.ai.json_schema import BadSchema, Document, TooLong, Unmet

NUMBER = re.compile(r"(?<!\w)-?\d+(\.\d+)?|\d+(\.\d+)?")
LONE_NUMBER = re.compile(r"(?<![\w.-])-?\d+(\.\d+)?(?![\d-]|\.\d)")  # not in a date, a version, a name
MOST_SCHEMA, MOST_STARTS = 100_000, 50  # signs of a message in which a schema is looked for, and objects in them
MOST_SENTENCES, MOST_WORDS = 20, 100


def fill_schema(schema: Any, messages: list[dict[str, Any]]) -> Any:
    """A value that fits a JSON schema, with sentences, words and numbers of the user's text. Raises `InferenceError`."""
    try:
        return _filled(schema, _Conversation(messages))
    except BadSchema as error:
        raise InferenceError(400, 5006, f"Error: '/response_format': {error}") from error
    except (Unmet, TooLong) as error:
        raise InferenceError(400, 5025, f"JSON Mode couldn't be met: {error}") from error


def check_fits(schema: Any, value: Any = None, *, asked: bool = False) -> None:
    """Whether a value of another's making fits; `asked`: only whether the schema is one. Raises `InferenceError`."""
    try:
        document = Document(schema)
    except (BadSchema, TooLong) as error:
        raise InferenceError(400, 5006, f"Error: '/response_format': {error}") from error
    if not asked and not document.fits(document.root, value):
        text = f"JSON Mode couldn't be met: the answer misses `{document.missed(document.root, value)}` of the schema"
        raise InferenceError(400, 5025, text)


def told_schema(messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last JSON schema of an object that stands in the text, as clients put it there when only `json_object` is to be had."""
    decoder = json.JSONDecoder()
    for message in reversed(messages):
        text = text_of(message.get("content"))
        for start in itertools.islice(re.finditer(r"\{\s*\"", text[:MOST_SCHEMA]), MOST_STARTS):
            try:
                found, _ = decoder.raw_decode(text, start.start())
            except (ValueError, RecursionError):
                continue
            if found.get("type") == "object" and isinstance(found.get("properties"), dict):
                return dict(found)
    return None


def _filled(schema: Any, source: Source) -> Any:
    document = Document(schema)
    return Filling(document, source).value(document.root, Place())


def words(text: str) -> list[str]:
    """As they stand, and without the signs around them."""
    found = text.split(maxsplit=MOST_WORDS)[:MOST_WORDS]
    bare = (word.strip(".,;:!?()[]{}<>\"'“”‘’`") for word in found)
    return list(dict.fromkeys([*found, *bare]))


def numbers_of(text: str) -> list[float]:
    """Those that stand alone, then all."""
    found = [*LONE_NUMBER.finditer(text), *NUMBER.finditer(text)]
    return [float(match.group()) for match in found][:MOST_WORDS]


class _Conversation:
    """All that was said; values are taken from what the user said last."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self._messages = messages
        users = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
        self._text, self._spoken = users[-1] if users else "", " ".join(users)

    @cached_property
    def _sentences(self) -> list[str]:
        return [part.strip() for part in SENTENCE.split(self._text) if part.strip()] or [self._text]

    @cached_property
    def _vectors(self) -> Any:
        return embed(self._sentences, BASE_DIMENSIONS)

    @cached_property
    def _about(self) -> Any:
        return embed([" ".join(text_of(message.get("content")) for message in self._messages)], BASE_DIMENSIONS)[0]

    @cached_property
    def _words(self) -> list[str]:
        return words(self._text)

    def texts(self, wanted: str) -> Sequence[str]:
        near = self._vectors @ embed([wanted], BASE_DIMENSIONS)[0]
        sentences = [self._sentences[place] for place in np.argsort(-near, kind="stable")[:MOST_SENTENCES]]
        return [*sentences, *dict.fromkeys([*words(" ".join(sentences)), *self._words])]

    @cached_property
    def _numbers(self) -> list[float]:
        return numbers_of(self._spoken)

    def numbers(self) -> Sequence[float]:
        return self._numbers

    def ranked(self, names: Sequence[str]) -> Sequence[int]:
        near = embed(list(names), BASE_DIMENSIONS) @ self._about
        return sorted(range(len(names)), key=lambda place: (-float(near[place]), place))


@dataclass(frozen=True, slots=True)
class _Question:
    """Of which a tool's arguments are taken: a quoted text, a name, a number; else the question itself."""

    text: str

    def texts(self, wanted: str) -> Sequence[str]:  # noqa: ARG002 - a question is too short to look for something in it
        quoted = re.findall(r"[\"“]([^\"”]+)[\"”]", self.text)
        names = re.findall(r"(?<=[a-z,] )[A-Z][\w-]*(?: [A-Z][\w-]*)*", self.text)
        return [*quoted, *names, self.text, *words(self.text)]

    def numbers(self) -> Sequence[float]:
        return numbers_of(self.text)

    def ranked(self, names: Sequence[str]) -> Sequence[int]:
        said = words_of(self.text)
        return sorted(range(len(names)), key=lambda place: (-len(said & words_of(names[place])), place))


def choose_tool(tools: list[dict[str, Any]], messages: list[dict[str, Any]], *, forced: bool) -> dict[str, Any] | None:
    """`{name, arguments}` of the tool whose words the question shares most; None when it shares none."""
    question = text_of(next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), ""))
    wanted = words_of(question)

    def shared(tool: dict[str, Any]) -> int:
        return len(wanted & words_of(f"{tool.get('name', '')} {tool.get('description', '')}".replace("_", " ")))

    best = max(tools, key=shared, default=None)
    if best is None or (not forced and shared(best) == 0):
        return None
    parameters = {"type": "object"} | (best.get("parameters") or {})
    try:
        return {"name": best["name"], "arguments": _filled(parameters, _Question(question))}
    except (BadSchema, Unmet, TooLong) as error:
        raise InferenceError(400, 5006, f"Error: '/tools': parameters of '{best['name']}': {error}") from error
