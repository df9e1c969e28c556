"""From a query's text and variables to a tree of the fields that are asked, with values for their arguments.

There is no schema of types to check variables against: clients call them as they like (wrangler says
`ZoneWorkersRequestsFilter_InputObject` for a filter of D1), so an argument is checked where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import graphql

from inferstack.local.graphql.refusals import Path, Refused

LONGEST, MOST_TOKENS = 100_000, 5_000  # characters, words and signs of a query; unsourced
DEEPEST, MOST_FIELDS = 10, 1_000  # of the tree, fragments laid out; unsourced
ABSENT = object()  # the value of a variable that may be left out, and was
Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A field. `key` is its name in the answer, `path` the keys that lead to it."""

    name: str
    key: str
    path: Path
    arguments: dict[str, Json]
    fields: tuple[Asked, ...]


def read(text: str, variables: dict[str, Json], operation: str | None) -> tuple[Asked, ...]:
    """What is asked of the root. Raises `Refused`."""
    if len(text) > LONGEST:
        raise Refused(f"the query is longer than {LONGEST} characters")
    try:
        document = graphql.parse(text, no_location=True, max_tokens=MOST_TOKENS)
        chosen = _operation(document, operation)
        reading = _Reading(document, _variables(chosen, variables))
        return reading.fields([chosen.selection_set], ())
    except graphql.GraphQLError as error:
        raise Refused(error.message) from None
    except RecursionError:
        raise Refused("the query is nested too deeply") from None


def _operation(document: graphql.DocumentNode, name: str | None) -> graphql.OperationDefinitionNode:
    found = [each for each in document.definitions if isinstance(each, graphql.OperationDefinitionNode)]
    named = [each for each in found if name is None or (each.name is not None and each.name.value == name)]
    if len(named) != 1:
        wanted = f'an operation named "{name[:100]}"' if name else "one operation, or an operationName"
        raise Refused(f"the query must have {wanted}")
    if named[0].operation is not graphql.OperationType.QUERY:
        raise Refused(f"a {named[0].operation.value} is not supported: the API answers queries")
    return named[0]


def _variables(operation: graphql.OperationDefinitionNode, given: dict[str, Json]) -> dict[str, Json]:
    known: dict[str, Json] = {}
    for each in operation.variable_definitions or ():
        name = each.variable.name.value
        if name in given:
            known[name] = given[name]
        elif each.default_value is not None:
            known[name] = _value(each.default_value, {})
        else:
            known[name] = ABSENT
        if isinstance(each.type, graphql.NonNullTypeNode) and (known[name] is ABSENT or known[name] is None):
            raise Refused(f"the variable ${name} has no value")
    return known


class _Reading:
    def __init__(self, document: graphql.DocumentNode, variables: dict[str, Json]) -> None:
        definitions = document.definitions
        self._fragments = {d.name.value: d for d in definitions if isinstance(d, graphql.FragmentDefinitionNode)}
        self._variables, self._count = variables, 0

    def fields(self, sets: list[graphql.SelectionSetNode], path: Path) -> tuple[Asked, ...]:
        """Those of several selections as one: a field that is asked twice has the parts of both."""
        by_key: dict[str, list[graphql.FieldNode]] = {}
        for each in sets:
            self._collect(each, by_key, path, 0)
        return tuple(self._field(key, nodes, (*path, key)) for key, nodes in by_key.items())

    def _collect(
        self, selection: graphql.SelectionSetNode, into: dict[str, list[graphql.FieldNode]], path: Path, depth: int
    ) -> None:
        if len(path) + depth > DEEPEST:
            raise Refused(f"the query is nested more than {DEEPEST} deep", path)
        for each in selection.selections:
            self._count += 1
            if self._count > MOST_FIELDS:
                raise Refused(f"number of fields can't be more than {MOST_FIELDS}", path)
            if not self._included(each, path):
                continue
            if isinstance(each, graphql.FieldNode):
                key = each.alias.value if each.alias else each.name.value
                into.setdefault(key, []).append(each)
            elif isinstance(each, graphql.FragmentSpreadNode):
                fragment = self._fragments.get(each.name.value)
                if fragment is None:
                    raise Refused(f'unknown fragment "{each.name.value[:100]}"', path)
                self._collect(fragment.selection_set, into, path, depth + 1)
            elif isinstance(each, graphql.InlineFragmentNode):
                self._collect(each.selection_set, into, path, depth + 1)

    def _included(self, node: graphql.SelectionNode, path: Path) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in ("include", "skip"):
                raise Refused(f'unknown directive "@{name[:100]}"', path)
            condition = self._arguments(directive).get("if")
            if not isinstance(condition, bool):
                raise Refused(f'error parsing args for "@{name}": "if" must be true or false', path)
            if condition is (name == "skip"):
                return False
        return True

    def _field(self, key: str, nodes: list[graphql.FieldNode], path: Path) -> Asked:
        arguments = [self._arguments(node) for node in nodes]
        if any((n.name.value, a) != (nodes[0].name.value, arguments[0]) for n, a in zip(nodes, arguments, strict=True)):
            raise Refused(f'"{key[:100]}" is asked twice, and not for the same: give one of them an alias', path)
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        fields = self.fields(sets, path) if sets else ()
        return Asked(name=nodes[0].name.value, key=key, path=path, arguments=arguments[0], fields=fields)

    def _arguments(self, node: graphql.FieldNode | graphql.DirectiveNode) -> dict[str, Json]:
        found = {each.name.value: _value(each.value, self._variables) for each in node.arguments or ()}
        # Clients send null for what they leave out.
        return {name: value for name, value in found.items() if value is not ABSENT and value is not None}


def _value(node: graphql.ValueNode, variables: dict[str, Json]) -> Json:
    if isinstance(node, graphql.VariableNode):
        if node.name.value not in variables:
            raise Refused(f"the variable ${node.name.value[:100]} is not declared")
        return variables[node.name.value]
    if isinstance(node, graphql.ListValueNode):
        values = [_value(each, variables) for each in node.values]
        return [None if each is ABSENT else each for each in values]
    if isinstance(node, graphql.ObjectValueNode):
        fields = {each.name.value: _value(each.value, variables) for each in node.fields}
        return {name: each for name, each in fields.items() if each is not ABSENT}
    if isinstance(node, graphql.IntValueNode):
        return int(node.value) if len(node.value) < 30 else float(node.value)
    if isinstance(node, graphql.FloatValueNode):
        return float(node.value)
    if isinstance(node, graphql.StringValueNode | graphql.BooleanValueNode | graphql.EnumValueNode):
        return node.value
    return None
