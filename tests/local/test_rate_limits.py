"""The rate limit binding: what is counted, and what is refused in which words (source: miniflare 4.20260426.0)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { times = 1, given } = await request.json(), told = [];
  for (let i = 0; i < times; i++) {
    told.push(await env.RATE.limit(given).then((answer) => answer.success, (error) => error.message));
  }
  return Response.json(told);
} };"""


@pytest.fixture(scope="module")
def told(cloudflare: Api) -> Any:
    binding = {"type": "ratelimit", "name": "RATE", "namespace_id": "9", "simple": {"limit": 2, "period": 60}}
    deploy(cloudflare, "rates", CODE, [binding])
    return lambda **asked: cloudflare.worker("rates", "POST", "/", json=asked).json()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "invalid rate limit options"),
        ("x", "invalid rate limit options"),
        ({"key": 5}, "invalid key: 5"),
        ({"key": "a", "other": 1}, "bad rate limit options: [other]"),
        ({"key": "a", "limit": "x"}, "limit must be a number: x"),
        ({"key": "a", "period": 5}, "unsupported period: 5"),
    ],
    ids=str,
)
def test_what_is_refused(told: Any, given: Any, words: str) -> None:
    assert told(given=given) == [words]


def test_a_call_may_have_a_limit_of_its_own(told: Any) -> None:
    assert sum(told(times=5, given={"key": "own", "limit": 4})) == 4
    assert told(given={"key": "none", "limit": 0}) == [False]
    assert sum(told(times=5, given={"key": "usual"})) == 2
