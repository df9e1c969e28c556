"""Who may open the console: a link that is good once leaves a cookie; pages run no script but the console's own.

A cookie proves that its holder had the account's token, from which it is made: it outlives the process, as the token does.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from inferstack.local._guard import READS, is_local

ROOT = "/console"
COOKIE = "inferstack-console"
LINK_SECONDS = 3600
DAYS = 30
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without a referrer a form says `Origin: null`
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
CLOSED = """This is the console of a local Cloudflare, and it opens with a link that is good once.
For a new one: inferstack console
"""
Page = Callable[[Request], Awaitable[Response]]


class Door:
    """`token_of` tells the token of an account, or None of one that is not there."""

    def __init__(self, token_of: Callable[[str], str | None]) -> None:
        self._token_of = token_of
        self._links: dict[str, tuple[str, float]] = {}

    def link(self, account: str) -> str:
        """The path and query of a link for an account; it is good for an hour."""
        now = time.time()
        self._links = {code: each for code, each in self._links.items() if each[1] > now}
        code = secrets.token_urlsafe(24)
        self._links[code] = (account, now + LINK_SECONDS)
        return f"{ROOT}/?code={code}"

    def account(self, request: Request) -> str | None:
        """Whose console the caller may see."""
        account, _, proof = request.cookies.get(COOKIE, "").partition(".")
        token = self._token_of(account)
        known = token is not None and hmac.compare_digest(proof.encode(), _proof(token).encode())
        return account if known else None

    def refusal(self, request: Request) -> Response | None:
        """Of who has another name for this machine, comes from another page, or brings no cookie."""
        origin = request.headers.get("origin")
        host = request.headers.get("host", "")
        if not is_local(host):
            return closed("The Host header names another machine.\n", 403)
        if origin is not None and request.method not in READS and urlsplit(origin).netloc != host:
            return closed("Requests of other pages are not taken.\n", 403)
        return None if self.account(request) else closed(CLOSED, 401)

    def enter(self, request: Request) -> Response | None:
        """For a link that is good: the cookie, and the same page without the code. None when there is no code."""
        code = request.query_params.get("code")
        if code is None or not is_local(request.headers.get("host", "")):
            return None
        account, until = self._links.pop(code, ("", 0.0))
        token = self._token_of(account)
        if token is None or until < time.time():
            return None if self.account(request) else closed(CLOSED, 401)
        answer = RedirectResponse(f"{ROOT}/", 303, HEADERS)
        seconds = DAYS * 86_400
        answer.set_cookie(COOKIE, f"{account}.{_proof(token)}", seconds, path=ROOT, httponly=True, samesite="strict")
        return answer


def closed(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, HEADERS)


def _proof(token: str) -> str:
    return hmac.new(token.encode(), b"console", hashlib.sha256).hexdigest()
