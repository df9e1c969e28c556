"""Requests of Workers to other hosts: this machine's own are reached, no other is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HOP = ("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "content-length")
SECONDS = 120


def is_loopback(host: str) -> bool:
    return host.lower() in LOOPBACK or host.lower().endswith(".localhost")


async def answer_egress(request: Request, instead: str = "") -> Response:
    """Proxies to loopback, redirects unfollowed; 502 for every other host, and where nobody listens.

    `instead` is who answers for the host that was asked.
    """
    host = instead or request.headers.get("host", "")
    name = (httpx.URL(f"http://{host}").host if host else "").lower()
    if not is_loopback(name):
        return JSONResponse({"error": f"The local Cloudflare does not let Workers reach {host}"}, 502)
    # The target goes on byte for byte: a path that was decoded once names another thing (`%2F`, `%25`).
    target_bytes = request.scope["raw_path"] + (b"?" + query if (query := request.scope["query_string"]) else b"")
    url = httpx.URL(f"http://{host}")
    pairs = [(key.lower(), value) for key, value in request.headers.raw]
    sent = {key: value for key, value in pairs if key.decode() not in HOP and not key.startswith(b"x-local-")}
    # Never TLS: to read the trust roots for each request would take 30 ms.
    transport = httpx.AsyncHTTPTransport(verify=False)
    client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=transport)
    try:
        # `*.localhost` is this machine whether or not its resolver knows; the Host header stays.
        target = url.copy_with(host="127.0.0.1") if name.endswith(".localhost") else url
        outgoing = client.build_request(
            request.method,
            target,
            headers={**sent, b"host": host.encode("latin-1")},
            content=await request.body(),
            extensions={"target": target_bytes},
        )
        answer = await client.send(outgoing, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        return JSONResponse({"error": f"{host} cannot be reached: {type(error).__name__}"}, 502)
    response = StreamingResponse(body_of(client, answer), answer.status_code)
    response.raw_headers = [(k.lower(), v) for k, v in answer.headers.raw if k.lower().decode("latin-1") not in HOP]
    return response


async def body_of(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    """An answer as it comes; both are closed with it."""
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()
        await client.aclose()
