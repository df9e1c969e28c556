"""Limits of what models take, at the limit and one over: bounds of their own schemas, windows, batches. Sources: facts."""

from __future__ import annotations

from typing import Any

import pytest

from inferstack import catalog
from tests.conftest import Api

SMALL, FLUX, LUCID = (
    "@cf/meta/llama-3.2-3b-instruct",
    "@cf/black-forest-labs/flux-1-schnell",
    "@cf/leonardo/lucid-origin",
)
SDXL, BASE, OPEN = (
    "@cf/stabilityai/stable-diffusion-xl-base-1.0",
    "@cf/baai/bge-base-en-v1.5",
    "@cf/zai-org/glm-4.7-flash",
)
ASK: dict[str, Any] = {"prompt": "Hello"}
SAY: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}

BOUNDS: list[tuple[str, dict[str, Any], str | None]] = [
    (SMALL, {**ASK, "temperature": 5}, None),
    (SMALL, {**ASK, "temperature": 5.1}, "maximum of '/temperature' is 5"),
    (SMALL, {**ASK, "temperature": -0.1}, "minimum of '/temperature' is 0"),
    (SMALL, {**ASK, "max_tokens": 1}, None),
    (SMALL, {**ASK, "max_tokens": 0}, "minimum of '/max_tokens' is 1"),
    (SMALL, {**ASK, "top_p": 1}, None),
    (SMALL, {**ASK, "top_p": 1.1}, "maximum of '/top_p' is 1"),
    (SMALL, {**ASK, "top_k": 50}, None),
    (SMALL, {**ASK, "top_k": 51}, "maximum of '/top_k' is 50"),
    (SMALL, {**ASK, "seed": 9_999_999_999}, None),
    (SMALL, {**ASK, "seed": 0}, "minimum of '/seed' is 1"),
    (SMALL, {**ASK, "repetition_penalty": 2.1}, "maximum of '/repetition_penalty' is 2"),
    (SMALL, {**ASK, "frequency_penalty": -2.1}, "minimum of '/frequency_penalty' is -2"),
    (OPEN, {**SAY, "presence_penalty": 2}, None),
    (OPEN, {**SAY, "presence_penalty": 2.1}, "maximum of '/presence_penalty' is 2"),
    (OPEN, {**SAY, "n": 129}, "maximum of '/n' is 128"),
    (OPEN, {**SAY, "top_logprobs": 21}, "maximum of '/top_logprobs' is 20"),
    (FLUX, {"prompt": "c" * 2048, "steps": 8}, None),
    (FLUX, {"prompt": "c" * 2049}, "maxLength of '/prompt' is 2048"),
    (FLUX, {"prompt": "c", "steps": 9}, "maximum of '/steps' is 8"),
    (FLUX, {"prompt": ""}, "minLength of '/prompt' is 1"),
    (SDXL, {"prompt": "c", "width": 256, "height": 256, "num_steps": 20}, None),
    (SDXL, {"prompt": "c", "width": 255}, "minimum of '/width' is 256"),
    (SDXL, {"prompt": "c", "height": 2049}, "maximum of '/height' is 2048"),
    (SDXL, {"prompt": "c", "num_steps": 21}, "maximum of '/num_steps' is 20"),
    (LUCID, {"prompt": "c", "guidance": 10}, None),
    (LUCID, {"prompt": "c", "guidance": 10.5}, "maximum of '/guidance' is 10"),
    (LUCID, {"prompt": "c", "steps": 41}, "maximum of '/steps' is 40"),
    (BASE, {"text": ["a"] * 100}, None),
    (BASE, {"text": ["a"] * 101}, "maxItems of '/text' is 100"),
    (BASE, {"text": []}, "required properties at '/' are 'text'"),
]


@pytest.mark.parametrize(("model", "inputs", "said"), BOUNDS)
def test_what_a_model_takes(cloudflare: Api, model: str, inputs: dict[str, Any], said: str | None) -> None:
    answer = cloudflare.client.post(f"/ai/run/{model}", json=inputs)
    if said is None:
        assert answer.status_code == 200, answer.text
        return
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, 5006)
    assert said in error["message"]


@pytest.mark.parametrize("model", [SMALL, OPEN])
@pytest.mark.parametrize("over", [False, True], ids=["fits", "one over"])
def test_prompt_and_answer_share_the_window(cloudflare: Api, model: str, over: bool) -> None:
    found = catalog.find_model(model)
    assert found is not None
    assert found.context_window is not None
    asked = found.context_window - 1 + over  # the prompt is one token
    answer = cloudflare.client.post(f"/ai/run/{model}", json={**SAY, "max_tokens": asked})
    assert answer.is_success is not over, answer.text
    if over:
        assert str(found.context_window) in answer.json()["errors"][0]["message"]
