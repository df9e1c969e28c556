"""`bundle.globals`: files whose content is a global of the code, in a module that the bundle runs before it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from inferstack.config import WorkerSpec, leaves
from inferstack.errors import ConfigError


def write_globals(worker: WorkerSpec, folder: Path, root: Path) -> tuple[list[Path], list[Path]]:
    """(modules to inject, files read). Raises `ConfigError` for a file that cannot be read."""
    lines, read = list[str](), list[Path]()
    for name, spec in (worker.bundle.globals if worker.bundle else {}).items():
        file = root / spec.file
        if leaves(file, root):
            raise ConfigError(f"the file `{spec.file}` of the global `{name}` leaves the project\n  fix: copy it there")
        try:
            content = file.read_bytes()
        except OSError as error:
            problem = f"the file `{spec.file}` of the global `{name}` cannot be read: {error.strerror}"
            raise ConfigError(f"{problem}\n  fix: build it first, or correct the path") from None
        if spec.type == "CompiledWasm":
            value = f"_{name}"
            lines.insert(0, f"import {value} from {json.dumps(str(file))};")
        elif spec.type == "Text":
            value = json.dumps(content.decode("utf-8", "replace"))
        else:
            coded = json.dumps(base64.b64encode(content).decode())
            value = f"Uint8Array.from(atob({coded}), (one) => one.charCodeAt(0)).buffer"
        lines.append(f"globalThis.{name} = {value};")
        read.append(file)
    if not lines:
        return [], []
    module = folder / "file_globals.mjs"
    module.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [module], read
