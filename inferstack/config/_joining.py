"""Two trees into one: mappings by key, null removes, a list replaces a list unless it is tagged `!append`."""

from __future__ import annotations

from dataclasses import replace

from inferstack.config.tree import Node

FOR_EACH = "for_each"


def is_loop(node: Node) -> bool:
    return isinstance(node.value, dict) and FOR_EACH in node.value


def has_loop(entries: dict[str, Node]) -> bool:
    """Whether a name that is not there yet may come from a loop, for a null of that name to remove it then."""
    return any(is_loop(each) for each in entries.values())


def merge(old: Node, new: Node) -> Node:
    if isinstance(old.value, list) and isinstance(new.value, list):
        return _lists(old, new)
    if isinstance(new.value, list) and new.append:
        return replace(new, behind=old)
    if not (isinstance(old.value, dict) and isinstance(new.value, dict)):
        return new
    merged = dict(old.value)
    for key, item in new.value.items():
        if item.value is None and not (key not in merged and has_loop(merged)):
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
    return Node(new.place, [*old.value, *more], append=old.append, grown_from=first, behind=old.behind)
