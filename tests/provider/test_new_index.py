"""A new Vectorize index is waited for as long as waiting can help."""

from __future__ import annotations

import time

import httpx
import pytest

from inferstack.cloudflare.client import Client
from inferstack.plugin.resource import Operation, PartialFailure, State
from inferstack.provider.vectorize_index import VectorizeIndex

ACCOUNT = "0123456789abcdef0123456789abcdef"
INPUTS = {"accountId": ACCOUNT, "name": "docs", "dimensions": 3, "metric": "cosine"}
MADE = {"name": "docs", "config": {"dimensions": 3, "metric": "cosine"}, "created_on": "2026-11-25T00:00:00Z"}


def create(answers: list[int]) -> tuple[State, list[str]]:
    """The index is made; `info` answers with each status in turn, the last one from then on."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"success": True, "result": MADE})
        asked.append(request.url.path.rsplit("/", 1)[1])
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        body = {"success": status < 400, "errors": [{"code": 10000, "message": "no"}], "result": {"dimensions": 3}}
        return httpx.Response(status, json=body)

    client = Client("http://127.0.0.1:1/client/v4", "token")
    client.http = httpx.Client(transport=httpx.MockTransport(answer))
    urn = "urn:pulumi:dev::p::inferstack:index:VectorizeIndex::docs"
    operation = Operation(urn=urn, client=client, account_id=ACCOUNT, deadline=time.monotonic() + 2)
    return VectorizeIndex().create(operation, INPUTS), asked


@pytest.mark.parametrize(
    ("status", "words"), [(403, "`Vectorize: Edit`"), (401, "`Vectorize: Edit`"), (400, "run `up`")]
)
def test_a_refusal_is_told_at_once(status: int, words: str) -> None:
    started = time.monotonic()
    with pytest.raises(PartialFailure, match=r"Vectorize index `docs` was created, but") as caught:
        create([status])
    assert time.monotonic() - started < 1
    assert f"{status} " in str(caught.value)
    assert words in str(caught.value)
    assert "nothing was changed" not in str(caught.value)
    assert (caught.value.identifier, caught.value.outputs["name"]) == ("docs", "docs")  # stays in the state


def test_what_is_not_there_yet_is_waited_for() -> None:
    state, asked = create([404, 410, 503, 200])
    assert state.identifier == "docs"
    assert asked == ["info"] * 4
