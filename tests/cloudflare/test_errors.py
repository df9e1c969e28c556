"""What a failed call of the API is told as: action, kind and name; Cloudflare's code and words; the next step."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from inferstack.cloudflare import ApiError
from inferstack.cloudflare.wording import PERMISSIONS, failed, unreachable

BODIES: dict[str, tuple[Any, tuple[int | None, str]]] = {
    "Cloudflare's envelope": ({"errors": [{"code": 3000, "message": "not found"}]}, (3000, "not found")),
    "the first of several": ({"errors": [{"code": 1, "message": "a"}, {"code": 2, "message": "b"}]}, (1, "a")),
    "AI Gateway's": ({"error": [{"code": 7, "message": "no"}]}, (7, "no")),
    "the envelope before the other": ({"errors": [{"code": 1}], "error": [{"code": 2}]}, (1, "")),
    "no errors": ({"errors": []}, (None, "")),
    "no code": ({"errors": [{"message": "no"}]}, (None, "no")),
}


def told(response: httpx.Response) -> tuple[int | None, str]:
    error = ApiError.of(response)
    return error.code, error.text


@pytest.mark.parametrize(("body", "wanted"), BODIES.values(), ids=BODIES)
def test_code_and_text_of_an_answer(body: Any, wanted: tuple[int | None, str]) -> None:
    assert told(httpx.Response(400, json=body)) == wanted


ODD = {"no JSON": "<html>bad gateway</html>", "a list": "[1]", "a text": '"oops"'}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_other_answer_is_its_own_text(text: str) -> None:
    assert told(httpx.Response(502, text=text)) == (None, text)


def test_a_long_answer_is_cut() -> None:
    assert told(httpx.Response(502, text="x" * 500)) == (None, "x" * 200)


def refused(status: int, code: int, kind: str = "D1 migrations") -> str:
    body = {"errors": [{"code": code, "message": "no"}]}
    return failed("apply", kind, "content", ApiError.of(httpx.Response(status, json=body)))


def test_a_failure_names_what_was_done_to_what() -> None:
    assert refused(400, 7500) == "cannot apply D1 migrations `content`: 400 Bad Request [7500] no"


@pytest.mark.parametrize(("status", "code"), [(401, 1), (403, 1), (400, 10000)])
def test_a_refused_token_is_told_with_what_it_needs(status: int, code: int) -> None:
    first, second = refused(status, code).split("\n")
    assert first.startswith(f"cannot apply D1 migrations `content`: {status} ")
    assert second == "  nothing was changed; the token in CLOUDFLARE_API_TOKEN needs `D1: Edit` on this account"


def test_a_kind_without_a_known_permission_is_told_too() -> None:
    text = "  nothing was changed; the token in CLOUDFLARE_API_TOKEN is not valid for this account"
    assert refused(403, 1, "thing").split("\n")[1] == text


def test_the_permissions_have_cloudflare_s_names() -> None:
    assert PERMISSIONS == {
        "KV seed": "Workers KV Storage: Edit",
        "Vectorize index": "Vectorize: Edit",
        "Vectorize metadata index": "Vectorize: Edit",
        "D1 migrations": "D1: Edit",
        "AI Gateway route": "AI Gateway: Edit",
        "AI Gateway custom provider": "AI Gateway: Edit",
        "AI Gateway policy": "AI Gateway: Edit",
        "AI Search namespace": "AI Search: Edit",
        "telemetry destination": "Workers Observability: Edit",
        "AI Gateway provider key": "AI Gateway: Edit and Secrets Store: Edit",
        "Secrets Store secret": "Secrets Store: Edit",
        "Durable Object migrations": "Workers Scripts: Read",
    }


def test_silence_says_that_the_command_can_go_on() -> None:
    assert unreachable("create", "Vectorize index", "docs", "https://api.example", "timed out") == (
        "cannot create Vectorize index `docs`: https://api.example does not answer (timed out)\n"
        "  what was done so far is in the state; run the same command again to go on"
    )
