"""Assets over REST: a session for a manifest, then the files that are missing (facts `simulators.md`, Configuration)."""

from __future__ import annotations

import base64
import binascii

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok
from inferstack.local.assets.state import Assets

UNTYPED = "application/null"  # what wrangler says of a file whose type it does not know


class AssetsApi:
    """REST handlers."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def routes(self, account: str) -> list[Route]:
        session = f"{account}/workers/scripts/{{script_name}}/assets-upload-session"
        return [
            Route(session, self.open, methods=["POST"]),
            Route(f"{account}/workers/assets/upload", self.upload, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        token, buckets = self._assets.open(await json_body(request, 10021))
        return ok({"jwt": token, "buckets": buckets})

    async def upload(self, request: Request) -> Response:
        """Its token is the session's own. The last file brings the token that a version is made with."""
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        self._assets.session(token)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise ApiError(400, 10021, "Content-Type must be multipart/form-data")
        form = await request.form(max_files=1000, max_fields=1000, max_part_size=64 * 1024 * 1024)
        for key, value in form.multi_items():
            text = await value.read() if isinstance(value, UploadFile) else value.encode()
            kind = value.content_type if isinstance(value, UploadFile) else None
            self._assets.keep(token, key, _bytes(key, text, request), None if kind in (None, "", UNTYPED) else kind)
        done = self._assets.is_complete(token)
        return ok({"jwt": token} if done else {}, status=201 if done else 202)


def _bytes(key: str, text: bytes, request: Request) -> bytes:
    if request.query_params.get("base64") != "true":
        raise ApiError(400, 10021, "assets are sent as base64: `?base64=true`")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ApiError(400, 10021, f"the asset {key[:40]} is not base64") from None
