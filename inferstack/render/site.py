"""Workers Sites (`site` of wrangler): files that the code gets by `env.__STATIC_CONTENT` and a manifest.

They go up as static assets behind the Worker, and its bundle has what makes the namespace of them that
`@cloudflare/kv-asset-handler` asks (wrangler 4.86, sites.ts: keys have a hash before their end, hidden files are left out).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from inferstack.asset_files import asset_files
from inferstack.config import AssetsSpec, WorkerSpec
from inferstack.errors import ConfigError
from inferstack.render.additional import glob_pattern

MANIFEST = "__STATIC_CONTENT_MANIFEST"
FILE = "manifest.mjs"  # what the bundler finds under that name
HERE = Path(__file__).parent
OF_ASSETS = {"_headers", "_redirects"}  # read, and not served


def site_paths(worker: WorkerSpec, root: Path) -> dict[str, str] | None:
    """Path of a file by its key; None where there is no site. Raises `ConfigError`."""
    assets = worker.assets
    if assets is None or assets.site is None:
        return None
    try:
        files = asset_files(root / assets.directory)
    except OSError as error:
        raise ConfigError(f"the folder `{assets.directory}` cannot be read: {error.strerror}") from None
    found = {}
    for path, file in files.items():
        name = path.removeprefix("/")
        if _belongs(name, assets):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
            whole = PurePosixPath(name)
            found[whole.with_name(f"{whole.stem}.{digest}{whole.suffix}").as_posix()] = name
    return found


def write_manifest(paths: dict[str, str], folder: Path) -> None:
    """The module that the code imports as `__STATIC_CONTENT_MANIFEST`."""
    (folder / FILE).write_text(f"export default {json.dumps(_manifest(paths))};\n")


def _store_code(paths: dict[str, str]) -> str:
    """JavaScript of `asNamespace`."""
    return (HERE / "site.js").read_text().replace('"THE PATHS"', json.dumps(paths))


def as_globals(paths: dict[str, str], binding: str) -> str:
    """For service-worker syntax."""
    return (
        f"{_store_code(paths)}\n"
        f"const files = asNamespace(env[{json.dumps(binding)}]);\n"
        f"Object.defineProperty(globalThis, {json.dumps(binding)}, {{ value: files }});\n"
        f"globalThis.{MANIFEST} = {json.dumps(_manifest(paths))};\n"
    )


def around_module(paths: dict[str, str], binding: str, shown: str) -> str:
    """A module around the entry (a path from the project), whose `env` has the namespace."""
    frame = (HERE / "site_module.js").read_text()
    frame = frame.replace('"THE CODE"', json.dumps(f"./{shown}")).replace('"THE NAME"', json.dumps(binding))
    return f"{_store_code(paths)}\n{frame}"


def _manifest(paths: dict[str, str]) -> str:
    return json.dumps({path: key for key, path in paths.items()})


def _belongs(name: str, assets: AssetsSpec) -> bool:
    assert assets.site is not None
    parts = name.split("/")
    hidden = any(part.startswith(".") and part != ".well-known" for part in parts) or "node_modules" in parts
    if hidden or name in OF_ASSETS:
        return False
    include, exclude = assets.site.include, assets.site.exclude
    return any(_is_in(name, glob) for glob in include) if include else not any(_is_in(name, g) for g in exclude)


def _is_in(name: str, glob: str) -> bool:
    """As in a .gitignore: a name without a slash is meant at every depth, and a folder with all that is in it."""
    pattern = glob.strip("/") if "/" in glob.strip("/") else f"**/{glob.strip('/')}"
    whole = glob_pattern(pattern)
    parts = name.split("/")
    return any(whole.fullmatch("/".join(parts[: depth + 1])) for depth in range(len(parts)))
