"""`inferstack config`: a stack as its files make it together, and how two stacks differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from inferstack.config import Checked, Node, check_stack, format_findings, plain, yaml_text
from inferstack.errors import ConfigError


def show(name: str, root: Path, *, origin: bool = False, named: bool = False) -> str:
    """The merged stack as YAML, or a line for each value with where it came from. Raises `ConfigError`."""
    checked = _checked(name, root)
    assert checked.tree is not None
    tree = _named(checked.tree, checked.findings.named) if named else checked.tree
    if not origin:
        return yaml_text(plain(tree)).rstrip()
    values = list(_values(tree, ""))
    width = max((len(f"{path}: {_text(node.value)}") for path, node in values), default=0)
    lines = []
    for path, node in values:
        file = node.place.file
        shown = file.relative_to(root) if file.is_relative_to(root) else file
        lines.append(f"{f'{path}: {_text(node.value)}':{min(width, 80)}}  # {shown}:{node.place.line}")
    return "\n".join(lines)


def values(name: str, root: Path, *, named: bool = False) -> list[dict[str, Any]]:
    """Each value of the merged stack with its path and where it came from.

    `named`: in place of what an environment variable holds stands its name, since it may be a token.
    """
    found = []
    checked = _checked(name, root)
    assert checked.tree is not None
    tree = _named(checked.tree, checked.findings.named) if named else checked.tree
    for path, node in _values(tree, ""):
        file = node.place.file
        shown = file.relative_to(root) if file.is_relative_to(root) else file
        found.append({"path": path, "value": node.value, "file": str(shown), "line": node.place.line})
    return found


def differences(one: str, other: str, root: Path) -> list[dict[str, Any]]:
    """Values that differ, by path; a side that has none lacks its key."""
    left, right = (dict(_values(_tree(name, root), "")) for name in (one, other))
    found = []
    for path in sorted({*left, *right}):
        old, new = left.get(path), right.get(path)
        if old is not None and new is not None and old.value == new.value:
            continue
        sides = ((one, old), (other, new))
        found.append({"path": path, **{name: node.value for name, node in sides if node is not None}})
    return found


def as_diff(one: str, other: str, found: list[dict[str, Any]]) -> str:
    """`-` is the first stack's, `+` the second's."""
    lines = [f"--- {one}", f"+++ {other}"]
    for entry in found:
        lines += [
            f"{sign} {entry['path']}: {_text(entry[name])}"
            for sign, name in (("-", one), ("+", other))
            if name in entry
        ]
    return "\n".join(lines) if len(lines) > 2 else f"`{one}` and `{other}` say the same"


def _tree(name: str, root: Path) -> Node:
    tree = _checked(name, root).tree
    assert tree is not None
    return tree


def _checked(name: str, root: Path) -> Checked:
    checked = check_stack(name, root)
    if checked.tree is None or checked.spec is None:
        raise ConfigError(format_findings(checked.findings, root))
    return checked


def _named(node: Node, named: Callable[[Any], Any]) -> Node:
    if isinstance(node.value, dict):
        return replace(node, value={str(named(key)): _named(each, named) for key, each in node.value.items()})
    if isinstance(node.value, list):
        return replace(node, value=[_named(each, named) for each in node.value])
    return replace(node, value=named(node.value))


def _values(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, dict) and node.value:
        for key, item in node.value.items():
            yield from _values(item, f"{path}.{key}" if path else key)
    elif isinstance(node.value, list) and node.value:
        for place, item in enumerate(node.value):
            yield from _values(item, f"{path}[{place}]")
    else:
        yield path, node


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
