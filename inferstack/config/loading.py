"""From a stack's name to its `StackSpec`: find the file, follow `extends`, merge, validate, check references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from inferstack.config._diagnostics import Finding, Place, closest, format_findings
from inferstack.config._refs import check_references
from inferstack.config._yaml import Document, KeyPath, read
from inferstack.config.models import StackSpec
from inferstack.errors import ConfigError, StackNotFound


def stack_names(root: Path) -> list[str]:
    """The stacks of a project: every file under `stacks/` that names an environment of its own."""
    files = sorted((root / "stacks").glob("*.yaml"))
    return [f.stem for f in files if f.stem != "base" and not f.stem.startswith("_")]


def load_stack(name: str, root: Path) -> StackSpec:
    """Raises `StackNotFound`, and `ConfigError` with every finding of every file."""
    file = root / "stacks" / f"{name}.yaml"
    if not file.is_file():
        names = stack_names(root)
        listed = f"the stacks here are: {', '.join(names)}" if names else "there is no file under stacks/ yet"
        raise StackNotFound(
            f"there is no stack `{name}` (no file stacks/{name}.yaml){closest(name, names)}\n  {listed}"
        )
    document = _load(file, root, [])
    if not document.findings:
        spec = _validate(document)
        if spec is not None:
            report = _reporter(document)
            check_references(spec, root, report)
            if not document.findings:
                return spec
    raise ConfigError(format_findings(document.findings, root))


def _load(file: Path, root: Path, chain: list[Path]) -> Document:
    document = read(file)
    given = document.data.pop("extends", [])
    bases = given if isinstance(given, list) else [given]
    merged = Document(file)
    for place, base in enumerate(bases):
        path: KeyPath = ("extends", place) if isinstance(given, list) else ("extends",)
        other = (file.parent / str(base)).resolve()
        problem = _bad_base(other, root, [*chain, file.resolve()])
        if problem:
            document.findings.append(
                Finding(document.place(path), f"`extends: {base}`: {problem}", "name a file under stacks/")
            )
            continue
        _merge(merged, _load(other, root, [*chain, file.resolve()]))
    _merge(merged, document)
    return merged


def _bad_base(other: Path, root: Path, chain: list[Path]) -> str | None:
    if not other.is_relative_to(root.resolve()):
        return "the path leaves the project"
    if other in chain:
        return "the files extend each other in a circle"
    return None if other.is_file() else "there is no such file"


def _merge(into: Document, other: Document) -> None:
    into.findings += other.findings
    into.data = _merged(into, other, into.data, other.data, ())
    into.places[()] = other.places[()]


def _merged(into: Document, other: Document, old: Any, new: Any, path: KeyPath) -> Any:
    """Mappings merge by key, anything else is replaced; null removes what a base set."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        _take_places(into, other, path)
        return new
    merged = dict(old)
    for key, value in new.items():
        inner = (*path, key)
        if value is None:
            merged.pop(key, None)
        else:
            into.places[inner] = other.places[inner]
            merged[key] = _merged(into, other, old.get(key), value, inner)
    return merged


def _take_places(into: Document, other: Document, path: KeyPath) -> None:
    for known, place in other.places.items():
        if known[: len(path)] == path:
            into.places[known] = place


def _validate(document: Document) -> StackSpec | None:
    try:
        return StackSpec.model_validate(document.data)
    except ValidationError as error:
        document.findings += [_finding(document, details) for details in error.errors(include_url=False)]
        return None


def _reporter(document: Document) -> Any:
    def report(path: KeyPath, message: str, fix: str) -> None:
        document.findings.append(Finding(document.place(path), message, fix))

    return report


def _finding(document: Document, details: ErrorDetails) -> Finding:
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    shown = ".".join(str(part) for part in path)
    place: Place = document.place(path)
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "extra_forbidden":
        known = _known_keys(path)
        return Finding(place, f"unknown key `{path[-1]}`{closest(str(path[-1]), known)}", f"one of: {', '.join(known)}")
    if kind == "missing":
        return Finding(place, f"`{shown}` is missing", f"add `{path[-1]}:`")
    value = details.get("input")
    got = "" if isinstance(value, dict | list) or value is None else f", got {value!r}"
    message = str(context.get("error") or details["msg"])
    return Finding(place, f"`{shown}`: {message[:1].lower()}{message[1:]}{got}", "give a value of that kind")


def _known_keys(path: KeyPath) -> list[str]:
    """The keys that the model at a path knows."""
    model: Any = StackSpec
    for part in path[:-1]:
        annotation = model.model_fields[part].annotation if hasattr(model, "model_fields") else None
        if annotation is None:
            arguments = getattr(model, "__args__", ())
            model = next((a for a in reversed(arguments) if hasattr(a, "model_fields") or hasattr(a, "__args__")), None)
        else:
            model = annotation
        while model is not None and not hasattr(model, "model_fields") and type(None) in getattr(model, "__args__", ()):
            model = next(a for a in model.__args__ if a is not type(None))
    return list(getattr(model, "model_fields", {}))
