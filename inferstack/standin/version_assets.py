"""Static assets of a Worker version: the official provider reads the folder, and uploads it before it makes the version."""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import replace
from pathlib import Path
from typing import Any

from inferstack.asset_files import asset_files, asset_manifest, manifest_digest
from inferstack.cloudflare import ApiError, Unreachable, failed, unreachable
from inferstack.plugin.diff import Difference
from inferstack.plugin.properties import reveal
from inferstack.plugin.resource import CheckFailure, Operation, Properties, ProviderError, State
from inferstack.standin.typed_resource import TableResource

DIGEST = "assetManifestSha256"
UNTYPED = "application/null"  # wrangler's word for it, which is served without a type


class WorkerVersionResource(TableResource):
    """A version with `assets.directory` has the digest of its files among its outputs; other files are another version."""

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = super().check(inputs)
        directory = _directory(inputs)
        if directory is not None:
            try:
                asset_files(directory)
            except OSError as error:
                failures.append(CheckFailure("assets.directory", f"`{directory}` cannot be read: {error.strerror}"))
        return failures

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = super().diff(state, inputs)
        directory = _directory(inputs)
        known = reveal(state.outputs.get("assets") or {})
        if directory is not None and "assets" not in found.changes and known.get(DIGEST) != _digest(directory):
            found.changes[f"assets.{DIGEST}"] = "update"
            found.replaces.add(f"assets.{DIGEST}")
        return found

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        directory = _directory(inputs)
        outputs = super().preview(inputs, state)
        return outputs if directory is None else outputs | {"assets": _with_digest(inputs, directory)}

    def create(self, operation: Operation, inputs: Properties) -> State:
        directory = _directory(inputs)
        if directory is None:
            return super().create(operation, inputs)
        given = reveal(inputs["assets"])
        outputs = _with_digest(inputs, directory)
        sent = {name: value for name, value in given.items() if name != "directory"}
        sent["jwt"] = self._upload(operation, str(reveal(inputs["workerId"])), directory)
        made = super().create(operation, {**inputs, "assets": sent})
        return replace(made, inputs=inputs, outputs={**made.outputs, "assets": outputs})

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        found = super().read(operation, identifier, state)
        before = reveal(state.outputs.get("assets") or {}) if state else {}
        if before.get("directory"):
            found.outputs["assets"] = before | (found.outputs.get("assets") or {})
        return found

    def _upload(self, operation: Operation, worker: str, directory: Path) -> str:
        """The token that the version is made with."""
        files = asset_files(directory)
        manifest = asset_manifest(files)
        base = f"/accounts/{operation.account_id}/workers"
        session = self._call(operation, f"{base}/scripts/{worker}/assets-upload-session", json={"manifest": manifest})
        token = str(session["jwt"])
        by_hash = {entry["hash"]: files[path] for path, entry in manifest.items()}
        for bucket in session.get("buckets") or []:
            parts = {key: (key, base64.b64encode(by_hash[key].read_bytes()), _kind(by_hash[key])) for key in bucket}
            head = {"authorization": f"Bearer {session['jwt']}"}
            done = self._call(operation, f"{base}/assets/upload?base64=true", files=parts, headers=head)
            token = str(done.get("jwt") or token)
        return token

    def _call(self, operation: Operation, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = operation.client.send("POST", path, operation.deadline, **options)
        except Unreachable as error:
            text = unreachable("create", "assets", path, operation.client.base_url, str(error))
            raise ProviderError(text) from None
        if response.status_code >= 400:
            raise ProviderError(failed("create", "assets", path.rpartition("/")[2], ApiError.of(response)))
        result: dict[str, Any] = response.json()["result"]
        return result


def _directory(inputs: Properties) -> Path | None:
    """As the program says it: the engine starts providers in the project's folder."""
    given = reveal(inputs.get("assets"))
    directory = given.get("directory") if isinstance(given, dict) else None
    return Path(directory) if isinstance(directory, str) else None


def _with_digest(inputs: Properties, directory: Path) -> dict[str, Any]:
    return {**reveal(inputs["assets"]), DIGEST: _digest(directory)}


def _digest(directory: Path) -> str:
    try:
        return manifest_digest(asset_manifest(asset_files(directory)))
    except OSError as error:
        raise ProviderError(f"the static assets in {directory} cannot be read: {error.strerror}") from None


def _kind(file: Path) -> str:
    """As Go's library names types: text has a charset. Of a type that it does not know, nothing is said."""
    found = mimetypes.guess_type(file.name)[0]
    return f"{found}; charset=utf-8" if found and found.startswith("text/") else found or UNTYPED
