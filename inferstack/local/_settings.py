"""Where a local Cloudflare lies and how to reach it; light, so that the command line stays fast."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

API = "/client/v4"
ACCOUNT_ID = "10ca110ca110ca110ca110ca110ca110"
WORKERS_PORT, API_PORT = 8787, 8788


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the state lies and which ports are used (0: any free one)."""

    folder: Path
    port: int = WORKERS_PORT
    api_port: int = API_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running local Cloudflare, as its record in the state folder says."""

    pid: int
    port: int
    api_port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}{API}"


def record_file(folder: Path) -> Path:
    return folder / "server.json"


def token_of(folder: Path) -> str:
    """The API token, made on first use; readable by the owner only."""
    file = folder / "token"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(f"local-{secrets.token_urlsafe(30)}")
    return file.read_text()
