"""Mutants of a Python file: each is the file with one small thing changed, as a careless hand would.

Changed are comparisons, conditions, `and` and `or`, `not`, arithmetic, numbers, texts, truths and what is returned. Docstrings,
`__all__` and the annotations of functions are left alone, as they do nothing; annotations of classes are not, as
pydantic reads them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
LONGEST = 60  # characters of code in a label


@dataclass(frozen=True, slots=True)
class Mutant:
    """`change` says what became what in which function; `source` is the whole file."""

    line: int
    function: str
    change: str
    source: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A node, the one that holds it, and how it is called there."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.expr
    function: str

    def put(self, node: ast.expr) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    tree = ast.parse(source)
    for place in list(_places(tree, "")):
        for changed in _changes(place):
            place.put(changed)
            label = f"{_short(place.node)} → {_short(changed)}"
            yield Mutant(place.node.lineno, place.function, label, ast.unparse(tree))
            place.put(place.node)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _places(node: ast.AST, function: str) -> Iterator[_Place]:
    """Every expression that does something, with the dotted name of the function or class around it."""
    inside = f"{function}.{node.name}".lstrip(".") if isinstance(node, ast.FunctionDef | ast.ClassDef) else function
    for field, value in ast.iter_fields(node):
        if _is_idle(node, field):
            continue
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(item, ast.AST) or _is_text_alone(item):
                continue
            if isinstance(item, ast.expr):
                yield _Place(node, field, index, item, inside)
            yield from _places(item, inside)


def _is_idle(node: ast.AST, field: str) -> bool:
    """Whether what stands there is read by type checkers only."""
    if isinstance(node, ast.Assign):
        return field == "value" and any(isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets)
    return (isinstance(node, ast.arg) and field == "annotation") or field in (
        "returns",
        "decorator_list",
        "format_spec",
    )


def _is_text_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(place: _Place) -> Iterator[ast.expr]:
    node = place.node
    if isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not _has_text(node):
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    if _is_condition(place):
        yield ast.UnaryOp(ast.Not(), node)
    if isinstance(place.parent, ast.Return) and not _is_none(node):
        yield ast.Constant(None)


def _of_comparison(node: ast.Compare) -> Iterator[ast.expr]:
    for at, operator in enumerate(node.ops):
        changed = copy.copy(node)
        changed.ops = [*node.ops[:at], COMPARISONS[type(operator)](), *node.ops[at + 1 :]]
        yield changed


def _of_constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, str):
        yield ast.Constant(f"XX{value}XX" if value else "XX")


def _has_text(node: ast.BinOp) -> bool:
    """`+` of texts or lists: taking it for `-` would fail at once and prove nothing."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Constant)]
    texts = any(isinstance(part.value, str) for part in parts)
    return texts or isinstance(node.left, ast.List | ast.ListComp) or isinstance(node.right, ast.List | ast.ListComp)


def _is_condition(place: _Place) -> bool:
    """Of an `if`, a `while` or a comprehension; a comparison is changed already."""
    conditional = (place.field == "test" and isinstance(place.parent, ast.If | ast.While | ast.IfExp)) or (
        place.field == "ifs" and isinstance(place.parent, ast.comprehension)
    )
    changed_already = isinstance(place.node, ast.UnaryOp) and isinstance(place.node.op, ast.Not)
    return (
        conditional and not changed_already and not (isinstance(place.node, ast.Compare) and len(place.node.ops) == 1)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
