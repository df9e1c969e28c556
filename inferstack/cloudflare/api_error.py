"""Answers of the API that refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import httpx  # 60 ms to import: a run without changes sends nothing


class Unreachable(Exception):
    """The API gave no answer; the text names the transport's error."""


class ApiError(Exception):
    """An answer that refuses: its HTTP status, Cloudflare's code where it gave one, and its text."""

    def __init__(self, status: int, reason: str, code: int | None, text: str) -> None:
        super().__init__(f"{status} {reason} [{code}] {text}")
        self.status, self.code, self.text = status, code, text

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """Of a failed answer in one of Cloudflare's two envelopes; any other is its own text."""
        code: int | None = None
        text = response.text[:200]
        try:
            body = response.json()
            error = (body.get("errors") or body.get("error") or [{}])[0]
            code, text = error.get("code"), str(error.get("message", ""))
        except (ValueError, AttributeError, IndexError, KeyError):
            pass
        return cls(response.status_code, response.reason_phrase, code, text)

    @property
    def not_there(self) -> bool:
        return self.status in (404, 410)

    @property
    def not_allowed(self) -> bool:
        """10000 is Cloudflare's `Authentication error`, which comes with other statuses, too."""
        return self.status in (401, 403) or self.code == 10000
