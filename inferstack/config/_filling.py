"""`${…}` filled in: variables of the environment, the stack's `parameters`, what a loop goes through.

A loop is an entry with `for_each`, in Terraform's words: `${each.key}`, `${each.value}`. In this form an entry stays what it
is, with its keys where editors complete them and findings point at; a template of YAML would lose both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inferstack.config.findings.diagnostics import Place, closest
from inferstack.config.findings.finding import Findings
from inferstack.config.tree import LARGEST_FILE, MOST_NODES, Node, retyped

NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)*"
VARIABLE = re.compile(rf"\$\$\{{|\$\{{(?:({NAME})(\}}|:-))?")
BRACE = re.compile(r"\$\{|\}")
PARAMETERS = "param"
MOST_SIGNS = 8 * LARGEST_FILE  # that `${…}` bring into one stack


@dataclass(slots=True)
class Budget:
    """What loops and `${…}` may make of one stack, so that no small file becomes a large one."""

    findings: Findings
    values: int = MOST_NODES
    signs: int = MOST_SIGNS
    _sizes: dict[int, tuple[Node, int]] = field(default_factory=dict)  # by identity, which lasts while the node is kept

    def take(self, node: Node, place: Place) -> bool:
        """Whether a node that is there may stand at one more place."""
        if id(node) not in self._sizes:
            self._sizes[id(node)] = node, _size(node)
        return self.values_left(self._sizes[id(node)][1], place)

    def values_left(self, count: int, place: Place) -> bool:
        before, self.values = self.values, self.values - count
        if self.values < 0 <= before:
            problem = f"loops and parameters unfold to more than {MOST_NODES:,} values"
            self.findings.add("IS009", place, problem, "go through less")
        return self.values >= 0

    def signs_left(self, count: int, place: Place) -> bool:
        before, self.signs = self.signs, self.signs - count
        if self.signs < 0 <= before:
            problem = f"`${{…}}` bring more than {MOST_SIGNS:,} signs into the stack"
            self.findings.add("IS009", place, problem, "name the long value at fewer places")
        return self.signs >= 0


def _size(node: Node) -> int:
    inside = node.value.values() if isinstance(node.value, dict) else node.value
    return 1 + (sum(_size(each) for each in inside) if isinstance(node.value, dict | list) else 0)


@dataclass(frozen=True, slots=True)
class Scope:
    """What names stand for at one place of the tree."""

    known: Mapping[str, str]  # the stack's own names
    budget: Budget
    named: Mapping[str, Node] = field(default_factory=dict)  # `param`, and the loops around the place
    loops: bool = False  # whether the place is in a loop: only there keys are filled in

    @property
    def findings(self) -> Findings:
        return self.budget.findings

    def with_parameters(self, values: Node) -> Scope:
        return replace(self, named={PARAMETERS: values})

    def inside(self, turn: Mapping[str, Node]) -> Scope:
        return replace(self, named={**self.named, **turn}, loops=True)

    def find(self, name: str) -> Node | None:
        """A parameter, or a part of what a loop goes through; None for what is none."""
        first, *rest = name.split(".")
        node = self.named.get(first)
        for part in rest:
            node = node.value.get(part) if node is not None and isinstance(node.value, dict) else None
        return node


def text_of(node: Node) -> str | None:
    """As it stands in a text; None for a list or a mapping."""
    if isinstance(node.value, list | dict) or node.value is None:
        return None
    if node.written is not None:
        return node.written
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def value_of(node: Node, scope: Scope) -> Node:
    """A scalar with its variables filled in. A parameter that stands alone brings its value as it is, of any kind."""
    text = node.value
    if not isinstance(text, str) or "${" not in text:
        return node
    if node.plain and (name := _alone(text)) and (found := scope.find(name)) is not None:
        return found if scope.budget.take(found, node.place) else Node(node.place, None)
    filled = Filler(scope, node.place).filled(text)
    return Node(node.place, retyped(filled) if node.plain else filled, plain=node.plain)


def _alone(text: str) -> str | None:
    """The name in a text that is one variable and nothing else."""
    match = VARIABLE.match(text)
    if match is None or match[1] is None:
        return None
    end = match.end() - 1 if match[2] == "}" else _end_of_default(text, match.end())
    return match[1] if end == len(text) - 1 else None


class Filler:
    """Puts values into one text, which stands at `place`."""

    def __init__(self, scope: Scope, place: Place) -> None:
        self._scope, self._place, self._findings = scope, place, scope.findings

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
            value = self._value(match[1], default)
            parts.append(value if self._scope.budget.signs_left(len(value), self._place) else "")
        return "".join([*parts, text[at:]])

    def _value(self, name: str, default: str | None) -> str:
        """What stands behind `:-` may have variables itself; they are read when it is used."""
        first = name.partition(".")[0]
        if "." in name or first in self._scope.named:
            return self._part(name, default)
        found = self._scope.known.get(name)
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

    def _part(self, name: str, default: str | None) -> str:
        node = self._scope.find(name)
        if node is None or node.value is None:
            if default is not None:
                return self.filled(default)
            problem, fix = self._missing(name)
            self._findings.add("IS116", self._place, problem, fix)
            return ""
        text = text_of(node)
        if text is None:
            problem = f"`${{{name}}}` is a list or a mapping, and stands in a text"
            self._findings.add("IS116", self._place, problem, "name one of its values, or let it stand alone")
        return text or ""

    def _missing(self, name: str) -> tuple[str, str]:
        first, *rest = name.split(".")
        node = self._scope.named.get(first)
        if node is None:
            if first == "each":
                return f"`${{{name}}}` stands in no loop", "put `for_each: NAME` into the entry"
            known = sorted(self._scope.named)
            if PARAMETERS not in known:
                problem = f"`${{{name}}}` stands in `parameters`, where only the environment's variables are filled in"
                return problem, "write the value there, or share it by YAML's `&name` and `*name`"
            return f"there is no `{first}`{closest(first, known)}", f"one of: {', '.join(known)}"
        path = first
        for part in rest:
            inside = node.value if isinstance(node.value, dict) else {}
            if part not in inside:
                fix = f"one of: {', '.join(inside)}" if inside else "declare it under `parameters:`"
                return f"`{path}` has no `{part}`{closest(part, list(inside))}", f"{fix}; or `${{{name}:-default}}`"
            node, path = inside[part], f"{path}.{part}"
        return f"`${{{name}}}` is null", f"give it a value, or write `${{{name}:-default}}`"


def _end_of_default(text: str, start: int) -> int | None:
    """Where the brace stands that closes a default; braces of variables inside it come in pairs."""
    depth = 1
    for brace in BRACE.finditer(text, start):
        depth += 1 if brace.group() == "${" else -1
        if depth == 0:
            return brace.start()
    return None
