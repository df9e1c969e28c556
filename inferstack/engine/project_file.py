"""A project's Pulumi.yaml, looked at before Pulumi's SDK reads it, which has a traceback for one that is odd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import ProjectSettings

from inferstack.errors import ConfigError

NAME = "Pulumi.yaml"
FIX = "it begins with `name: NAME` and `runtime: python`; `inferstack init` in an empty folder writes one to copy"


def check_project_file(root: Path) -> None:
    """Raises `ConfigError` with what is wrong; the fields that only Pulumi knows are left to it."""
    file = root / NAME
    try:
        problem = _problem(yaml.safe_load(file.read_text("utf-8")))
    except FileNotFoundError:
        return  # Pulumi.json, or none: a program of one's own
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8: byte {error.start + 1} cannot be read"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = f"it is not YAML{f' in line {mark.line + 1}' if mark else ''}: {error.problem}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a control sign, a day that there is not, too deep
        problem = f"it is not YAML: {str(error).splitlines()[0]}"
    if problem:
        raise ConfigError(f"{file}: {problem}\n  fix: {FIX}")


def _problem(data: Any) -> str | None:
    if data is None:
        return "it is empty"
    if not isinstance(data, dict):
        return "it is no mapping of names to values"
    if not isinstance(data.get("name"), str) or not data["name"].strip():
        return "`name` must be the project's name, as text"
    runtime = data.get("runtime")
    named = runtime.get("name") if isinstance(runtime, dict) else runtime
    if not isinstance(named, str) or not named.strip():
        return "`runtime` must be the language's name, as text, or a mapping with it as `name`"
    try:
        ProjectSettings.from_dict(data)
    except (TypeError, KeyError, AttributeError, ValueError):
        return "a field holds what Pulumi does not take there: see pulumi.com/docs/iac/concepts/projects/project-file"
    return None
