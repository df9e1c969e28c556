"""`inferstack render`: the code of a stack's Workers as it would be uploaded."""

from __future__ import annotations

from pathlib import Path

from inferstack.config import lacking, load_stack
from inferstack.errors import ConfigError
from inferstack.render import render_worker


def code_of(stack: str, root: Path, worker: str | None = None) -> dict[str, dict[str, str]]:
    """Modules by Worker and name; bytes that are no text are shown by their number."""
    spec = load_stack(stack, root)
    if worker is not None and worker not in spec.workers:
        raise ConfigError(lacking(f"stack `{stack}`", "Worker", worker, spec.workers))
    found: dict[str, dict[str, str]] = {}
    for key in [worker] if worker else spec.workers:
        modules = render_worker(spec, key, root).modules
        found[key] = {module.name: _text(module.content) for module in modules}
    return found


def write(stack: str, root: Path, worker: str | None, folder: Path) -> list[Path]:
    """One folder for each Worker. Raises `ConfigError` when a file is in the way."""
    written = []
    for key, modules in code_of(stack, root, worker).items():
        for name, text in modules.items():
            file = folder / key / name
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            except OSError as error:
                raise ConfigError(f"{file} cannot be written: {error.strerror}\n  fix: name another --out") from None
            written.append(file)
    return written


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes)\n"
