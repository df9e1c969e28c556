"""A version after the newest one, with the same code or with the same bindings, deployed at once.

That is what Cloudflare makes of a changed secret, of changed settings and of new content (facts `api.md`, section Workers).
"""

from __future__ import annotations

from typing import Any

from inferstack.local._store import Document
from inferstack.local.workers.deploy import Deployer, everything
from inferstack.local.workers.secret_bindings import SECRETS
from inferstack.local.workers.state import Workers

# Of the version before; bindings beside them, whose secrets are not in the document.
KEPT = ("modules", "main_module", "compatibility_date", "compatibility_flags", "limits", "placement", "assets")


class Successors:
    """Of the account's Workers."""

    def __init__(self, workers: Workers, deployer: Deployer) -> None:
        self._workers, self._deployer = workers, deployer

    def bindings(self, worker: Document) -> list[Document]:
        """Those of the newest version, as a next one takes them over."""
        latest = self._workers.latest_version(worker["id"])
        return [{"name": b["name"], "type": "inherit"} if b["type"] in SECRETS else b for b in latest["bindings"]]

    async def make(self, worker: Document, changes: dict[str, Any], source: str = "") -> Document:
        """`changes` over the newest version: `bindings`, `modules`, `compatibility_date` and so on; returns the version."""
        version = await self.add(worker, changes, source)
        await self._deployer.deploy(worker, everything(version), None)
        return version

    async def add(self, worker: Document, changes: dict[str, Any], source: str = "") -> Document:
        """The same, and not deployed."""
        latest = self._workers.latest_version(worker["id"])
        body: Document = {k: latest[k] for k in KEPT if k in latest}
        if latest.get("body_part"):
            body["body_part"] = body.pop("main_module")
        if "modules" in changes:
            body = {k: v for k, v in body.items() if k not in ("main_module", "body_part")}
        body = {"bindings": self.bindings(worker)} | body | changes
        return await self._deployer.add_version(worker, body, None, source or latest["source"])
