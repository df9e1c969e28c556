"""Pages from templates: every text that comes from elsewhere is escaped, whatever it is."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from inferstack.local._settings import worker_ports
from inferstack.local.app import LocalCloudflare
from inferstack.local.console.api import AccountApi
from inferstack.local.console.door import HEADERS, ROOT

HTML = Path(__file__).parent / "html"
PAGES = (
    ("", "Stack"),
    ("playground", "Playground"),
    ("requests", "Requests"),
    ("d1", "D1"),
    ("vectorize", "Vectorize"),
    ("r2", "R2"),
    ("kv", "KV"),
    ("queues", "Queues"),
    ("gateways", "AI Gateway"),
    ("workflows", "Workflows"),
    ("objects", "Durable Objects"),
    ("secrets", "Secrets"),
    ("faults", "Faults"),
)
LONGEST_CELL = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one request: whose account, and by what it is asked."""

    request: Request
    api: AccountApi
    cloudflare: LocalCloudflare
    folder: Path  # of the state of all accounts

    def addresses(self) -> dict[str, str]:
        """Of Workers that have a port of their own, by name."""
        ports = worker_ports(self.folder).items()
        found = {tuple(key.split("/", 1)): port for key, port in ports}
        return {
            name: f"http://127.0.0.1:{port}" for (account, name), port in found.items() if account == self.api.account
        }

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page of a template of this name."""
        active = self.request.url.path.removeprefix(ROOT).strip("/").split("/")[0]
        known = {"pages": PAGES, "active": active, "root": ROOT, "query": self.query, "problem": ""}
        text = _environment().get_template(f"{template}.html").render({**known, **values})
        return HTMLResponse(text, status, HEADERS)

    def path(self, name: str) -> str:
        """A part of the address, as it was meant."""
        return str(self.request.path_params[name])


View = Callable[[Seen], Awaitable[Response]]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HTML), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "size": size,
        "ms": milliseconds,
        "clock": clock,
        "cell": cell,
        "pretty": pretty,
        "usd": usd,
    }
    return environment


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def milliseconds(count: float) -> str:
    return f"{count:.0f} ms" if count < 1000 else f"{count / 1000:.2f} s"


def clock(at_ms: float) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000).astimezone()
    today = time.time() - at_ms / 1000 < 43_200
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def usd(amount: float) -> str:
    return f"${amount:.6f}" if 0 < amount < 0.01 else f"${amount:.2f}"


def cell(value: Any) -> str:
    """A value of a table: bytes are told by their number, what is long is cut."""
    if value is None:
        return "NULL"
    if isinstance(value, list) and value and all(isinstance(each, int) and 0 <= each < 256 for each in value):
        return f"[{len(value)} bytes]"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}… ({len(text)} characters)"


def pretty(value: Any) -> str:
    """JSON with indents, of a value or of its text; other texts as they are."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)[:50_000]
    return json.dumps(value, indent=2, ensure_ascii=False)[:50_000]
