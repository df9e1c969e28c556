"""YAML with positions: a tree of nodes that each know where they stand.

What YAML lets pass silently is a finding here: a key that stands twice, YAML 1.1's `no` and `on`, tags, several
documents, alias bombs, numbers that YAML's versions read differently. Bounds keep any file of the allowed size fast.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from inferstack.config.findings.diagnostics import Place
from inferstack.config.findings.finding import Findings

LARGEST_FILE = 1024 * 1024  # bytes
MOST_NODES = 200_000  # after aliases
DEEPEST = 60
WORDS = {"yes", "no", "on", "off"}
MERGE = "<<"
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+([eE][-+]\d+)?)?\Z")  # the same in every version of YAML, and in JSON
LATER_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+\Z|0o[0-7]+\Z")  # of YAML 1.2; text in 1.1
DEEP = re.compile(rf"(?:- |\? ){{{DEEPEST}}}")
KeyPath = tuple[str | int, ...]
_SCALARS = SafeConstructor()


class _Loader(yaml.CSafeLoader):
    """The C loader with YAML 1.2's booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false|True|False)$"), list("tTfF"))


@dataclass(slots=True)
class Node:
    """A value and the place that a finding on it points at (its key's, in a mapping).

    `value` is a dict of nodes, a list of nodes or a scalar; `plain` tells a scalar without quotes; `append` a list that
    goes behind the one it would replace; `grown_from` is where the first of the lists stands that became this one;
    `written` is the text of a number; `behind` what a list goes behind that is a list only when variables are filled in.
    """

    place: Place
    value: Any
    plain: bool = False
    append: bool = False
    grown_from: Place | None = None
    written: str | None = None
    behind: Node | None = None


def read(file: Path, findings: Findings, kind: str = "stack file") -> Node | None:
    """The file's mapping, or None with findings, which call it a `kind`."""
    start = Place(file, 1, 1)
    text = _text(file, findings, kind)
    if text is None:
        return None
    depth = depth_of(text)
    if depth > DEEPEST:
        findings.add("IS013", start, f"the file nests more than {DEEPEST} levels deep", "flatten it")
        return None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        _not_yaml(file, text, error, findings)
        return None
    except yaml.YAMLError as error:
        findings.add("IS004", start, f"this is not YAML: {str(error).splitlines()[0]}", "remove the sign")
        return None
    if root is None or not isinstance(root, yaml.MappingNode):
        fix = "start with keys such as `environment:`" if kind == "stack file" else "write `key: value`, one a line"
        findings.add("IS007", start, f"a {kind} is a mapping of keys to values", fix)
        return None
    return _Builder(file, findings).build(root, start)


def _text(file: Path, findings: Findings, kind: str) -> str | None:
    start = Place(file, 1, 1)
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            problem = f"the file has {size:,} bytes; a {kind} has at most {LARGEST_FILE:,}"
            findings.add("IS002", start, problem, "split it, or move text into files of its own")
            return None
        raw = file.read_bytes()
    except OSError as error:
        findings.add("IS001", start, f"the file cannot be read: {error.strerror}", "make it a readable file")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        findings.add("IS003", Place(file, line, 1), "the file is not UTF-8 text", "save it as UTF-8")
        return None


def depth_of(text: str) -> int:
    """An upper bound of the nesting, cheap enough to ask before the parser recurses."""
    if DEEP.search(text):
        return DEEPEST + 1
    # A level of a block takes a space, or a dash and then a space: without deep indents there are no deep blocks.
    if text.count("[") + text.count("{") + DEEPEST // 2 < DEEPEST and " " * (DEEPEST // 4) not in text:
        return 0
    deepest = depth = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if sign in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    indents: list[int] = []
    for line in re.finditer(r"^( *)[^ #\n]", text, re.MULTILINE):
        width = len(line.group(1))
        while indents and indents[-1] >= width:
            indents.pop()
        indents.append(width)
        deepest = max(deepest, len(indents))
    return deepest


def _not_yaml(file: Path, text: str, error: yaml.MarkedYAMLError, findings: Findings) -> None:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
    problem = str(error.problem or error).splitlines()[0]
    if "single document" in str(error.context):
        findings.add("IS012", place, "the file holds more than one document", "remove `---`, or split the file")
    elif "cannot start any token" in problem and "\t" in text.split("\n")[place.line - 1][: place.column]:
        findings.add("IS005", place, "a tab cannot indent YAML", "indent with spaces")
    elif "undefined alias" in problem:
        findings.add(
            "IS010", place, f"this is not YAML: {problem}", "name an anchor that stands above, or quote the text"
        )
    else:
        fix = "correct the line, or put text with special signs in quotes"
        if any(re.search(r"[\[{].*:\s*\$\{", line) for line in text.split("\n")[place.line - 1 : place.line]):
            fix = "write the mapping in lines, one key each: between `{` and `}` the braces of `${…}` are YAML's own"
        findings.add("IS004", place, f"this is not YAML: {problem}", fix)


