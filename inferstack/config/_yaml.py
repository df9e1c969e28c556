"""YAML with positions: plain data, and for each path in it the place where it stands.

YAML 1.1 surprises are refused rather than guessed: a key that stands twice, and merge keys are the loader's own; bare
`on`, `no`, `yes` stay text, so that a binding may be called `ON`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from inferstack.config._diagnostics import Finding, Place

LARGEST_FILE = 1024 * 1024  # bytes
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false|True|False)$"), list("tTfF"))


class Document:
    """A file's data and the places of its parts."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.data: dict[str, Any] = {}
        self.places: dict[KeyPath, Place] = {(): Place(file, 1, 1)}
        self.findings: list[Finding] = []

    def place(self, path: KeyPath) -> Place:
        """Of the path, or of the nearest thing that holds it."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


def read(file: Path) -> Document:
    document = Document(file)
    try:
        raw = file.read_bytes()
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"the file has {len(raw)} bytes; a stack file has at most {LARGEST_FILE}")
        text = raw.decode("utf-8")
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else document.place(())
        problem = f"this is not YAML: {error.problem or error}"
        fix = (
            "indent with spaces"
            if "\\t" in str(error.problem)
            else "correct the line, or put text with special signs in quotes"
        )
        document.findings.append(Finding(place, problem, fix))
        return document
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        document.findings.append(Finding(Place(file, line, 1), "the file is not UTF-8 text", "save it as UTF-8"))
        return document
    except (OSError, ValueError, yaml.YAMLError) as error:
        document.findings.append(Finding(document.place(()), str(error), "make it a readable YAML file"))
        return document
    if node is None or not isinstance(node, yaml.MappingNode):
        problem = "a stack file is a mapping of keys to values"
        document.findings.append(Finding(document.place(()), problem, "start with keys such as `environment:`"))
        return document
    document.data = _build(document, node, ())
    return document


def _build(document: Document, node: yaml.Node, path: KeyPath) -> Any:
    mark = node.start_mark
    document.places.setdefault(path, Place(document.file, mark.line + 1, mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_build(document, item, (*path, i)) for i, item in enumerate(node.value)]
    value = _Loader("").construct_object(node, deep=True)
    return _substitute(document, value, path) if isinstance(value, str) else value


def _mapping(document: Document, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        place = Place(document.file, mark.line + 1, mark.column + 1)
        key = str(key_node.value)
        if key in built:
            problem = f"the key `{key}` stands twice in one mapping"
            document.findings.append(Finding(place, problem, "remove one of the two"))
            continue
        document.places[(*path, key)] = place
        built[key] = _build(document, value_node, (*path, key))
    return built


def _substitute(document: Document, text: str, path: KeyPath) -> str:
    """`${VAR}` and `${VAR:-default}` from the environment."""

    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        found = os.environ.get(name)
        if found is None and default is None:
            problem = f"the environment variable `{name}` is not set"
            fix = f"export {name}, or give a default: ${{{name}:-value}}"
            document.findings.append(Finding(document.place(path), problem, fix))
        return found if found is not None else default or ""

    return VARIABLE.sub(value, text)
