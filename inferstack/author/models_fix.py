"""Writes the models of a plan into the stack's files: the names alone, in all files or in none."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from inferstack.author.models_plan import Step, readable
from inferstack.config import Node, StackSpec, check_stack, leaves
from inferstack.config.findings.diagnostics import Place
from inferstack.errors import ConfigError

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
BETWEEN = re.compile(r"\s*:\s+")


def fix_models(stack: str, root: Path, steps: list[Step]) -> list[str]:
    """Lines of what was written. Raises `ConfigError`, and then every file is as it was."""
    wanted = {step.alias: step.by for step in steps if step.by and not step.by_hand}
    if not wanted:
        return []
    spec, tree = readable(stack, root), check_stack(stack, root).tree
    assert tree is not None
    edits: dict[Path, dict[tuple[int, int], str]] = {}
    said = []
    for alias, name in wanted.items():
        place, start, end, text = _scalar(tree, alias, spec.models[alias].model, root)
        new = _renamed(spec.models[alias].model, name)
        edits.setdefault(place.file, {})[(start, end)] = _quoted(new, text[start])
        shown = place.file.relative_to(root) if place.file.is_relative_to(root) else place.file
        said.append(f"{shown}:{place.line}: models.{alias}: {spec.models[alias].model} → {new}")
    _write(stack, root, spec, wanted, edits)
    return said


def _renamed(before: str, name: str) -> str:
    """`openai/gpt-x` of `env.AI.run` keeps its provider."""
    provider, sign, _ = before.partition("/")
    return f"{provider}/{name}" if sign and not before.startswith("@") and not name.startswith("@") else name


def _scalar(tree: Node, alias: str, model: str, root: Path) -> tuple[Place, int, int, str]:
    """Where the name stands in its file, in characters; what comes from a variable or an anchor is for a person."""
    node = tree.value["models"].value[alias].value["model"]
    place: Place = node.place
    text = _text(place.file)
    by_hand = f"{place.file}:{place.line}: models.{alias}"
    if leaves(place.file, root):
        raise ConfigError(f"{by_hand} stands outside the project; nothing was written\n  fix: change it there")
    for key, value in _pairs(yaml.compose(text, Loader=yaml.SafeLoader)):
        if (key.start_mark.line + 1, key.start_mark.column + 1) == (place.line, place.column):
            start, end = value.start_mark.index, value.end_mark.index
            whole = isinstance(value, yaml.ScalarNode) and value.value == model
            whole = whole and text[start:end] in (model, f"'{model}'", f'"{model}"')  # an anchor would stand before it
            if whole and BETWEEN.fullmatch(text[key.end_mark.index : start]):
                return place, start, end, text
    fix = f"write the new name by hand; the file has no plain `{model}` there"
    raise ConfigError(f"{by_hand} comes from a variable or an anchor; nothing was written\n  fix: {fix}")


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    found, left, seen = [], [node], set[int]()
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, yaml.MappingNode):
            found += each.value
            left += [value for _, value in each.value]
        elif isinstance(each, yaml.SequenceNode):
            left += each.value
    return found


def _text(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as opened:
        return opened.read()


def _quoted(name: str, sign: str) -> str:
    if sign in "'\"":
        return f"{sign}{name}{sign}"
    return name if PLAIN.fullmatch(name) else f'"{name}"'


def _write(
    stack: str,
    root: Path,
    spec: StackSpec,
    wanted: dict[str, str],
    edits: dict[Path, dict[tuple[int, int], str]],
) -> None:
    before = {file: _text(file) for file in edits}
    try:
        for file, changes in edits.items():
            text = before[file]
            for (start, end), new in sorted(changes.items(), reverse=True):
                text = text[:start] + new + text[end:]
            _replace(file, text)
        _judge(stack, root, spec, wanted)
    except BaseException:
        for file, text in before.items():
            if _text(file) != text:
                _replace(file, text)
        raise


def _replace(file: Path, text: str) -> None:
    """A reader sees the old file or the new one."""
    real = file.resolve()
    beside = real.with_name(f".{real.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8", newline="") as opened:
            opened.write(text)
        shutil.copymode(real, beside)
        beside.replace(real)
    finally:
        beside.unlink(missing_ok=True)


def _judge(stack: str, root: Path, before: StackSpec, wanted: dict[str, str]) -> None:
    try:
        after = readable(stack, root)
    except ConfigError as error:
        said = f"with the new models the stack would be wrong; nothing was written:\n{error}"
        raise ConfigError(said) from None
    moved = {alias for alias, model in after.models.items() if model != before.models[alias]}
    if moved - set(wanted):
        others = ", ".join(sorted(moved - set(wanted)))
        fix = "give each model an entry of its own, or change it by hand"
        raise ConfigError(f"the same text is the model of {others}, too; nothing was written\n  fix: {fix}")
