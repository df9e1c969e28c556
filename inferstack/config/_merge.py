"""Files into one tree: `extends`, folders of files, Pulumi's overrides; then `${…}` filled in.

Order, later wins: the files of `extends` as listed, the file itself (of a folder: its files by name), then what
`Pulumi.<stack>.yaml` has under `inferstack:overrides`. Mappings merge by key, null removes, a list replaces a list
unless it is tagged `!append`.
"""

from __future__ import annotations

import os
import re
from functools import reduce
from pathlib import Path

from inferstack.config.findings.diagnostics import Place, closest
from inferstack.config.findings.finding import Findings
from inferstack.config.paths import foreign, leaves, real_path
from inferstack.config.tree import Node, read, retyped

VARIABLE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(\}|:-))?")
BRACE = re.compile(r"\$\{|\}")
OVERRIDES = "inferstack:overrides"


def read_stack(name: str, files: list[Path], root: Path, findings: Findings) -> Node | None:
    """One tree of all of a stack's files, or None when one of them cannot be used."""
    inside = [file for file in files if not _outside(file, root, findings)]
    trees = [tree for file in inside if (tree := _with_bases(file, root, [], findings))]
    over = _overrides(root / f"Pulumi.{name}.yaml", root, findings)
    if not trees or findings.wrong:
        return None
    merged = reduce(merge, [*trees, over] if over else trees)
    environment = merged.value.get("environment")
    known = {"stack": name, "environment": str(environment.value) if environment else name}
    _fill(merged, known, findings)
    return merged


def _outside(file: Path, root: Path, findings: Findings) -> bool:
    """Findings show the line they stand at, so that a link would show any file of the machine."""
    if not foreign(file, root):
        return False
    findings.add("IS017", Place(file, 1, 1), "the file is a link that leaves the project", "put the file itself there")
    return True


def _overrides(file: Path, root: Path, findings: Findings) -> Node | None:
    if not file.is_file() or _outside(file, root, findings):
        return None
    node = read(file, findings)
    config = node.value.get("config") if node else None
    if config is None or not isinstance(config.value, dict):
        return None
    found = config.value.get(OVERRIDES)
    return found if found is not None and isinstance(found.value, dict) else None


def _with_bases(file: Path, root: Path, chain: list[Path], findings: Findings) -> Node | None:
    node = read(file, findings)
    if node is None:
        return None
    given = node.value.pop("extends", None)
    if given is None:
        return node
    bases = given.value if isinstance(given.value, list) else [given]
    chain = [*chain, real_path(file)]
    trees = []
    for base in bases:
        other = real_path(file.parent / str(base.value))
        if not _refused(base, other, root, chain, findings) and (tree := _with_bases(other, root, chain, findings)):
            trees.append(tree)
    return reduce(merge, [*trees, node])


def _refused(base: Node, other: Path, root: Path, chain: list[Path], findings: Findings) -> bool:
    text = f"`extends: {base.value}`"
    if leaves(other, root):
        findings.add("IS017", base.place, f"{text}: the path leaves the project", "name a file under stacks/")
    elif other in chain:
        findings.add("IS016", base.place, f"{text}: the files extend each other in a circle", "remove one `extends`")
    elif not other.is_file():
        here = [file.name for file in base.place.file.parent.glob("*.yaml")]
        near = closest(str(base.value), here)
        findings.add("IS015", base.place, f"{text}: there is no such file{near}", "name a file under stacks/")
    else:
        return False
    return True


def merge(old: Node, new: Node) -> Node:
    if isinstance(old.value, list) and isinstance(new.value, list):
        return _lists(old, new)
    if not (isinstance(old.value, dict) and isinstance(new.value, dict)):
        return new
    merged = dict(old.value)
    for key, item in new.value.items():
        if item.value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged[key], item) if key in merged else item
    return Node(new.place, merged)


def _lists(old: Node, new: Node) -> Node:
    """`new`, behind `old` when it is to be appended, or when both are one list of a file that two bases extend.

    What both have is there once: an item is known by its place.
    """
    first = old.grown_from or old.place
    if not new.append and first != (new.grown_from or new.place):
        return new
    known = {item.place for item in old.value}
    more = [item for item in new.value if item.place not in known]
    return Node(new.place, [*old.value, *more], append=old.append, grown_from=first)


def _fill(node: Node, known: dict[str, str], findings: Findings) -> None:
    if isinstance(node.value, dict):
        for item in node.value.values():
            _fill(item, known, findings)
    elif isinstance(node.value, list):
        for item in node.value:
            _fill(item, known, findings)
    elif isinstance(node.value, str) and "${" in node.value:
        filled = _Filler(known, node.place, findings).filled(node.value)
        node.value = retyped(filled) if node.plain else filled


class _Filler:
    """Puts values into one text, which stands at `place`."""

    def __init__(self, known: dict[str, str], place: Place, findings: Findings) -> None:
        self._known, self._place, self._findings = known, place, findings

    def filled(self, text: str) -> str:
        parts, at = [], 0
        while match := VARIABLE.search(text, at):
            parts.append(text[at : match.start()])
            at = match.end()
            if match.group() == "$${":
                parts.append("${")
                continue
            default = None
            if match[2] == ":-":
                end = _end_of_default(text, at)
                default, at = text[at : end or len(text)], (end or len(text)) + 1
            if match[1] is None or (match[2] == ":-" and end is None):
                fix = "write `${NAME}`, or `$${` for the signs themselves"
                self._findings.add("IS019", self._place, "`${` without a name and an end", fix)
                continue
            parts.append(self._value(match[1], default))
        return "".join([*parts, text[at:]])

    def _value(self, name: str, default: str | None) -> str:
        """What stands behind `:-` may have variables itself; they are read when it is used."""
        found = self._known.get(name)
        if found is None and name in os.environ:
            found = os.environ[name]
            self._findings.hide(name, found)
        if found is not None:
            return found
        if default is not None:
            return self.filled(default)
        fix = f"export {name}, or give a default: ${{{name}:-value}}"
        self._findings.add("IS018", self._place, f"the environment variable `{name}` is not set", fix)
        return ""


def _end_of_default(text: str, start: int) -> int | None:
    """Where the brace stands that closes a default; braces of variables inside it come in pairs."""
    depth = 1
    for brace in BRACE.finditer(text, start):
        depth += 1 if brace.group() == "${" else -1
        if depth == 0:
            return brace.start()
    return None
