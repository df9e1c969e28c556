"""What the running local Cloudflare does beside Cloudflare's API: its own switches, under `/__local`. Light, as `up` asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from inferstack.errors import ConfigError, UserError
from inferstack.local._settings import ACCOUNT_ID, token_of
from inferstack.local.daemon import find

SECONDS = 30


def control(folder: Path, method: str, path: str, body: Any = None, account: str = ACCOUNT_ID) -> Any:
    """The result, of one account. Raises `UserError` where none runs, `ConfigError` with its words where it refuses."""
    running = find(folder)
    if running is None:
        raise UserError("no local Cloudflare runs here\n  fix: inferstack local, or inferstack up with `target: local`")
    headers = {"authorization": f"Bearer {token_of(folder, account)}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    asked = Request(f"http://127.0.0.1:{running.api_port}/__local/{path}", data, headers, method=method)
    try:
        with urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - an address of this machine
            return json.loads(answer.read())["result"]
    except HTTPError as error:
        errors = json.loads(error.read())["errors"]
        raise ConfigError(errors[0]["message"]) from None
