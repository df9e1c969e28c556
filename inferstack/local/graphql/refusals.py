"""Errors in GraphQL's form, as Cloudflare sends them.

Form and texts: https://developers.cloudflare.com/analytics/graphql-api/errors (2026-04-23). What is wrong with the query or
passes a bound is HTTP 400 there; an account that is another's is 200 with an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferstack.local._store import now

Path = tuple[str, ...]


class Refused(Exception):
    """A query that is not answered: `path` leads to the field that is wrong."""

    def __init__(self, message: str, path: Sequence[str] = (), *, code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.path, self.code, self.status = message, tuple(path), code, status

    def body(self) -> dict[str, Any]:
        extensions = {"timestamp": now()} | ({"code": self.code} if self.code else {})
        path = list(self.path) or None
        return {"data": None, "errors": [{"message": self.message, "path": path, "extensions": extensions}]}


def unknown_field(name: str, path: Path, known: Sequence[str]) -> Refused:
    return Refused(f'unknown field "{name[:100]}"; here are {", ".join(known)}', (*path, name[:100]))


def bad_arguments(of: str, why: str, path: Path) -> Refused:
    return Refused(f'error parsing args for "{of}": {why}', path)
