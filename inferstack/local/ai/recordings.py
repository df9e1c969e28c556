"""Recorded inferences: request and answer as files fit for git, answered again byte for byte.

A file's name follows from model, form and inputs, so that a request has one. Headers are not kept; keys in texts are masked,
long values (images, audio) stand as their hash. A stream is kept as the pieces it came in, and only when it was whole.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inferstack.local.ai.account import Account
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.shapes import Answer

MODES = ("off", "record", "fill", "strict")
LONG = 4096  # characters of a text, or numbers in a list, that are kept as they are
SHOWN = 60  # characters of a value in a message
SECRET = re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|AKIA|eyJ)[-_.A-Za-z0-9]{16,}|(?<=Bearer )[-\w./+=~]{7,}\w")
Live = Callable[[], Awaitable[Answer]]
MISSING = object()


class Recordings:
    """Those of a folder. `strict` answers from it alone, `fill` records what is missing, `record` all anew."""

    def __init__(self, folder: Path, mode: str, account: Account | None = None) -> None:
        self.folder, self.mode, self._account = folder, mode, account
        self.count = self.missed = 0  # recorded, and not found, by this process

    async def run(self, name: str, form: str, inputs: dict[str, Any], live: Live) -> Answer:
        """`form` is own, openai or chat. Raises `InferenceError`."""
        request = {"model": name, "form": form, "inputs": _slim(inputs)}
        file = self.folder / _slug(name) / f"{_digest(request)[:20]}.json"
        if self.mode != "record":
            found = _read(file)
            if found is not None:
                return _answer(found)
        if self.mode == "strict":
            self.missed += 1
            raise InferenceError(400, 5006, self._miss(file, request))
        answer = await (self._account.run(name, form, inputs) if self._account else live())
        if answer.stream is not None:
            return replace(answer, stream=self._taped(answer.stream, file, request, answer))
        self._keep(file, request, answer, _kept(answer))
        return answer

    async def _taped(
        self, stream: AsyncIterator[bytes], file: Path, request: dict[str, Any], answer: Answer
    ) -> AsyncIterator[bytes]:
        pieces = []
        async for piece in stream:
            pieces.append(piece)
            yield piece
        self._keep(file, request, answer, {"chunks": [_text(piece) for piece in pieces]})

    def _keep(self, file: Path, request: dict[str, Any], answer: Answer, kept: dict[str, Any]) -> None:
        facts = {"version": 1, "recorded": datetime.now(UTC).date().isoformat(), "engine": answer.engine}
        shown = {**request, "inputs": _masked(request["inputs"])}
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(facts | shown | {"answer": kept, "usage": answer.usage}, indent=1) + "\n")
        partial.replace(file)
        self.count += 1

    def _miss(self, file: Path, request: dict[str, Any]) -> str:
        """With what differs from the nearest recording."""
        wanted = dict(_leaves({**request, "inputs": _masked(request["inputs"])}))
        nearest: tuple[int, Path, list[str]] | None = None
        for other in sorted(self.folder.glob("*/*.json")):
            found = _read(other)
            if found is None or found.get("model") != request["model"]:
                continue
            has = dict(_leaves({key: found.get(key) for key in request}))
            differ = [place for place in {**wanted, **has} if wanted.get(place, MISSING) != has.get(place, MISSING)]
            if nearest is None or len(differ) < nearest[0]:
                nearest = (len(differ), other, [_difference(place, wanted, has) for place in differ[:3]])
        head = f"there is no recording of {request['model']} for this request ({file.parent.name}/{file.name})"
        if nearest is None:
            return f"{head}, and none of this model in {self.folder}; record it: inferstack record STACK"
        return f"{head}; the nearest, {nearest[1].parent.name}/{nearest[1].name}, differs in {'; '.join(nearest[2])}"


def _difference(place: str, wanted: dict[str, Any], has: dict[str, Any]) -> str:
    shown = [
        "nothing" if value is MISSING else json.dumps(value)[:SHOWN]
        for value in (wanted.get(place, MISSING), has.get(place, MISSING))
    ]
    return f"`{place}`: {shown[0]} instead of {shown[1]}"


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and value:
        for number, each in enumerate(value):
            yield from _leaves(each, f"{place}[{number}]")
    else:
        yield place, value


def _slim(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _slim(each) for key, each in value.items()}
    if isinstance(value, list):
        numbers = len(value) > LONG and all(isinstance(each, int | float) for each in value)
        return _hashed(value) if numbers else [_slim(each) for each in value]
    return _hashed(value) if isinstance(value, str) and len(value) > LONG else value


def _hashed(value: Any) -> dict[str, Any]:
    return {"sha256": _digest(value), "length": len(value)}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return SECRET.sub("<secret>", value) if isinstance(value, str) else value


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:80] or "model"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("answer"), dict) else None


def _kept(answer: Answer) -> dict[str, Any]:
    if answer.data is not None:
        return {"data": base64.b64encode(answer.data).decode(), "kind": answer.kind}
    return {"value": answer.value}


def _text(piece: bytes) -> str | dict[str, str]:
    """A border may lie within a character."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(piece).decode()}


def _answer(found: dict[str, Any]) -> Answer:
    kept, engine = found["answer"], f"recording of {found.get('engine') or found.get('recorded')}"
    if "chunks" in kept:
        return Answer(stream=_replayed(kept["chunks"]), usage=found.get("usage"), engine=engine)
    if "data" in kept:
        return Answer(data=base64.b64decode(kept["data"]), kind=kept.get("kind", "image/png"), engine=engine)
    return Answer(value=kept.get("value"), usage=found.get("usage"), engine=engine)


async def _replayed(chunks: list[Any]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk.encode() if isinstance(chunk, str) else base64.b64decode(chunk["base64"])
