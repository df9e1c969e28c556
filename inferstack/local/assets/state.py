"""Upload sessions, and the files that they brought: one for each hash, whoever has it."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import time
from typing import Any

from inferstack import catalog
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store
from inferstack.local.assets.services import VersionAssets, router_config

SESSION, FILE = "assets_session", "assets_file"
KEY = ("assets_key", "")
HASH = re.compile(r"[0-9a-f]{32}")
SECONDS = 3600  # that a token is good for (https://developers.cloudflare.com/workers/static-assets/direct-upload/)
BUCKET = 100  # files of one request
HTML = ("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
RULES = ("/_headers", "/_redirects", "/.assetsignore")  # files that are read, and not served
NOT_FOUND = ("none", "404-page", "single-page-application")


class Assets:
    """The account's. A session is a manifest with a token; a version names the session whose files it has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.folder = store.folder / "assets"
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def open(self, body: Document) -> tuple[str, list[list[str]]]:
        """Token and buckets: hashes that are to be sent, none when all are here."""
        manifest = _checked(body.get("manifest"))
        missing = sorted({entry["hash"] for entry in manifest.values() if not self._has(entry["hash"])})
        token = self._token(manifest)
        self._drop_old()
        version = (self._store.get(SESSION, token) or {"version": ""})["version"]
        self._store.put(SESSION, token, {"manifest": manifest, "until": time.time() + SECONDS, "version": version})
        return token, [missing[at : at + BUCKET] for at in range(0, len(missing), BUCKET)]

    def _token(self, manifest: Document) -> str:
        """The same for the same files, so that an upload that is sent again after a lost answer makes one version."""
        key = self._store.get(*KEY) or self._store.put(*KEY, {"key": secrets.token_hex(32)})
        text = json.dumps(manifest, sort_keys=True).encode()
        return hmac.digest(bytes.fromhex(key["key"]), text, "sha256").hex()

    def session(self, token: str) -> Document:
        found = self._store.get(SESSION, token)
        if found is None or (not found["version"] and found["until"] < time.time()):
            raise ApiError(401, 10000, "Authentication error: the token of the assets is unknown or older than an hour")
        return found

    def keep(self, token: str, key: str, data: bytes, content_type: str | None) -> None:
        wanted = [entry for entry in self.session(token)["manifest"].values() if entry["hash"] == key]
        if not wanted:
            raise ApiError(400, 10021, f"the manifest has no asset with the hash {key[:40]}")
        if len(data) != wanted[0]["size"]:
            raise ApiError(400, 10021, f"the asset {key} has {len(data)} bytes; its manifest says {wanted[0]['size']}")
        partial = self.folder / f".{key}.{secrets.token_hex(4)}"
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.folder / key)
        self._store.put(FILE, key, {"contentType": content_type})

    def is_complete(self, token: str) -> bool:
        return all(self._has(entry["hash"]) for entry in self.session(token)["manifest"].values())

    def manifest(self, token: str) -> dict[str, dict[str, Any]]:
        """Path → hash, size and contentType, of a session whose files are all here."""
        entries: dict[str, dict[str, Any]] = (self._store.get(SESSION, token) or {"manifest": {}})["manifest"]
        return {path: {**entry, **(self._store.get(FILE, entry["hash"]) or {})} for path, entry in entries.items()}

    def of_version(self, version: Document) -> VersionAssets | None:
        """`_headers` and `_redirects`: as wrangler sends them, or the files of that name."""
        used = version.get("assets")
        if not used:
            return None
        manifest, config = self.manifest(used["session"]), used["config"]
        return VersionAssets(
            folder=self.folder,
            manifest={path: entry for path, entry in manifest.items() if path not in RULES},
            config=config,
            headers=config.get("_headers") or self._text_of(manifest, "/_headers"),
            redirects=config.get("_redirects") or self._text_of(manifest, "/_redirects"),
        )

    def _text_of(self, manifest: dict[str, dict[str, Any]], path: str) -> str | None:
        entry = manifest.get(path)
        return (self.folder / entry["hash"]).read_text("utf-8", "replace") if entry else None

    def use(self, given: Document, version: str) -> Document:
        """What a version's `assets` says, checked, and its files kept for it; raises `ApiError`."""
        token = given.get("jwt")
        if not isinstance(token, str) or not token:
            raise ApiError(400, 10021, "`assets` needs the `jwt` of a finished upload session")
        session = self.session(token)
        if not self.is_complete(token):
            raise ApiError(400, 10021, "the upload session of the assets is not finished: files are missing")
        self._store.put(SESSION, token, session | {"version": version})
        return {"session": token, "config": _checked_config(given.get("config") or {})}

    def _has(self, key: str) -> bool:
        return (self.folder / key).is_file()

    def _drop_old(self) -> None:
        """Sessions that no version came of, and what a kill left half-written."""
        for token, session in self._store.items(SESSION):
            if not session["version"] and session["until"] < time.time():
                self._store.delete(SESSION, token)
        for file in self.folder.glob(".*"):
            if file.stat().st_mtime < time.time() - SECONDS:
                file.unlink(missing_ok=True)


def _checked(manifest: Any) -> dict[str, Any]:
    most, largest = catalog.limit("workers", "static_asset_files_per_version"), _largest()
    if not isinstance(manifest, dict) or not manifest:
        raise ApiError(400, 10021, "`manifest` must be an object: path → hash and size")
    if len(manifest) > most:
        raise ApiError(400, 10021, f"the manifest has {len(manifest):,} files; a version may have {most:,}")
    for path, entry in manifest.items():
        if not path.startswith("/"):
            raise ApiError(400, 10021, f"the path {path[:80]!r} of the manifest must start with `/`")
        if not isinstance(entry, dict) or not HASH.fullmatch(str(entry.get("hash"))):
            raise ApiError(400, 10021, f"{path[:80]} needs a hash of 32 hexadecimal digits")
        size = entry.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= largest:
            raise ApiError(400, 10021, f"{path[:80]} has a size of {size} bytes; up to {largest:,} are taken")
    return {path: {"hash": entry["hash"], "size": entry["size"]} for path, entry in manifest.items()}


def _largest() -> int:
    return int(catalog.limit("workers", "static_asset_file_size")) * 1024 * 1024


def _checked_config(config: Any) -> Document:
    if not isinstance(config, dict):
        raise ApiError(400, 10021, "`assets.config` must be an object")
    for name, values in (("html_handling", HTML), ("not_found_handling", NOT_FOUND)):
        if config.get(name) not in (None, *values):
            raise ApiError(400, 10021, f"`assets.config.{name}` must be one of {', '.join(values)}")
    try:
        router_config(config, has_worker=True)
    except ValueError as error:
        raise ApiError(400, 10021, f"`assets.config.run_worker_first`: {error}") from None
    return config
