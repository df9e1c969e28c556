"""What was used beside what was expected: the gap, and what makes it up, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inferstack.config import StackSpec
from inferstack.cost.usage import Call, Gap, Usage, gaps, price_of_call, sums

NOW = datetime(2026, 11, 27, tzinfo=UTC)
MODELS = {
    "m": {"provider": "openai", "model": "gpt-4o-mini", "gateway": "g"},  # 0.15 in, 0.60 out
    "idle": {"model": "@cf/meta/llama-3.2-3b-instruct"},
}
NAME = "openai/gpt-4o-mini"


def spec(**expect: dict[str, Any]) -> StackSpec:
    data = {"environment": "t", "models": MODELS, "gateways": {"g": {}}, "expect": {"models": expect}}
    return StackSpec.model_validate(data)


def usage(calls: list[Call], days: float = 10) -> Usage:
    return Usage("s", NOW - timedelta(days=days), NOW, calls)


def call(**more: Any) -> Call:
    return Call(at=NOW, **{"model": NAME, "tokens_in": 2000, "usd": 2000 * 0.15 / 1e6, **more})


def test_a_gap_is_made_of_calls_cache_and_size() -> None:
    expected = spec(m={"requests": 10, "input_tokens": 1000, "cache_hits": 0.5})
    # 10 days: 150 calls that the model answers, 50 from the cache; 20 a day instead of 10, with 2,000 tokens instead of 1,000
    [gap] = gaps(expected, usage([call()] * 150 + [call(cached=True, usd=0.0)] * 50))
    one = 1000 * 0.15 / 1e6
    assert gap.expected == pytest.approx(300 * 0.5 * one)
    assert gap.actual == pytest.approx(450 * 2 * one)  # 450 a month of 30 days
    assert gap.calls == pytest.approx((600 - 300) * 0.5 * one)  # more calls, as expected otherwise
    assert gap.cache == pytest.approx(600 * (0.5 - 0.25) * one)  # a quarter from the cache instead of half
    assert gap.size == pytest.approx(450 * one)  # twice as long
    assert gap.calls + gap.cache + gap.size == pytest.approx(gap.actual - gap.expected)
    assert gap.why == "20 calls a day instead of 10, 25% from the cache instead of 50%"


def test_what_only_one_side_has_is_said() -> None:
    expected = spec(idle={"requests": 100, "input_tokens": 1000})
    found = {gap.model: gap for gap in gaps(expected, usage([call()]))}
    assert found[NAME].why == "not expected: a fallback, a route, or a line that `expect` lacks"
    assert found["@cf/meta/llama-3.2-3b-instruct"] == Gap(
        "@cf/meta/llama-3.2-3b-instruct", pytest.approx(3 * 0.0509), 0.0, why="not used"
    )


def test_calls_without_a_price_are_counted_and_not_called_free() -> None:
    [gap] = gaps(spec(), usage([call(model="openai/gpt-unheard-of", usd=None), call(model="openai/gpt-unheard-of")]))
    assert gap.why == "1 of 2 calls have no known price, or no tokens in the log"


def test_a_few_minutes_are_a_day() -> None:
    few = usage([call(usd=1.0)], days=0.01)
    assert few.a_month(1.0) == pytest.approx(30)


def test_what_a_gateway_logged_counts_once() -> None:
    both = usage(
        [call(tenant="a", usd=2.0), call(tenant="a", route="/chat", usd=2.0, counted=False, logged_by="Worker")]
    )
    assert sum(each.usd or 0 for each in both.counted) == 2.0
    assert sums(both.calls, lambda each: each.route)["/chat"].usd == 2.0


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        (NAME, 0.15 + 0.6),
        ("@cf/meta/llama-3.2-3b-instruct", 0.0509 + 0.335),
        ("google-ai-studio/gemini-2.5-pro", 2.5 + 15),  # a million tokens are beyond 200,000
        ("openai/gpt-unheard-of", None),
        ("openai/whisper-1", None),  # by minutes, which a log does not have
    ],
)
def test_a_call_s_price_by_its_tokens(name: str, usd: float | None) -> None:
    found = price_of_call(spec(), name, 1_000_000, 1_000_000)
    assert found is None if usd is None else found == pytest.approx(usd)
