"""The accounts of a local Cloudflare, side by side in one process: each has state, a token and a subdomain of its own.

The first one is always there. Another comes to be when its token file does (`token_of`), which a stack with
`target: local` and `account:` writes; a restart finds it again.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from inferstack.local._bytes import routed_path
from inferstack.local._settings import ACCOUNT_ID, ACCOUNTS, API, account_folder, subdomain_of, token_of
from inferstack.local._store import Store
from inferstack.local.ai.account import Account as RealAccount
from inferstack.local.ai.engines.gguf import check as check_gguf
from inferstack.local.ai.engines.gguf import is_gguf
from inferstack.local.ai.recordings import Recordings
from inferstack.local.ai.run import Models
from inferstack.local.api_faults import ApiFaults
from inferstack.local.app import Account, LocalCloudflare
from inferstack.local.console.app import Console
from inferstack.local.console.door import ROOT
from inferstack.local.r2.earlier import carry_over
from inferstack.local.r2.objects import Objects
from inferstack.local.runtime.planned import Plan, key_of
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.storage.storage import Storage
from inferstack.local.workflows.state import folders_of

HEADER = b"x-local-account"
NO_TRACES = "no-traces"  # a file in the state folder: the switch outlives the process
S3_KEY = re.compile(r"Credential=([0-9a-f]{32})(?:/|%2F)")  # of a signed request: the account's id is its token's


@dataclass(frozen=True, slots=True)
class Open:
    """An account in service."""

    cloudflare: LocalCloudflare
    api: ASGIApp
    bindings: ASGIApp


class Accounts:
    """Models and planned faults are the same for all; everything else is an account's own."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder, self._storage = folder, storage
        storage.table = self._table
        self._opened: Callable[[LocalCloudflare], None] = lambda _: None
        self._models, self._faults = Models(), ApiFaults()
        self._open: dict[str, Open] = {}
        self._supervisor: Supervisor | None = None
        self._address = ""
        self.traced = not (folder / NO_TRACES).exists()
        self.console = Console(self._cloudflare, self.api, folder)
        self.first = self._add(ACCOUNT_ID)
        self._look()

    def attach(self, supervisor: Supervisor) -> None:
        """From now on deployments reach the runtime."""
        self._supervisor = supervisor
        for entry in self._open.values():
            entry.cloudflare.attach(supervisor)

    def tell_address(self, host: str) -> None:
        """Host and port of the API, for Workers that ask api.cloudflare.com."""
        self._address = host

    def start(self, opened: Callable[[LocalCloudflare], None]) -> None:
        """Call `opened` for each account, and for those to come."""
        self._opened = opened
        for entry in self._open.values():
            opened(entry.cloudflare)

    def use_engines(self, address: str, real: tuple[str, ...], record: Callable[[str, tuple[str, ...]], None]) -> None:
        """Now, and whenever the control API says others; `record` tells those who look for this process.

        Raises `UserError` when a real engine is not installed.
        """

        def use(wanted: str, tasks: tuple[str, ...]) -> None:
            if is_gguf(wanted):
                check_gguf(Path(wanted))
            self._models.engines.use(tasks)
            self._models.speak_by(wanted)
            record(wanted, tasks)

        self.first.use_engines = use
        use(address, real)

    def use_recordings(self, record: Callable[[str], None]) -> None:
        """Off until the control API says otherwise; `record` tells those who look for this process."""

        def use(mode: str, folder: Path, account: RealAccount | None) -> None:
            self._models.recordings = None if mode == "off" else Recordings(folder, mode, account)
            record(mode)

        self.first.use_recordings = use

    def plan(self) -> Plan:
        plans = [entry.cloudflare.deployer.plan() for entry in self._open.values()]
        hosts = {host: key for plan in plans for host, key in plan.hosts.items()}
        routes = sorted((route for plan in plans for route in plan.routes), key=lambda route: -len(route["regex"]))
        versions = [version for plan in plans for version in plan.versions]
        spaces = [space for plan in plans for space in plan.spaces]
        flows = [flow for plan in plans for flow in plan.flows]
        buckets = {host: found for plan in plans for host, found in plan.buckets.items()}
        return Plan(
            versions=versions,
            hosts=hosts,
            routes=routes,
            spaces=spaces,
            flows=flows,
            buckets=buckets,
            traced=self.traced,
        )

    async def trace(self, on: bool) -> None:
        """From the next request on; the runtime is started anew for it, and none is lost."""
        marker = self._folder / NO_TRACES
        if on:
            marker.unlink(missing_ok=True)
        else:
            marker.touch()
        self.traced = on
        for entry in self._open.values():
            entry.cloudflare.traced = on  # what the runtime of before still tells is dropped
        if self._supervisor is not None:
            await self._supervisor.apply()

    def _table(self) -> dict[str, Any]:
        """What the storage process must know of all accounts."""
        accounts = self._open.items()
        buckets = {
            key_of(a, name): found for a, each in accounts for name, found in each.cloudflare.buckets.stored().items()
        }
        watched = {
            found: {"account": a, "bucket": name}
            for a, each in accounts
            for found, name in each.cloudflare.changes.watched().items()
        }
        return {"buckets": buckets, "watched": watched, "faults": self._models.faults.products()}

    def stored_buckets(self) -> set[str]:
        return set(self._table()["buckets"].values())

    def object_folders(self) -> set[str]:
        """Of the namespaces of Durable Objects, and of workflows."""
        accounts = [entry.cloudflare for entry in self._open.values()]
        spaces = {space.id for each in accounts for space in each.spaces.all()}
        return spaces | {folder for each in accounts for flow in each.flows.all() for folder in folders_of(flow.id)}

    async def carry_over(self) -> None:
        """What earlier versions kept in other places."""
        for entry in self._open.values():
            await carry_over(entry.cloudflare.store, entry.cloudflare.buckets, Objects(self._storage))

    def close(self) -> None:
        self._models.speak_by("")
        self._models.engines.close()
        for entry in self._open.values():
            entry.cloudflare.databases.close()
            entry.cloudflare.indexes.close()
            entry.cloudflare.datasets.close()
            entry.cloudflare.events.close()
            entry.cloudflare.store.close()

    def _add(self, account_id: str) -> LocalCloudflare:
        folder = account_folder(self._folder, account_id)
        account = Account(
            account_id=account_id, token=token_of(self._folder, account_id), subdomain=subdomain_of(account_id)
        )
        cloudflare = LocalCloudflare(Store(folder), account, self._models, self._faults, self._storage)
        cloudflare.attach(self._supervisor)
        cloudflare.own_api, cloudflare.trace = (lambda: self._address), self.trace
        cloudflare.traced = self.traced
        cloudflare.console_link = lambda: f"http://{self._address}{self.console.door.link(account_id)}"
        self._open[account_id] = Open(cloudflare, cloudflare.api(), cloudflare.bindings())
        self._opened(cloudflare)
        return cloudflare

    def _cloudflare(self, account: str) -> LocalCloudflare | None:
        found = self._open.get(account)
        return found.cloudflare if found else None

    def _look(self) -> None:
        """Open the accounts that have come to be since."""
        for file in sorted((self._folder / ACCOUNTS).glob("*/token")):
            if file.parent.name not in self._open:
                self._add(file.parent.name)

    async def api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The v4 API: the token says whose it is; without one, the path does."""
        if scope["type"] == "http":
            scope["path"] = routed_path(scope["raw_path"])
            if scope["path"] == ROOT or scope["path"].startswith(ROOT + "/"):
                await self.console.app(scope, receive, send)
                return
            await self._of(Request(scope)).api(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._with_tail(scope).api(scope, receive, send)

    def _with_tail(self, scope: Scope) -> Open:
        """A tail's address names no account: whose session it is, tells."""
        session = scope["path"].rpartition("/")[2]
        found = [entry for entry in self._open.values() if entry.cloudflare.tails.get(session)]
        return found[0] if found else self._open[ACCOUNT_ID]

    def _of(self, request: Request) -> Open:
        token = request.headers.get("authorization", "").partition(" ")[2]
        found = self._by_token(token)
        if found is None and token:
            self._look()
            found = self._by_token(token)
        named = S3_KEY.search(request.headers.get("authorization", "") + "&" + request.url.query)
        account = named[1] if named else _named(request.url.path)
        return found or self._open.get(account, self._open[ACCOUNT_ID])

    def _by_token(self, token: str) -> Open | None:
        known = self._open.values()
        given = token.encode()
        return next((e for e in known if hmac.compare_digest(e.cloudflare.account.token.encode(), given)), None)

    async def bindings(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the bindings of Workers ask; the runtime's configuration says which account a Worker is of."""
        if scope["type"] == "http":
            scope["path"] = routed_path(scope["raw_path"])
            account = next((value.decode() for name, value in scope["headers"] if name == HEADER), None)
            # What a Worker sends to other hosts has no account, but the gateways' address names one.
            entry = self._open.get(account or _named(scope["path"]), self._open[ACCOUNT_ID])
            await entry.bindings(scope, receive, send)


def _named(path: str) -> str:
    """The account in a path of the API, or of the gateways' data plane."""
    parts = path.removeprefix(API).removeprefix("/v1").split("/")
    return parts[2] if parts[1:2] == ["accounts"] and len(parts) > 2 else parts[1] if len(parts) > 1 else ""
