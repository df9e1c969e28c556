"""The files of a folder of static assets, as Cloudflare's official provider lists them for an upload, and as wrangler does.

For the provider all files count, also those whose names begin with a dot, and links are read where they lead: it knows no
`.assetsignore` (terraform-provider-cloudflare, internal/services/worker_version/assets.go, read 2026-11). Wrangler leaves
out what that file names, in the language of `.gitignore` without regard to case, and refuses a `_worker.js` where there
is no such file (wrangler 4.86, src/assets.ts and workers-shared/utils/helpers.ts, read 2026-11).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

IGNORED, PAGES_CODE = "/.assetsignore", "/_worker.js"
RULES = {"/_headers", "/_redirects"}  # wrangler reads them, whatever is ignored
STAGED = Path(".inferstack") / "assets"

# What a part of a pattern means; the rest stands for itself.
PART = re.compile(
    r"(?P<any>^\*\*/|(?<=/)\*\*/)|(?P<all>(?<=/)\*\*$)|(?P<some>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]]*\])|\\(?P<as_is>.)"
)
MEANS = {"any": "(?:.*/)?", "all": ".+", "some": "[^/]*", "one": "[^/]"}


def asset_files(directory: Path) -> dict[str, Path]:
    """Path of a request → file, sorted. Raises `OSError`."""
    found: dict[str, Path] = {}
    for folder, _, names in os.walk(directory, onerror=_fail):
        for name in names:
            file = Path(folder) / name
            found["/" + file.relative_to(directory).as_posix()] = file
    return dict(sorted(found.items()))


def served_files(directory: Path) -> dict[str, Path]:
    """Those of `asset_files` that wrangler would upload or read: not `.assetsignore`, nor what it names.

    Where there is no such file, nor the code of a Pages project. Raises `OSError`.
    """
    return _served(asset_files(directory))


def _served(files: dict[str, Path]) -> dict[str, Path]:
    if IGNORED not in files:
        return {path: file for path, file in files.items() if not path.startswith(PAGES_CODE)}
    is_ignored = ignored_by(files[IGNORED].read_text("utf-8", "replace"))
    return {
        path: file for path, file in files.items() if path in RULES or not (path == IGNORED or is_ignored(path[1:]))
    }


def stage_served(directory: Path, staged: Path) -> Path:
    """Where the provider finds what is served and nothing else: the folder, or links to its files in `staged`.

    Raises `OSError`.
    """
    files = asset_files(directory)
    served = _served(files)
    if len(served) == len(files):
        return directory
    staged.mkdir(parents=True, exist_ok=True)
    for path, link in asset_files(staged).items():
        if path not in served:
            link.unlink()
    for path, file in served.items():
        link = staged / path[1:]
        if not link.is_symlink() or link.readlink() != file.resolve():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(file.resolve())
    return staged


def ignored_by(text: str) -> Callable[[str], bool]:
    """Whether a file (its path from the folder, with `/`) is ignored, by the text of an ignore file."""
    rules = [rule for line in text.split("\n") if (rule := _rule(line))]
    folders: dict[str, bool] = {"": False}

    def judged(path: str, is_folder: bool) -> bool:
        parent = path.rpartition("/")[0]
        if parent not in folders:
            folders[parent] = judged(parent, is_folder=True)
        if folders[parent]:
            return True  # nothing in an ignored folder comes back
        return next(
            (not kept for kept, only, rule in reversed(rules) if (is_folder or not only) and rule.fullmatch(path)),
            False,
        )

    return lambda path: judged(path, is_folder=False)


def _rule(line: str) -> tuple[bool, bool, re.Pattern[str]] | None:
    """(brings back, for folders alone, its paths); None for a comment and for what no path can match."""
    text = re.sub(r"(?<!\\)\s+$", "", line)
    if not text or text.startswith("#"):
        return None
    kept, text = text.startswith("!"), text.removeprefix("!")
    only, text = text.endswith("/"), text.rstrip("/")
    pattern = text.removeprefix("/") if "/" in text else f"**/{text}"
    try:
        return kept, only, re.compile(_regex(pattern), re.IGNORECASE | re.DOTALL)
    except re.error:
        return None


def _regex(pattern: str) -> str:
    made, at = "", 0
    for part in PART.finditer(pattern):
        kind = part.lastgroup or ""
        made += re.escape(pattern[at : part.start()])
        at = part.end()
        if kind == "set":
            inside = part["set"][1:-1]
            inverted, inside = inside[:1] in ("!", "^"), inside.removeprefix("!").removeprefix("^")
            escaped = inside.replace("[", "\\[").replace("]", "\\]")
            made += f"(?!/)[{'^' if inverted else ''}{escaped}]"
        else:
            made += MEANS.get(kind) or re.escape(part["as_is"])
    return made + re.escape(pattern[at:])


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