class _Builder:
    """From PyYAML's nodes to ours."""

    def __init__(self, file: Path, findings: Findings) -> None:
        self._file, self._findings, self._count = file, findings, 0
        self._within: list[int] = []
        self._too_deep = False

    def build(self, node: yaml.Node, place: Place) -> Node:
        """An alias may stand inside of its own anchor, or hang a deep list below another: the text alone does not tell."""
        if id(node) in self._within or len(self._within) > DEEPEST:
            if not self._too_deep:
                self._too_deep = True
                within = "an alias stands inside of what its own anchor names: that would never end"
                deep = f"aliases nest the file more than {DEEPEST} levels deep"
                self._findings.add("IS013", place, within if id(node) in self._within else deep, "write the values out")
            return Node(place, None)
        self._within.append(id(node))
        try:
            return self._built(node, place)
        finally:
            self._within.pop()

    def _built(self, node: yaml.Node, place: Place) -> Node:
        self._count += 1
        if self._count > MOST_NODES:
            if self._count == MOST_NODES + 1:
                self._findings.add(
                    "IS009", place, f"aliases unfold to more than {MOST_NODES:,} values", "write the values out once"
                )
            return Node(place, None)
        if isinstance(node, yaml.MappingNode):
            return Node(place, self._mapping(node))
        if isinstance(node, yaml.SequenceNode):
            if node.tag not in ("tag:yaml.org,2002:seq", "!append"):
                self._unknown_tag(node)
            items = [self.build(item, self._place(item)) for item in node.value]
            return Node(place, items, append=node.tag == "!append")
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Node]:
        if node.tag != "tag:yaml.org,2002:map":
            self._unknown_tag(node)
        built: dict[str, Node] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._findings.add("IS011", place, "a key is text, this one is a list or mapping", "write a name")
                continue
            key = str(key_node.value)
            if key in built:
                first = built[key].place.line
                problem = f"the key `{key}` stands twice in one mapping, first in line {first}"
                self._findings.add("IS006", place, problem, "remove one of the two")
                continue
            built[key] = self.build(value_node, place)
        merged = built.pop(MERGE, None)
        return built if merged is None else {**self._merged(merged), **built}

    def _merged(self, node: Node) -> dict[str, Node]:
        """What `<<` brings: of several mappings the first that has a key; the mapping's own keys come before all."""
        sources = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(source.value, dict) for source in sources):
            problem = "`<<` merges mappings, and this is none"
            self._findings.add("IS120", node.place, problem, "write `<<: *name`, where `&name` stands at a mapping")
            return {}
        found: dict[str, Node] = {}
        for source in reversed(sources):
            found |= source.value
        return found

    def _scalar(self, node: Any, place: Place) -> Node:
        text, plain = str(node.value), node.style is None or node.style == ""
        if plain and text.lower() in WORDS:
            problem = f"`{text}` is true or false in YAML 1.1 and text in YAML 1.2"
            self._findings.add("IS008", self._place(node), problem, f'write true or false, or "{text}" for the text')
        try:
            value = scalar(node.tag, text)
        except (KeyError, ValueError, OverflowError):
            self._unknown_tag(node)
            value = text
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if plain and _differs(value, text, number):
            problem = f"`{text}` is not the same in YAML 1.1 and YAML 1.2: one number, another, or text"
            fix = f'write the number in digits, or "{text}" for the text'
            self._findings.add("IS008", self._place(node), problem, fix)
        return Node(place, value, plain=plain, written=text if number else None)

    def _unknown_tag(self, node: yaml.Node) -> None:
        problem = f"the tag `{node.tag}` means nothing here"
        self._findings.add("IS014", self._place(node), problem, "remove it; the only tag is `!append`, on a list")

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _differs(value: Any, text: str, number: bool) -> bool:
    """Whether versions of YAML disagree about the text. Infinity is the same in all; what takes no such number says so."""
    return (not NUMBER.match(text) and math.isfinite(value)) if number else bool(LATER_NUMBER.match(text))


def scalar(tag: str, text: str) -> Any:
    """Raises `KeyError` for a tag that is not YAML's own, `ValueError` for text that does not fit."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return text
    if kind not in ("int", "float", "bool", "null"):
        raise KeyError(tag)
    if kind == "null":
        return None
    if kind == "bool":
        return {"true": True, "false": False}[text.lower()]
    node = yaml.ScalarNode(tag, text)
    return _SCALARS.construct_yaml_int(node) if kind == "int" else _SCALARS.construct_yaml_float(node)


def retyped(text: str) -> Any:
    """What plain text is once a variable in it is filled in: `8787` a number, `true` a boolean.

    Only what can be nothing else: an account's id of 32 digits stays text.
    """
    if not re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d{1,9})?|true|false", text):
        return text
    resolver: Any = _Loader("")
    tag = resolver.resolve(yaml.ScalarNode, text, (True, False))
    value = scalar(tag, text)
    # `1.10` is a version and no number: as a number it would lose its last digit.
    return value if isinstance(value, bool) or json.dumps(value) == text else text


def plain(node: Node) -> Any:
    """The data without places."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def locate(node: Node, path: KeyPath) -> Place:
    """The place of a path, or of the nearest thing that holds it."""
    for part in path:
        inside: Any = node.value
        if isinstance(inside, dict):
            found = inside.get(part)
        else:
            found = inside[part] if isinstance(inside, list) and isinstance(part, int) and part < len(inside) else None
        if found is None:
            break
        node = found
    return node.place
