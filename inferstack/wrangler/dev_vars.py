"""`.dev.vars` and `.env` beside wrangler's file: where the secrets are. Their values are read by nobody here."""

from __future__ import annotations

import os
from pathlib import Path

from inferstack.config import env_file, leaves
from inferstack.wrangler.section import LEFT_OUT, NAME, Section

OF_WRANGLER = ("CLOUDFLARE_", "WRANGLER_")


def names_in(file: Path, root: Path) -> dict[str, bool]:
    """Each with whether it has a value; none of a file that lies elsewhere."""
    if leaves(file, root):
        return {}
    try:
        return {name: bool(value) for name, value in env_file(file).items()}
    except (OSError, UnicodeDecodeError):
        return {}


def files_of(folder: Path, environment: str | None) -> list[Path]:
    """Those that `wrangler dev` reads, the one that wins last: either kind, never both."""
    for name in [*([f".dev.vars.{environment}"] if environment else []), ".dev.vars"]:
        if (folder / name).is_file():
            return [folder / name]
    names = [".env", ".env.local", *([f".env.{environment}", f".env.{environment}.local"] if environment else [])]
    return [folder / name for name in names if (folder / name).is_file()]


def add_secrets(section: Section, used: set[str]) -> None:
    """A reference for each name: to the file itself here, to the environment where the file will not be.

    An `.env` serves other tools too, so that of it only counts what the code reads (`used`).
    """
    required = set(section.entry.get("secrets", {}))
    listed = "secrets" in section.keys and bool(required)
    where: dict[str, tuple[Path, bool]] = {}
    for file in files_of(section.root / section.file.folder, section.environment):
        general = not file.name.startswith(".dev.vars")
        for name, filled in names_in(file, section.root).items():
            if (listed and name not in required) or (general and name not in used | required):
                continue
            if general and name.startswith(OF_WRANGLER) and name not in required:
                continue
            where[name] = file, filled
    for name, (file, filled) in where.items():
        _add(section, name, file, filled=filled)


def _add(section: Section, name: str, file: Path, *, filled: bool) -> None:
    shown = Path(os.path.normpath(Path(section.file.folder) / file.name)).as_posix()
    local = section.draft.target == "local"
    if not NAME.fullmatch(name):
        section.note((), f"{LEFT_OUT}`{name}` of {shown} is no name of letters, digits and underscores")
        return
    if local and not filled:
        section.note((), f"{LEFT_OUT}`{name}` of {shown} has no value")
        return
    if name in section.entry.get("vars", {}):
        if not local:
            return  # the file stands in for it in `wrangler dev` alone
        section.entry["vars"].pop(name)
    if name in section.entry.get("bindings", {}):
        return
    reference = f"file:{shown}#{name}" if local else f"env:{name}"
    section.entry.setdefault("secrets", {})[name] = reference
