"""Namespaces in workerd's configuration (facts `simulators.md`): native, one owner service for each.

Two versions with one `uniqueKey` would each answer with their own code on the same rows, so only the version with the
most traffic owns the class; all others bind to it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from inferstack.local._store import Document
from inferstack.local.objects.state import Space
from inferstack.local.runtime.literals import joined, literal

HERE = Path(__file__).parent
DISK, GONE, PROBE = "objects-disk", "objects-gone", "objects-probe"
DATE = "2026-06-01"


def owned(spaces: Iterable[Space], on_disk: bool) -> str:
    """Fields of the owner's Worker; a rehearsal keeps its objects in memory."""
    each = [
        f"(className = {literal(s.class_name)}, uniqueKey = {literal(s.id)}{', enableSql = true' if s.sqlite else ''})"
        for s in spaces
    ]
    storage = f'(localDisk = "{DISK}")' if on_disk else "(inMemory = void)"
    return f", durableObjectNamespaces = [{joined(each)}], durableObjectStorage = {storage}" if each else ""


def designator(space: Space | None, service: str | None) -> str:
    """What a binding leads to: a namespace whose owner is not there is one that says so when it is called."""
    name, owner = (space.class_name, service) if space and service else ("Gone", GONE)
    return f"durableObjectNamespace = (className = {literal(name)}, serviceName = {literal(owner)})"


def shared(folder: Path, objects: Path | None) -> Iterator[str]:
    """The services that all namespaces need."""
    (folder / "gone.js").write_bytes((HERE / "gone.js").read_bytes())
    if objects is not None:
        objects.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield f'(name = "{DISK}", disk = (path = {literal(str(objects))}, writable = true))'
    space = '(className = "Gone", uniqueKey = "gone")'
    yield (
        f'(name = "{GONE}", worker = (modules = [(name = "gone.js", esModule = embed "gone.js")], '
        f'compatibilityDate = "{DATE}", durableObjectNamespaces = [{space}], durableObjectStorage = (inMemory = void)))'
    )


def probe_module(version: Document, folder: Path) -> str | None:
    """A main module that tells which classes the version's own one exports; None when that is no ES module."""
    main = next(module for module in version["modules"] if module["name"] == version["main_module"])
    if version.get("body_part") or not main["content_type"].split(";")[0].endswith("javascript+module"):
        return None
    source = (HERE / "probe.js").read_text().replace("MAIN", "./" + posixpath.basename(main["name"]))
    (folder / "probe.js").write_text(source)
    name = posixpath.join(posixpath.dirname(main["name"]), "inferstack-probe.mjs")
    return f'(name = {literal(name)}, esModule = embed "probe.js")'
