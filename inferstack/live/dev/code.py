"""The code of a stack's Workers while it is worked on: rendered anew where a file has changed, and put live by itself.

A run of the engine takes seconds. Code alone needs none: the local Cloudflare takes it as a new version of the Worker,
with the bindings of the last. The engine's state is brought along afterwards (see `session`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec
from inferstack.engine.account import Account, Refused
from inferstack.errors import UserError
from inferstack.live.dev.watching import Saved
from inferstack.render import RenderedWorker, render_worker

# Changes of these may lead an import elsewhere, though no bundle names them as read.
RESOLVING = ("package.json", "tsconfig", "jsconfig")
IMPORTED = frozenset(
    ".js .mjs .cjs .jsx .ts .mts .cts .tsx .json .wasm .txt .html .sql .bin .py".split()  # noqa: SIM905
)
ONLY_CODE: dict[str, Any] = {
    "models": {"__all__": {"system", "system_file", "max_tokens", "temperature"}},
    "workers": {"__all__": {"options"}},
}


def needs_engine(before: StackSpec, after: StackSpec) -> bool:
    """Whether the stack files say something else of more than code: prompts and options of templates are code."""
    return before.model_dump(exclude=ONLY_CODE) != after.model_dump(exclude=ONLY_CODE)


class Code:
    """What each Worker was rendered to last, and what of it is live."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rendered: dict[str, RenderedWorker] = {}
        self._live: dict[str, str] = {}  # digests
        self.problems: dict[str, str] = {}  # what cannot be rendered
        self.refused: dict[str, str] = {}  # what was rendered, and the API did not take

    def renew(self, spec: StackSpec, saved: Saved | None = None) -> None:
        """Render what a save may concern, or everything. What cannot be rendered is in `problems`.

        A file that came or went may be what any import finds, or misses, from now on.
        """
        self._rendered = {key: rendered for key, rendered in self._rendered.items() if key in spec.workers}
        self.problems = {key: text for key, text in self.problems.items() if key in spec.workers}
        self.refused = {key: text for key, text in self.refused.items() if key in spec.workers}
        moved = _importable(saved.moved) - self._read() if saved else set()
        for key, worker in spec.workers.items():
            if worker.source and saved is not None and not (moved or self._concerns(key, saved)):
                continue
            try:
                self._rendered[key] = render_worker(spec, key, self._root)
                self.problems.pop(key, None)
                self.refused.pop(key, None)  # until it is uploaded again, if it is not what is live
            except UserError as error:
                self.problems[key] = str(error)

    def _concerns(self, key: str, saved: Saved) -> bool:
        """A file that was read for the Worker, or that leads its imports."""
        if key in self.problems or key in self.refused or key not in self._rendered:
            return True
        files = self._rendered[key].files
        return any(path in files or path.name.startswith(RESOLVING) for path in saved.paths)

    def _read(self) -> set[Path]:
        return {file for rendered in self._rendered.values() for file in rendered.files}

    def outdated(self) -> list[str]:
        """Workers whose newest code is not live."""
        return [key for key, rendered in self._rendered.items() if self._live.get(key) != rendered.digest]

    def flags(self) -> dict[str, tuple[str, ...]]:
        """Compatibility flags that templates ask for: settings of a version, so only the engine changes them."""
        return {key: rendered.flags for key, rendered in self._rendered.items()}

    def put_live(self, key: str, spec: StackSpec, account: Account) -> bool:
        """Whether it was taken; the code of before serves on when not, and why is in `refused`."""
        rendered = self._rendered[key]
        modules = ((module.name, module.content, module.content_type) for module in rendered.modules)
        try:
            account.replace_code(spec.name_of("workers", key), modules)
        except Refused as error:
            self.refused[key] = (
                f"worker `{key}`: {error.cause.text}\n  fix: mend it and save; the code of before serves on"
            )
            return False
        except UserError as error:
            self.refused[key] = f"worker `{key}`: {error}"
            return False
        self._live[key] = rendered.digest
        return True

    def is_live(self, but: Iterable[str] = ()) -> list[str]:
        """A run of the engine has put all of it live, but what was uploaded meanwhile: that is to be uploaded again."""
        again = [key for key in but if key in self._rendered]
        self.refused.clear()
        self._live = {key: rendered.digest for key, rendered in self._rendered.items() if key not in again}
        return again


def _importable(files: frozenset[Path]) -> set[Path]:
    return {file for file in files if file.suffix in IMPORTED}
