"""One request to a gateway and its answer, and what the data plane refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inferstack.local.ai.run import Answer
from inferstack.local.ai_gateway.dynamic import Routed


def is_external(model: str) -> bool:
    """Whether a model's name begins with a provider: `openai/gpt-4.1-mini`. Workers AI's begin with `@`."""
    return "/" in model and not model.startswith(("@", "dynamic/"))


class GatewayError(Exception):
    """What the data plane answers: HTTP status, code, text, and headers beside the usual ones."""

    name = "AiGatewayError"

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Blocked(GatewayError):
    """By a guard: of the request, or of its answer. It stands in the log."""


class Denied(Blocked):
    """By a policy. Cloudflare's answer has no code; `env.AI` shows the status in its place."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(status, status, message)
        self.body = {"success": False, "error": {"message": message, **more}}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: where to, what with, and the settings it brings."""

    gateway: str
    provider: str
    model: str
    endpoint: str
    inputs: dict[str, Any]
    options: dict[str, Any]
    headers: dict[str, str]
    billed: bool = False  # by Cloudflare, so that no key of the provider is needed
    openai: bool = False  # in OpenAI's form, whatever the model's own is


@dataclass(frozen=True, slots=True)
class Done:
    """Its answer, the id of its log entry, what the cache had to do with it, and what guards say of it."""

    routed: Routed
    log: str
    cache: str | None  # HIT or MISS; None when nothing of it is kept
    guarded: dict[str, str]

    @property
    def answer(self) -> Answer:
        return self.routed.answer

    @property
    def headers(self) -> dict[str, str]:
        """Facts `api.md`, AI Gateway, response headers."""
        return {"cf-aig-log-id": self.log, **self.guarded} | ({"cf-aig-cache-status": self.cache} if self.cache else {})
