"""HTTP to other processes of the local Cloudflare, by unix sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx


def client_of(socket: Path, seconds: float, *, connections: int | None = None, base_url: str = "") -> httpx.AsyncClient:
    """Always plain HTTP: to read the trust roots, as httpx does by itself, would take 30 ms of each client."""
    most: dict[str, Any] = {"limits": httpx.Limits(max_connections=connections)} if connections else {}
    transport = httpx.AsyncHTTPTransport(uds=str(socket), verify=False, **most)
    return httpx.AsyncClient(transport=transport, trust_env=False, timeout=seconds, base_url=base_url)
