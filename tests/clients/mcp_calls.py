"""The official Python client of MCP against a Worker; prints what it heard as one line of JSON.

Arguments: the server's address, a key or `oauth`, and the client's mode (`auto`, `legacy`).
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.auth import TokenStorage
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

found = socket.getaddrinfo


def here(host: Any, *arguments: Any, **named: Any) -> Any:
    """Names under `localhost` are this machine (RFC 6761), which not every resolver knows."""
    name = host.decode() if isinstance(host, bytes) else host
    return found("127.0.0.1" if str(name).endswith(".localhost") else host, *arguments, **named)


class Memory(TokenStorage):
    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        del client_info  # it was given, not registered


def http_client(url: str, key: str) -> httpx2.AsyncClient:
    if key != "oauth":
        return httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=30)
    issuer = sys.argv[4]
    provider = ClientCredentialsOAuthProvider(url, Memory(), "me", "secret", "client_secret_post", issuer=issuer)
    return httpx2.AsyncClient(auth=provider, timeout=30)


async def heard(url: str, key: str, mode: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    pieces: list[str] = []

    async def progress(_: float, __: float | None, message: str | None) -> None:
        pieces.append(message or "")

    async with (
        http_client(url, key) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,  # type: ignore[arg-type]
    ):
        said["version"] = client.session.protocol_version
        said["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        status = await client.call_tool("order_status", {"number": 17})
        said["rows"] = status.structured_content
        wrong = await client.call_tool("order_status", {"number": "x"})
        said["wrong"] = wrong.is_error
        if key == "oauth":
            return said
        long = await client.call_tool("summarize", {"text": "Much was said."}, progress_callback=progress)
        said["progress"] = "".join(pieces) == long.content[0].text and len(pieces) > 1
        said["resources"] = [str(each.uri) for each in (await client.list_resources()).resources]
        said["rules"] = (await client.read_resource("shop://rules")).contents[0].text
        said["prompts"] = [each.name for each in (await client.list_prompts()).prompts]
        letter = await client.get_prompt("apologise", {"customer": "Ann"})
        said["letter"] = letter.messages[0].content.text
        try:
            await client.call_tool("nothing", {})
        except MCPError as error:
            said["unknown"] = error.error.code
    return said


if __name__ == "__main__":
    socket.getaddrinfo = here
    print(json.dumps(asyncio.run(heard(*sys.argv[1:4]))))
