"""Prompts: texts with variables, each change of which is a version.

A prompt goes up as a JSON variable of each version of a Worker that uses it. So it goes live, is checked, is rolled out in steps
and goes back with the code that was tried with it, and no request waits for another store. A KV entry would change under
running code, for each place at another moment, and no deployment would tell of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from inferstack.config._base import BindingName, StrictModel

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
ODD = re.compile(r"\{\{(?!\s*[A-Za-z_][A-Za-z0-9_]*\s*\}\})[^\n]{0,40}")
LARGEST = 5 * 1024  # bytes of a Worker's variable; facts `limits.json`, environment_variable_size
DIGITS = 12  # of a version


class PromptSpec(StrictModel):
    """A text in place or in a file. `variables` are its `{{names}}`: with a value, or open until the Worker fills them."""

    text: Annotated[str, Field(min_length=1)] | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    variables: dict[BindingName, str | None] = {}

    @model_validator(mode="after")
    def _one_text(self) -> PromptSpec:
        if (self.text is None) == (self.file is None):
            raise ValueError("a prompt stands in `text` or in a `file`, in one of them")
        return self

    @property
    def open(self) -> list[str]:
        """Variables without a value."""
        return sorted(name for name, value in self.variables.items() if value is None)

    def written(self, root: Path) -> str:
        """As it stands in the project. Raises `OSError` and `UnicodeDecodeError`."""
        return self.text if self.file is None else (root / self.file).read_text().strip()  # type: ignore[return-value]


def prompt_variable(key: str) -> str:
    """The variable in which a template finds the prompt that the file calls `key`."""
    return "PROMPT_" + key.upper().replace("-", "_")


def names_in(text: str) -> set[str]:
    """The variables that a text names."""
    return set(PLACEHOLDER.findall(text))


def odd_places(text: str) -> Iterator[str]:
    """What begins as a variable and is none."""
    yield from ODD.findall(text)


def prompt_value(key: str, prompt: PromptSpec, root: Path) -> dict[str, Any]:
    """What a Worker has of it: its name, its version (of 12 hexadecimal digits, the same for the same words everywhere), its
    text with the values filled in, and the variables that are still open."""
    values = {name: value for name, value in prompt.variables.items() if value is not None}
    text = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), prompt.written(root))
    version = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
    return {"prompt": key, "version": version, "text": text, "variables": prompt.open}


def prompt_in(binding: dict[str, Any]) -> dict[str, Any] | None:
    """The prompt that a binding of a version carries, if it is one."""
    value = binding.get("json")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) and value.keys() == {"prompt", "version", "text", "variables"} else None
