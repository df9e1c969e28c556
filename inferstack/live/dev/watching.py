"""Which files of a project were saved, by the operating system's own news (watchfiles)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from inferstack.config import StackSpec, split_reference

# Files are written by several calls; what comes within this time is one save.
DEBOUNCE_MS, STEP_MS = 100, 10
LOOK_MS = 100  # how often it looks whether it is to end


@dataclass(frozen=True, slots=True)
class Saved:
    """Files, as absolute paths; `moved` are those that came or went."""

    paths: frozenset[Path]
    moved: frozenset[Path] = frozenset()


class Watch:
    """Watches once it is constructed, until `stop`; each save is handed to `tell`, in a thread of its own."""

    def __init__(self, root: Path, tell: Callable[[Saved], None]) -> None:
        self._root, self._tell = root, tell
        self._ended, self._begun = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._begun.wait(timeout=5)

    def _run(self) -> None:
        news = watch(
            self._root,
            watch_filter=_Wanted(self._root),
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._ended,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
        )
        for changes in news:
            self._begun.set()  # the first look has ended: nothing is missed from here on
            if not changes:
                continue
            paths = frozenset(Path(path) for _, path in changes)
            moved = frozenset(Path(path) for change, path in changes if change is not Change.modified)
            self._tell(Saved(paths, moved))

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)


class _Wanted(DefaultFilter):
    """Not what tools write beside: state, packages, caches, and the engine's own settings file of a stack."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, ".inferstack", ".wrangler", ".pulumi")

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def __call__(self, change: Change, path: str) -> bool:
        # Folders above the project may have any name: only what lies in it is judged.
        inside = Path(path).relative_to(self._root)
        own = inside.name.startswith("Pulumi.") and inside.name != "Pulumi.yaml"
        return not own and super().__call__(change, str(inside))


def concerns_engine(saved: Saved, spec: StackSpec, root: Path) -> bool:
    """Whether a save changes what resources other than code are made of: migrations, static assets, secrets, the program.

    Stack files aside.
    """
    folders = [root / database.migrations for database in spec.databases.values() if database.migrations]
    folders += [root / worker.assets.directory for worker in spec.workers.values() if worker.assets]
    files = {root / "Pulumi.yaml", *root.glob("*.py")}
    for _, reference in spec.secret_references():
        kind, _, name = (spec.source_of(reference) or "").partition(":")
        if kind == "file":
            files.add(split_reference(name, root)[0])
    return any(path in files or any(path.is_relative_to(folder) for folder in folders) for path in saved.paths)
