"""R2's S3 endpoint: Cloudflare's own simulator of it, in a workerd of its own per account (facts `simulators.md`).

Its buckets are bindings, which a process has from its start on. So it is started with the first request, and again when
the account has other buckets; it keeps nothing, objects lie where Workers and the REST API find them.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from inferstack.local._envelope import ApiError
from inferstack.local._sockets import client_of
from inferstack.local.runtime.literals import joined, literal
from inferstack.local.runtime.process import StartError, start_process

MODULE, DATE = "r2/s3/index", "2026-06-01"
CREDENTIALS, BUCKET = "MINIFLARE_R2_S3_CREDENTIALS", "MINIFLARE_R2_S3_BUCKET_"
SECONDS = 600


@dataclass(slots=True)
class _Process:
    """One workerd and its clients; `serves` is what it was started for."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    folder: Path
    serves: tuple[str, ...]
    busy: int = 0

    async def end(self) -> None:
        await self.client.aclose()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class S3Endpoint:
    """Of one account; `door` is the socket of the storage process."""

    def __init__(self, workerd: Path, modules: Path, log_file: Path) -> None:
        self._workerd, self._modules, self._log_file = workerd, modules, log_file
        self._current: _Process | None = None
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def send(
        self,
        account: str,
        key: dict[str, str],
        buckets: list[str],
        door: Path,
        request: tuple[str, bytes, Mapping[str, str], AsyncIterator[bytes]],
    ) -> AsyncIterator[httpx.Response]:
        """Method, target, headers and body as they came: all but the body are signed. The answer's body is not read yet."""
        method, target, headers, body = request
        process = await self._ready(account, key, sorted(buckets), door)
        process.busy += 1
        try:
            address = "http://s3/"
            async with process.client.stream(
                method, address, headers=headers, content=body, extensions={"target": target}
            ) as answer:
                yield answer
        finally:
            process.busy -= 1

    async def _ready(self, account: str, key: dict[str, str], buckets: list[str], door: Path) -> _Process:
        wanted = (account, key["secretAccessKey"], *buckets)
        async with self._starting:
            old = self._current
            if old is None or old.serves != wanted or old.process.returncode is not None:
                folder = Path(tempfile.mkdtemp(prefix="inferstack-"))
                file = self._write(folder, account, key, buckets, door)
                try:
                    process = await start_process(self._workerd, file, {"http"}, self._log_file)
                except StartError as error:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise ApiError(500, 10001, f"the S3 endpoint does not start: {error}") from None
                self._current = _Process(process, client_of(folder / "http.sock", SECONDS), folder, wanted)
                if old is not None:
                    task = asyncio.create_task(_drain(old))
                    self._ending.add(task)
                    task.add_done_callback(self._ending.discard)
                return self._current
            return old

    def _write(self, folder: Path, account: str, key: dict[str, str], buckets: list[str], door: Path) -> Path:
        (folder / "s3.js").write_bytes((self._modules / f"{MODULE}.worker.js").read_bytes())
        services, bindings = [], []
        for place, name in enumerate(buckets):
            told = {"kind": "r2_bucket", "id": name, "account": account}
            headers = joined(f'(name = "x-local-{field}", value = {literal(value)})' for field, value in told.items())
            address = literal(f"unix:{door}")
            services.append(
                f'(name = "bucket-{place}", external = (address = {address}, http = (injectRequestHeaders = [{headers}])))'
            )
            bindings.append(f'(name = {literal(BUCKET + name)}, r2Bucket = "bucket-{place}")')
        # An account without buckets has a key all the same; no bucket can have this name.
        credentials = dict.fromkeys([*buckets, ""], key)
        bindings.append(f"(name = {literal(CREDENTIALS)}, json = {literal(json.dumps(credentials))})")
        services.append(
            '(name = "s3", worker = (modules = [(name = "s3.js", esModule = embed "s3.js")], '
            f'compatibilityDate = "{DATE}", compatibilityFlags = ["nodejs_compat"], bindings = [{joined(bindings)}]))'
        )
        file = folder / "config.capnp"
        file.touch(mode=0o600)
        file.write_text(
            'using Workerd = import "/workerd/workerd.capnp";\n'
            f"const config :Workerd.Config = (\n  services = [\n    {joined(services)}\n  ],\n"
            f'  sockets = [(name = "http", address = {literal(f"unix:{folder}/http.sock")}, http = (), service = "s3")]\n);\n'
        )
        return file

    async def close(self) -> None:
        for task in self._ending:
            task.cancel()
        if self._current is not None:
            await self._current.end()


async def _drain(old: _Process) -> None:
    """It ends with the last of its requests."""
    try:
        while old.busy:
            await asyncio.sleep(0.1)
    finally:
        await old.end()
