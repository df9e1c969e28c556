"""Text files of a project, as they stand."""

from __future__ import annotations

from pathlib import Path

from inferstack.errors import ConfigError


def text_in(file: Path, root: Path) -> str:
    """What the file holds. Raises `ConfigError` with line and column for what is no UTF-8, and for what cannot be read."""
    shown = file.relative_to(root) if file.is_relative_to(root) else file
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = f"{shown}:{before.count(10) + 1}:{error.start - before.rfind(10)}"
        raise ConfigError(f"{place}: the file is no text in UTF-8\n  fix: save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read: {error.strerror}\n  fix: make it a readable file") from None


def text_given(file: Path, fix: str) -> str:
    """What a file holds that a command was given, without a byte order mark. Raises `ConfigError` with the `fix`."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        why = "it is no text in UTF-8"
    except OSError as error:
        why = str(error.strerror)
    raise ConfigError(f"{file} cannot be read: {why}\n  fix: {fix}")
