"""A suite, asked and judged: which cases are right, and what is wrong with the others."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inferstack.config import StackSpec, load_stack
from inferstack.engine.account import Account
from inferstack.errors import ConfigError
from inferstack.live.evals.answers import Answer, ask
from inferstack.live.evals.suites import Case, Similar, Suite, validator
from inferstack.live.load.asked import REQUEST, Asked, Door, Wish, door, usual

SHOWN = 160  # characters of a wrong answer
Follow = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a case: how many of its answers were right, and what was wrong with each other one."""

    case: str
    right: int
    times: int
    seconds: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Of a suite. `score` is the share of answers that were right."""

    suite: str
    worker: str
    least: float
    outcomes: tuple[Outcome, ...]

    @property
    def score(self) -> float:
        times = sum(each.times for each in self.outcomes)
        return sum(each.right for each in self.outcomes) / times if times else 0.0

    @property
    def passed(self) -> bool:
        return self.score >= self.least


def judge(stack: str, root: Path, suites: Mapping[Path, Suite], url: str | None, follow: Follow) -> list[Judged]:
    """By their files. `follow` hears how many answers there are. Raises `UserError`, before anything is asked."""
    spec = load_stack(stack, root)
    doors = {
        file: door(spec, stack, root, Wish(worker=suite.worker, secret=suite.secret, url=url))
        for file, suite in suites.items()
    }
    near = _Near(spec, root)
    for file, suite in suites.items():
        _complete(spec, doors[file], suite, file)
        for case in suite.cases:
            near.check(case.similar, file)
    count, found = 0, []
    with httpx.Client() as client:
        for file, suite in suites.items():
            outcomes = []
            for case in suite.cases:
                asked = _asked(spec, doors[file], case)
                answers = [ask(client, asked) for _ in range(case.times)]
                count += case.times
                follow(count)
                outcomes.append(_outcome(case, answers, near))
            found.append(Judged(file.stem, doors[file].worker, suite.least, tuple(outcomes)))
    return found


def _complete(spec: StackSpec, to: Door, suite: Suite, file: Path) -> None:
    text, _ = usual(spec, to.worker)
    lacking = [case.name for case in suite.cases if case.request is None and not text]
    if lacking:
        problem = f"{file}: it is not known what `{to.worker}` is asked in case `{lacking[0]}`"
        raise ConfigError(f"{problem}\n  fix: give its `request`, such as POST /path")


def _asked(spec: StackSpec, to: Door, case: Case) -> Asked:
    text, body = usual(spec, to.worker)
    if isinstance(body, dict) and "stream" in body:
        body = {**body, "stream": False}  # whole, unless a case says otherwise
    parts = REQUEST.match(case.request or text)
    assert parts is not None  # `_complete`, and the suite's own form
    given = case.body if case.body is not None else None if case.request else body
    return to.asked(parts[1], parts[2], json.dumps(given).encode() if given is not None else None)


def _outcome(case: Case, answers: list[Answer], near: _Near) -> Outcome:
    wrong = [problem for answer in answers if (problem := _wrong(case, answer, near))]
    seconds = sum(answer.seconds for answer in answers) / len(answers)
    return Outcome(case.name, len(answers) - len(wrong), len(answers), seconds, tuple(dict.fromkeys(wrong)))


def _wrong(case: Case, answer: Answer, near: _Near) -> str:
    """The first thing that is; empty for an answer that is right."""
    shown = json.dumps(answer.text[:SHOWN], ensure_ascii=False)
    if answer.problem:
        return answer.problem
    if answer.status != case.status:
        return f"status {answer.status} instead of {case.status}: {shown}"
    if answer.seconds > case.seconds:
        return f"came after {answer.seconds:.2f} s; {case.within} is the most"
    said = answer.text.casefold()
    if missing := [text for text in case.contains if text.casefold() not in said]:
        return f"lacks {json.dumps(missing[0], ensure_ascii=False)}: {shown}"
    if found := [text for text in case.lacks if text.casefold() in said]:
        return f"has {json.dumps(found[0], ensure_ascii=False)}: {shown}"
    if missing := [name for name in case.cites if name not in answer.cited]:
        return f"does not cite `{missing[0]}`, but {', '.join(answer.cited) or 'nothing'}"
    if case.schema_ is not None and (why := _unfit(case.schema_, answer.data)):
        return why
    if case.similar is not None:
        score = near.score(case.similar, answer.text)
        if score < case.similar.least:
            return f"is {score:.2f} near to what is wanted; {case.similar.least:g} is the least: {shown}"
    return ""


def _unfit(schema: dict[str, Any], data: Any) -> str:
    error = next(iter(validator(schema).iter_errors(data)), None)
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.instance_path) or "the answer"
    return f"does not fit the schema at {where}: {error.message[:SHOWN]}"


class _Near:
    """Cosines of texts, by an embedding model of the stack: as the Workers have it, here or on Cloudflare."""

    def __init__(self, spec: StackSpec, root: Path) -> None:
        self._spec, self._root = spec, root
        self._account: Account | None = None
        self._known: dict[tuple[str, str], list[float]] = {}

    def check(self, wanted: Similar | None, file: Path) -> None:
        if wanted is not None:
            self._model(wanted, str(file))

    def score(self, wanted: Similar, text: str) -> float:
        model = self._model(wanted, "")
        one, other = self._embedded(model, wanted.to), self._embedded(model, text)
        product = sum(a * b for a, b in zip(one, other, strict=True))
        length = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other))
        return product / length if length else 0.0

    def _model(self, wanted: Similar, file: str) -> str:
        of = {alias: self._spec.model_of(alias) for alias in self._spec.models}
        embedding = [alias for alias, model in of.items() if model and model.dimensions]
        alias = wanted.model or next(iter(embedding), None)
        if alias not in embedding:
            given = f"`{alias}` is no embedding model of the stack" if alias else "the stack has no embedding model"
            fix = f"one of: {', '.join(embedding)}" if embedding else "declare one under `models:`"
            raise ConfigError(f"{file}: `similar`: {given}\n  fix: {fix}")
        return self._spec.models[str(alias)].model

    def _embedded(self, model: str, text: str) -> list[float]:
        if (model, text) not in self._known:
            self._account = self._account or Account(self._spec, self._root)
            result = self._account.call("POST", f"/ai/run/{model}", {"text": [text or " "]})
            self._known[model, text] = [float(number) for number in result["data"][0]]
        return self._known[model, text]
