"""The files of a folder of static assets, as Cloudflare's official provider lists them for an upload.

All files count, also those whose names begin with a dot, and links are read where they lead: the provider knows no
`.assetsignore` (terraform-provider-cloudflare, internal/services/worker_version/assets.go, read 2026-11).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def asset_files(directory: Path) -> dict[str, Path]:
    """Path of a request → file, sorted. Raises `OSError`."""
    found: dict[str, Path] = {}
    for folder, _, names in os.walk(directory, onerror=_fail):
        for name in names:
            file = Path(folder) / name
            found["/" + file.relative_to(directory).as_posix()] = file
    return dict(sorted(found.items()))


def asset_manifest(files: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """What an upload session is opened with. Raises `OSError`."""
    return {path: _entry(file.read_bytes()) for path, file in files.items()}


def manifest_digest(manifest: dict[str, dict[str, Any]]) -> str:
    """SHA-256 of the manifest as the provider writes it: Go's JSON, which escapes what HTML would read."""
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(data: bytes) -> dict[str, Any]:
    return {"hash": hashlib.sha256(data).hexdigest()[:32], "size": len(data)}


def _fail(error: OSError) -> None:
    raise error
