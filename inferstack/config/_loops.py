"""`for_each`: one entry that stands for several, unfolded where it stands."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from inferstack.config._filling import PARAMETERS, Budget, Filler, Scope, text_of, value_of
from inferstack.config._joining import FOR_EACH, has_loop, is_loop, merge
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.finding import Findings
from inferstack.config.tree import Node

MOST_TURNS = 1000
LOOP_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
SOURCE = "name a list or a mapping of `parameters:`, or write a list: `for_each: [de, en]`"
Turn = dict[str, Node]


def fill(tree: Node, known: dict[str, str], findings: Findings) -> Node:
    """The stack without `parameters`, loops and variables."""
    parameters = tree.value.pop("parameters", None)
    environment = tree.value.get("environment")
    scope = Scope(known, Budget(findings))
    if environment is not None and f"${{{PARAMETERS}." not in str(environment.value):
        known |= _environment(environment, scope)
    if parameters is not None and not isinstance(parameters.value, dict):
        findings.add("IS115", parameters.place, "`parameters` is no mapping", "write names, each with its value")
        parameters = None
    values = _filled(parameters, scope) if parameters else Node(tree.place, {})
    scope = scope.with_parameters(values)
    if environment is not None:
        known |= _environment(environment, scope)
    return _filled(tree, scope)


def _environment(node: Node, scope: Scope) -> dict[str, str]:
    """What `${environment}` stands for; what is no text is told where it is checked."""
    text = text_of(value_of(node, scope))
    return {} if text is None else {"environment": text}


def _filled(node: Node, scope: Scope) -> Node:
    if scope.loops and not scope.budget.values_left(1, node.place):
        return Node(node.place, None)
    if isinstance(node.value, dict):
        return Node(node.place, _mapping(node, scope))
    if isinstance(node.value, list):
        items = [made for item in node.value for made in _items(item, scope)]
        if node.behind is not None:
            items = [*_first(node, node.behind, scope), *items]
        return Node(node.place, items, append=node.append, grown_from=node.grown_from)
    return value_of(node, scope)


def _first(node: Node, behind: Node, scope: Scope) -> list[Node]:
    """What `!append` goes behind: a parameter's list, by now."""
    told, found = len(scope.findings), _filled(behind, scope)
    if isinstance(found.value, list):
        return list(found.value)
    if found.value is not None and len(scope.findings) == told:
        where = f"{behind.place.file.name}:{behind.place.line}"
        fix = "leave `!append` out to replace it, or make it a list there"
        scope.findings.add("IS147", node.place, f"`!append` goes behind a list, and {where} has none", fix)
    return []


def _mapping(node: Node, scope: Scope) -> dict[str, Node]:
    """An entry that stands under a name itself wins over the loop's, or takes it back by null."""
    found: dict[str, Node] = {}
    makers: dict[str, str] = {}
    for key, item in node.value.items():
        if is_loop(item):
            for name, made in _entries(key, item, scope):
                if (other := makers.setdefault(name, key)) != key:
                    problem = f"the loops `{other}` and `{key}` both make an entry `{name}`"
                    scope.findings.add("IS117", item.place, problem, "let their names begin differently")
                    break
                found[name] = merge(made, found[name]) if name in found else made
            continue
        name = Filler(scope, item.place).filled(key) if scope.loops and "${" in key else key
        made = _filled(item, scope)
        found[name] = merge(found[name], made) if name in found else made
    return {name: each for name, each in found.items() if each.value is not None or not has_loop(node.value)}


def _entries(key: str, item: Node, scope: Scope) -> Iterator[tuple[str, Node]]:
    names: set[str] = set()
    for turn in _turns(item, scope):
        inner = scope.inside(turn)
        name = Filler(inner, item.place).filled(key)
        if name in names:
            problem = f"the loop makes two entries `{name}`"
            fix = f"let the name tell them apart, such as `{key}-${{{next(iter(turn))}.key}}`"
            if "${" not in key:
                fix += "; what is there once, as a section is, has `for_each` in its entries"
            scope.findings.add("IS117", item.place, problem, fix)
            return
        names.add(name)
        yield name, _body(item, inner)


def _items(item: Node, scope: Scope) -> Iterator[Node]:
    if not is_loop(item):
        yield _filled(item, scope)
        return
    for turn in _turns(item, scope):
        yield _body(item, scope.inside(turn))


def _body(item: Node, scope: Scope) -> Node:
    """`value` alone is what is no mapping."""
    body = {key: each for key, each in item.value.items() if key != FOR_EACH}
    if list(body) == ["value"]:
        return _filled(body["value"], scope)
    return _filled(Node(item.place, body), scope)


def _turns(item: Node, scope: Scope) -> Iterator[Turn]:
    """Several names go through every pair."""
    given = item.value[FOR_EACH]
    loops = given.value if isinstance(given.value, dict) else {"each": given}
    taken = [name for name in loops if not LOOP_NAME.match(name) or name in (PARAMETERS, *scope.known)]
    for name in taken:
        fix = "choose another, of small letters, digits and underscores"
        scope.findings.add("IS115", loops[name].place, f"`{name}` cannot be the name of a loop", fix)
    if not loops:
        scope.findings.add("IS115", given.place, "`for_each` names nothing to go through", SOURCE)
    if taken or not loops:
        return
    turns = {name: list(_through(source, scope)) for name, source in loops.items()}
    count = 1
    for each in turns.values():
        count *= len(each)
    if count > MOST_TURNS:
        problem = f"`for_each` goes {count:,} times; {MOST_TURNS:,} is the most"
        scope.findings.add("IS115", given.place, problem, "go through less")
        return
    for pair in itertools.product(*turns.values()):
        yield dict(zip(turns, pair, strict=True))


def _through(source: Node, scope: Scope) -> Iterator[Node]:
    """What `each` is, turn by turn: a mapping of `key` and `value`."""
    node = _source(source, scope)
    if node is None:
        return
    if isinstance(node.value, dict):
        pairs = [(Node(item.place, key), item) for key, item in node.value.items()]
    else:
        pairs = [(item, item) for item in node.value]
    for key, value in pairs:
        if text_of(key) is None:
            fix = "make it a mapping: names, each with what belongs to it"
            scope.findings.add("IS115", key.place, "an entry of a list that `for_each` goes through is no text", fix)
            return
        yield Node(key.place, {"key": key, "value": value})


def _source(source: Node, scope: Scope) -> Node | None:
    # Between `{` and `}` of YAML's own a variable stands in quotes, and is the same parameter.
    node = _filled(replace(source, plain=True) if isinstance(source.value, str) else source, scope)
    if isinstance(node.value, str):
        name, node = node.value, scope.find(f"{PARAMETERS}.{node.value}") or Node(source.place, None)
        if node.value is None:
            known = list(scope.named[PARAMETERS].value) if PARAMETERS in scope.named else []
            problem = f"there is no parameter `{name}`{closest(name, known)}"
            scope.findings.add("IS115", source.place, problem, SOURCE)
            return None
    if not isinstance(node.value, list | dict):
        scope.findings.add(
            "IS115", source.place, "`for_each` goes through lists and mappings, and this is none", SOURCE
        )
        return None
    return node
