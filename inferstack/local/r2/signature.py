"""Whether a request of S3 is signed with the account's key: AWS Signature Version 4, in the header `authorization`.

For what the simulator does not answer, and so does not check, and for what it is asked in another form.
Rules: docs.aws.amazon.com, "Authenticating requests: using the authorization header"; refusals:
developers.cloudflare.com/r2/api/error-codes (2025-12).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

ALGORITHM, UNSIGNED = "AWS4-HMAC-SHA256", "UNSIGNED-PAYLOAD"
PARTS = re.compile(
    rf"{ALGORITHM}\s+Credential=([^/,\s]+)/(\d{{8}})/([^/,\s]*)/s3/aws4_request,\s*"
    r"SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})"
)
SKEW = timedelta(minutes=15)


class Refused(Exception):
    """Status, S3's code and its text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


def check_signature(request: Request, body: bytes | None, key: dict[str, str]) -> None:
    """Raises `Refused` unless `key` signed this request, its body too; without a `body`, whatever it is."""
    found = PARTS.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise Refused(400, "InvalidArgument", "Authorization")
    who, day, region, signed, signature = found.groups()
    if not hmac.compare_digest(who.encode(), key["accessKeyId"].encode()):
        raise Refused(401, "Unauthorized", "Unauthorized")
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, day)
    names = signed.split(";")
    if "host" not in names or "x-amz-date" not in names:
        raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
    payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
    scope = f"{day}/{region}/s3/aws4_request"
    own = _signed(request, {name: _header(request, name) for name in names}, payload, scope, key)
    if not hmac.compare_digest(own, signature):
        text = "The request signature we calculated does not match the signature you provided."
        raise Refused(403, "SignatureDoesNotMatch", text)
    if body is not None and payload not in (UNSIGNED, hashlib.sha256(body).hexdigest()):
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise Refused(400, "XAmzContentSHA256Mismatch", text)


def _check_time(stamp: str, day: str) -> None:
    try:
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(400, "InvalidArgument", "x-amz-date") from None
    if abs(datetime.now(UTC) - sent) > SKEW or not stamp.startswith(day):
        text = "The difference between the request time and the server's time is too large."
        raise Refused(403, "RequestTimeTooSkewed", text)


def signed_anew(request: Request, key: dict[str, str]) -> dict[str, str]:
    """Headers that sign the same request with a body that is not told."""
    now = datetime.now(UTC)
    headers = {"host": request.headers["host"], "x-amz-content-sha256": UNSIGNED}
    headers["x-amz-date"] = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now:%Y%m%d}/auto/s3/aws4_request"
    told = f"{ALGORITHM} Credential={key['accessKeyId']}/{scope}, SignedHeaders={';'.join(headers)}, "
    return headers | {"authorization": f"{told}Signature={_signed(request, headers, UNSIGNED, scope, key)}"}


def _signed(request: Request, headers: dict[str, str], payload: str, scope: str, key: dict[str, str]) -> str:
    path = request.scope["raw_path"].split(b"?")[0].decode()
    parts = [part.partition("=") for part in request.scope["query_string"].decode().split("&") if part]
    query = "&".join(sorted(f"{name}={value}" for name, _, value in parts))
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = "\n".join([request.method, path, query, lines, ";".join(headers), payload])
    secret = f"AWS4{key['secretAccessKey']}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    told = hashlib.sha256(canonical.encode()).hexdigest()
    stamp = headers["x-amz-date"]
    return hmac.digest(secret, f"{ALGORITHM}\n{stamp}\n{scope}\n{told}".encode(), "sha256").hex()


def _header(request: Request, name: str) -> str:
    return " ".join(",".join(request.headers.getlist(name)).split())
