"""Cases of a stack's suites as they are asked. Apart from the others: a provider judges without the language of stack files."""

from __future__ import annotations

import json

from inferstack.config import Case, StackSpec, Suite, embedding_models, parse_seconds, usual_request
from inferstack.judging.cases import Wanted


def wanted_of(spec: StackSpec, key: str, suite: Suite) -> list[Wanted]:
    """The cases as they are asked of a Worker that fits."""
    return [_wanted(spec, key, case) for case in suite.cases]


def _wanted(spec: StackSpec, key: str, case: Case) -> Wanted:
    text, body = usual_request(spec, key)
    if isinstance(body, dict) and "stream" in body:
        body = {**body, "stream": False}  # whole, unless a case says otherwise
    method, path = (case.request or text).split(" ", 1)
    given = case.body if case.body is not None else None if case.request else body
    near = None
    if case.similar is not None:
        alias = case.similar.model or embedding_models(spec)[0]
        near = (case.similar.to, case.similar.least, spec.models[alias].model)
    return Wanted(
        name=case.name,
        method=method,
        path=path,
        body=json.dumps(given) if given is not None else None,
        times=case.times,
        status=case.status,
        contains=tuple(case.contains),
        lacks=tuple(case.lacks),
        cites=tuple(case.cites),
        schema=case.schema_,
        near=near,
        within=parse_seconds(case.within) if case.within else None,
    )
