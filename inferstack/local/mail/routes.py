"""Mail on the wire: what the binding asks, and `/__local/mails`, where what was sent is read. Nothing leaves this machine."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._envelope import json_body, ok
from inferstack.local.mail.state import Mails, Refused

PATH = "/__local/mails"


async def mail_binding(mails: Mails, request: Request, allowed: str) -> Response:
    """`allowed` is JSON: the addresses that the binding takes, as `to` and `senders`."""
    try:
        return JSONResponse({"messageId": mails.send(await json_body(request), json.loads(allowed))})
    except Refused as refused:
        return JSONResponse({"error": str(refused)})


class MailsApi:
    """Of the local Cloudflare only."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def answer(self, request: Request) -> Response:
        """GET lists the newest 100, DELETE forgets them."""
        if request.method == "DELETE":
            self._mails.clear()
        return ok(self._mails.newest())
