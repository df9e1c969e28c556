"""Durable Objects of a wrangler file: bindings, and what its migrations (or its newer `exports`) have made of the classes.

A migration is history, the stack says what is: new, renamed and transferred classes come with their last name and the
one before; a class that was deleted is told as such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from inferstack.wrangler.reading import Unfit, Value
from inferstack.wrangler.section import Section, script_of

NEW = {"new_sqlite_classes": "sqlite", "new_classes": "legacy-kv"}
PARTS = ("durable_objects", "migrations", "exports")


@dataclass(frozen=True, slots=True)
class _Class:
    """`script` is the Worker that had it before."""

    storage: str = "sqlite"
    former: str | None = None
    script: str | None = None
    deleted: bool = False


def read_objects(section: Section) -> None:
    """Once all else is bound: a class without a binding gets a name that is free."""
    classes: dict[str, _Class] = {}
    for key, reader in (("migrations", _migrations), ("exports", _exports)):
        value = section.keys.get(key)
        if value is not None and value.raw:
            section.attempt(lambda _, given, reader=reader: reader(classes, given), value)  # type: ignore[misc]
    bindings = section.keys.get("durable_objects")
    bound = set[str]()
    if bindings is not None and bindings.raw:
        section.attempt(lambda _, value: section.each(_binding(classes, bound), value.get("bindings")), bindings)
    for name, made in classes.items():
        if name not in bound:
            _declare(section, _free(section, name), name, made)


def _binding(classes: dict[str, _Class], bound: set[str]) -> Any:
    def read(section: Section, item: Value) -> None:
        item.ignore("remote")
        class_name, script = item.need("class_name"), item.get("script_name")
        environment = item.get("environment")
        if script is not None and script.raw:
            named = script_of(script, environment if environment is not None and environment.raw else None)
            if section.draft.identities.get(("workers", named)) == section.worker:
                _own(section, item, class_name.text(), classes, bound)
                return
            section.objects.append((item.need("name").text(), named, class_name.text(), item))
            return
        _own(section, item, class_name.text(), classes, bound)

    return read


def _own(section: Section, item: Value, class_name: str, classes: dict[str, _Class], bound: set[str]) -> None:
    made = classes.get(class_name, _Class())
    if made.deleted:
        raise Unfit(item.path, f"the class `{class_name}` is bound, and a migration deletes it")
    bound.add(class_name)
    _declare(section, section.free_name(item.need("name")), class_name, made)


def _declare(section: Section, name: str, class_name: str, made: _Class) -> None:
    entry: dict[str, Any] = {"class_name": class_name}
    if made.storage != "sqlite":
        entry["storage"] = made.storage
    if made.deleted:
        entry["deleted"] = True
    elif made.former is not None and made.former != class_name:
        entry["renamed_from"] = made.former
    section.entry.setdefault("objects", {})[name] = entry
    if made.script is not None and not made.deleted:
        section.transfers.append((entry, made.script))


def _free(section: Section, class_name: str) -> str:
    wish = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"\W", "_", class_name)).upper()
    name, number = wish, 2
    while name in section.names():
        name, number = f"{wish}_{number}", number + 1
    return name


def _migrations(classes: dict[str, _Class], value: Value) -> None:
    for step in value.items():
        step.ignore("tag")
        for key, storage in NEW.items():
            for item in _list(step, key):
                classes[item.text()] = _Class(storage)
        for item in _list(step, "renamed_classes"):
            former, name = item.need("from").text(), item.need("to").text()
            classes[name] = replace(classes.pop(former, _Class()), former=former)
        for item in _list(step, "transferred_classes"):
            former, script = item.need("from").text(), item.need("from_script").text()
            classes[item.need("to").text()] = _Class(former=former, script=script)
        for item in _list(step, "deleted_classes"):
            classes[item.text()] = replace(classes.get(item.text(), _Class()), deleted=True)


def _list(step: Value, key: str) -> list[Value]:
    found = step.get(key)
    return found.items() if found is not None else []


def _exports(classes: dict[str, _Class], value: Value) -> None:
    for name, item in value.mapping().items():
        kind = item.get("type")
        if kind is None or kind.text() != "durable-object":
            continue  # said as not read
        state, storage = item.get("state"), item.get("storage")
        word = state.text() if state is not None else "created"
        made = classes.get(name, _Class())
        if storage is not None:
            made = replace(made, storage=storage.text())
        if word == "renamed":
            target = item.need("renamed_to").text()
            classes[target] = replace(classes.get(target, _Class()), former=name)
        elif word == "deleted":
            classes[name] = replace(made, deleted=True)
        elif word == "expecting-transfer":
            classes[name] = replace(made, script=item.need("transfer_from").text())
        elif word == "transferred":
            item.done()  # the other Worker has it
        else:
            classes[name] = made
