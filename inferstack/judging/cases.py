"""A case as it is asked and judged: one request, and what its answer must be. As plain JSON it goes into a rollout's inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferstack.judging.answers import Answer, ask

if TYPE_CHECKING:
    import httpx

SHOWN = 160  # characters of a wrong answer
Score = Callable[[str, str, str], float]  # by a model: how near two texts are


@dataclass(frozen=True, slots=True)
class Wanted:
    """`body` is JSON text, `within` seconds, `near` (text, least cosine, name of an embedding model)."""

    name: str
    method: str
    path: str
    body: str | None = None
    times: int = 1
    status: int = 200
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    near: tuple[str, float, str] | None = None
    within: float | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Wanted:
        """From what `plain` made."""
        lists = {name: tuple(document.get(name) or ()) for name in ("contains", "lacks", "cites")}
        near = document.get("near")
        return cls(**{**document, **lists, "near": (near[0], near[1], near[2]) if near else None})

    def plain(self) -> dict[str, Any]:
        """Without what is as usual."""
        empty = Wanted("", "", "")
        names = list(self.__dataclass_fields__)
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value != getattr(empty, name)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a case: how many of its answers were right, and what was wrong with each other one."""

    case: str
    right: int
    times: int
    seconds: float
    problems: tuple[str, ...]


def share(outcomes: list[Outcome] | tuple[Outcome, ...]) -> float:
    """Of the answers that were right, 0 to 1."""
    times = sum(each.times for each in outcomes)
    return sum(each.right for each in outcomes) / times if times else 0.0


def outcome(client: httpx.Client, base: str, headers: dict[str, str], case: Wanted, score: Score) -> Outcome:
    """Asked as often as it says, one after the other."""
    kind = {"content-type": "application/json"} if case.body is not None else {}
    body = case.body.encode() if case.body is not None else None
    answers = [ask(client, case.method, base + case.path, {**headers, **kind}, body) for _ in range(case.times)]
    wrong = [problem for answer in answers if (problem := _wrong(case, answer, score))]
    seconds = sum(answer.seconds for answer in answers) / len(answers)
    return Outcome(case.name, len(answers) - len(wrong), len(answers), seconds, tuple(dict.fromkeys(wrong)))


def _wrong(case: Wanted, answer: Answer, score: Score) -> str:
    """The first thing that is; empty for an answer that is right."""
    shown = json.dumps(answer.text[:SHOWN], ensure_ascii=False)
    if answer.problem:
        return answer.problem
    if answer.status != case.status:
        return f"status {answer.status} instead of {case.status}: {shown}"
    if case.within is not None and answer.seconds > case.within:
        return f"came after {answer.seconds:.2f} s; {_duration(case.within)} is the most"
    said = answer.text.casefold()
    if missing := [text for text in case.contains if text.casefold() not in said]:
        return f"lacks {json.dumps(missing[0], ensure_ascii=False)}: {shown}"
    if found := [text for text in case.lacks if text.casefold() in said]:
        return f"has {json.dumps(found[0], ensure_ascii=False)}: {shown}"
    if missing := [name for name in case.cites if name not in answer.cited]:
        return f"does not cite `{missing[0]}`, but {', '.join(answer.cited) or 'nothing'}"
    if case.schema is not None and (why := _unfit(case.schema, answer.data)):
        return why
    if case.near is not None:
        to, least, model = case.near
        found_score = score(model, to, answer.text)
        if found_score < least:
            return f"is {found_score:.2f} near to what is wanted; {least:g} is the least: {shown}"
    return ""


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def _unfit(schema: dict[str, Any], data: Any) -> str:
    import jsonschema_rs  # 30 ms; few cases have a schema

    error = next(iter(jsonschema_rs.validator_for(schema).iter_errors(data)), None)
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.instance_path) or "the answer"
    return f"does not fit the schema at {where}: {error.message[:SHOWN]}"
