"""YAML of files that are no stack: read by the same bounds, and what is wrong as one sentence."""

from __future__ import annotations

from typing import Any

import yaml

from inferstack.config.tree import DEEPEST, depth_of


def bounded(text: str) -> str:
    """The text itself. Raises ValueError when it nests so deep that the parser would end the process."""
    if depth_of(text) > DEEPEST:
        raise ValueError(f"it nests more than {DEEPEST} levels deep")
    return text


def yaml_values(text: str) -> Any:
    """Raises ValueError with line and column for what is no YAML, and for a date that there is not."""
    try:
        return yaml.load(bounded(text), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}it is no YAML: {str(error.problem or error).splitlines()[0]}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {str(error).splitlines()[0]}") from None
