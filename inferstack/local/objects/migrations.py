"""Migrations of Durable Object classes: pure, from the namespaces before to the namespaces after.

Codes and texts as Cloudflare was seen to answer in public reports: 10061 (workers-sdk#10034, #8203), 10064
(mcp-server-cloudflare#387), 10070 and 10074 (deploy logs), 10079 (workers-sdk#705).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, hex_id
from inferstack.local.objects.state import NAMESPACE, Space, find_space

NAMES = ("new_classes", "new_sqlite_classes", "deleted_classes")
MOVES = {"renamed_classes": ("from", "to"), "transferred_classes": ("from", "from_script", "to")}
UNBOUND = "Cannot create binding for class '{}' because it is not currently configured to implement Durable Objects. "
UNBOUND += "Ensure a --new-class migration has been applied to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The Worker that migrates. `classes` are those that its new version exports."""

    account: str
    script: str
    classes: frozenset[str]
    bindings: list[Document]


def read(body: Any) -> list[Document]:
    """The steps of `migrations`, each checked for its shape; raises `ApiError`."""
    if body is None:
        return []
    if not isinstance(body, dict):
        raise ApiError(400, 10021, "`migrations` must be an object")
    for field in ("old_tag", "new_tag"):
        if body.get(field) is not None and not isinstance(body[field], str):
            raise ApiError(400, 10021, f"`migrations.{field}` must be a string")
    steps = body.get("steps") or [body]
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ApiError(400, 10021, "`migrations.steps` must be a list of objects")
    for step in steps:
        _check_shape(step)
    return steps


def _check_shape(step: Document) -> None:
    for field in NAMES:
        given = step.get(field) or []
        if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
            raise ApiError(400, 10021, f"`migrations.{field}` must be a list of class names")
    for field, keys in MOVES.items():
        moves = step.get(field) or []
        if not isinstance(moves, list) or not all(_has(each, keys) for each in moves):
            raise ApiError(400, 10021, f"`migrations.{field}` must be a list of objects with {', '.join(keys)}")


def _has(move: Any, keys: Iterable[str]) -> bool:
    return isinstance(move, dict) and all(isinstance(move.get(key), str) and move[key] for key in keys)


def check_tag(body: Document, tag: str | None) -> None:
    """What `old_tag` is for: two that migrate at once must not do it twice."""
    if "old_tag" in body and (body["old_tag"] or None) != tag:
        raise ApiError(400, 10079, f"Migration tag precondition failed; current tag is {tag or 'not set'}")


def migrate(spaces: list[Space], steps: list[Document], subject: Subject) -> list[Space]:
    """The namespaces of the account after the steps; raises `ApiError`."""
    for step in steps:
        for move in step.get("renamed_classes") or []:
            spaces = _moved(spaces, subject.script, move["from"], subject.script, move["to"], "renamed")
        for move in step.get("transferred_classes") or []:
            spaces = _moved(spaces, move["from_script"], move["from"], subject.script, move["to"], "transferred")
        for name in step.get("deleted_classes") or []:
            spaces = _deleted(spaces, name, subject)
        for field in ("new_classes", "new_sqlite_classes"):
            for name in step.get(field) or []:
                spaces = [*spaces, _new(spaces, name, field == "new_sqlite_classes", subject)]
    return spaces


def check_version(before: list[Space], after: list[Space], subject: Subject) -> None:
    """A version can run with these namespaces: its classes are there, its bindings lead somewhere."""
    known = {space.id for space in before}
    for space in after:
        if space.script != subject.script or space.class_name in subject.classes:
            continue
        if space.id not in known:
            text = f"Cannot apply new-class migration to class '{space.class_name}' that is not exported by script."
            raise ApiError(400, 10070, text)
        text = f"New version of script does not export class '{space.class_name}' which is depended on by existing "
        text += "Durable Objects. If you want to delete these Durable Objects, use a delete-class migration."
        raise ApiError(400, 10064, text)
    for binding in subject.bindings:
        if binding["type"] == NAMESPACE and find_space(after, binding, subject.script) is None:
            raise ApiError(400, 10061, _unbound(after, binding, subject.script))


def _unbound(spaces: list[Space], binding: Document, script: str) -> str:
    other, name = binding.get("script_name"), binding.get("class_name")
    if other and other != script and all(space.script != other for space in spaces):
        return f"Cannot create binding for class '{name}' in script '{other}' that does not exist."
    return UNBOUND.format(name or binding.get("namespace_id"))


def _find(spaces: list[Space], script: str, class_name: str) -> Space | None:
    return next((space for space in spaces if (space.script, space.class_name) == (script, class_name)), None)


def _moved(spaces: list[Space], script: str, old: str, to: str, new: str, word: str) -> list[Space]:
    found = _find(spaces, script, old)
    if found is None:
        text = f"Cannot apply {word}_classes migration to non-existent class '{old}' of script '{script}'."
        raise ApiError(400, 10061, text)
    if _find(spaces, to, new) is not None:
        raise ApiError(400, 10074, f"Class '{new}' is already depended on by existing Durable Objects.")
    return [space.moved(to, new) if space is found else space for space in spaces]


def _deleted(spaces: list[Space], name: str, subject: Subject) -> list[Space]:
    found = _find(spaces, subject.script, name)
    if found is None:
        raise ApiError(400, 10061, f"Cannot apply --delete-class migration to non-existent class '{name}'.")
    # Cloudflare looks at the class name alone: a binding to another Worker's class of that name is in the way too.
    if any(each["type"] == NAMESPACE and each.get("class_name") == name for each in subject.bindings):
        text = f"Cannot apply --delete-class migration to class '{name}' without also removing the binding that "
        raise ApiError(400, 10061, text + "references it.")
    return [space for space in spaces if space is not found]


def _new(spaces: list[Space], name: str, sqlite: bool, subject: Subject) -> Space:
    if _find(spaces, subject.script, name) is not None:
        text = f"Cannot apply new-{'sqlite-' if sqlite else ''}class migration to class '{name}' that is already "
        raise ApiError(400, 10074, text + "depended on by existing Durable Objects")
    return Space(id=hex_id(), account=subject.account, script=subject.script, class_name=name, sqlite=sqlite)
