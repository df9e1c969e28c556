"""What a model takes at most: bounds of its inputs, and its context window."""

from __future__ import annotations

from typing import Any

from inferstack import catalog
from inferstack.local.ai.faults import InferenceError

DEFAULT_MAX_TOKENS = 256


def check_bounds(model: catalog.Model, inputs: Any) -> None:
    """Raises `InferenceError` with the place and the bound; numbers that are no numbers are for others to refuse."""
    if not isinstance(inputs, dict):
        return
    for name, bounds in catalog.bounds_of(model).items():
        value = inputs.get(name)
        for keyword, bound in bounds.items():
            size = _size(value, keyword)
            if size is not None and (size < bound if keyword.startswith("min") else size > bound):
                raise InferenceError(400, 5006, f"Error: {keyword} of '/{name}' is {bound:g}, got {size:g}")


def _size(value: Any, keyword: str) -> float | None:
    if keyword.endswith("Length"):
        return len(value) if isinstance(value, str) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def check_context(model: catalog.Model, inputs: dict[str, Any], prompt_tokens: int) -> None:
    """Prompt and answer must fit the model's window together. Raises `InferenceError`."""
    window = model.context_window
    asked = inputs.get("max_tokens") or inputs.get("max_completion_tokens")
    if asked and (isinstance(asked, bool) or not isinstance(asked, int | float) or not abs(asked) < 2**53):
        raise InferenceError(400, 5006, "Error: Type mismatch of '/max_tokens', 'integer' not in value")
    total = prompt_tokens + int(asked or DEFAULT_MAX_TOKENS)
    if window is None or total <= window:
        return
    if model.input_style == "openai":
        raise InferenceError(
            400,
            5006,
            f"AiError: This model's maximum context length is {window} tokens. However, you requested {total - prompt_tokens} "
            f"output tokens and your prompt contains at least {prompt_tokens} input tokens, for a total of at least {total} "
            "tokens. Please reduce the length of the input prompt or reduce max_tokens.",
        )
    estimated = f"The estimated number of input and maximum output tokens ({total})"
    raise InferenceError(413, 5021, f"{estimated} exceeded this model context window limit ({window}).")
