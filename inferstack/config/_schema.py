"""From pydantic's errors to findings: code, words and fix for each kind."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from inferstack.config._joining import FOR_EACH
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath
from inferstack.config.worker_models import BindingSpec

TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
CRON = "write `minute hour day month weekday`, in UTC, such as `0 9 * * MON-FRI`; weekdays are 1 (Sunday) to 7"
BOUNDS = {
    "greater_than_equal": ("IS025", "at least", "ge"),
    "greater_than": ("IS025", "more than", "gt"),
    "less_than_equal": ("IS026", "at most", "le"),
    "less_than": ("IS026", "less than", "lt"),
}


def validate(data: Any, report: Report) -> StackSpec | None:
    try:
        return StackSpec.model_validate(data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if (path := _path_in(data, details["loc"])) is not None:
                _report({**details, "loc": path}, report)
        return None


def _path_in(data: Any, path: KeyPath) -> KeyPath | None:
    """The path without pydantic's names of the kinds that a key may be of; None for the kind that was not written."""
    for at, part in enumerate(path):
        scalar = str(part).startswith("literal[")
        if (scalar or part == "LocalModels") and not (isinstance(data, dict) and part in data):
            return None if scalar == isinstance(data, dict) else path[:at] + path[at + 1 :]
        fits = isinstance(data, dict) or (isinstance(data, list) and isinstance(part, int))
        data = (data.get(part) if isinstance(data, dict) else data[int(part)]) if fits else None
    return path


def _report(details: ErrorDetails, report: Report) -> None:
    kind, context, value = details["type"], details.get("ctx") or {}, details.get("input")
    of_key = details["loc"][-1:] == ("[key]",) and kind.startswith(
        "string_"
    )  # pydantic's mark; also a key one can write
    path: KeyPath = details["loc"][:-1] if of_key else details["loc"]
    shown = ".".join(map(str, path))
    if of_key:
        fix = "use 1 to 42 lower-case letters, digits and dashes, no dash at either end"
        if "A-Z" in str(context.get("pattern")):
            fix = "use letters, digits and underscores, no digit first"
        report("IS027", path, f"`{path[-1]}` is no name", fix)
    elif kind == "extra_forbidden":
        known = _known_keys(path)
        fix = f"one of: {', '.join(known)}"
        near = closest(str(path[-1]), [*known, FOR_EACH] if path[:-1] else [*known, "parameters", "extends"])
        report("IS021", path, f"unknown key `{path[-1]}`{near}", fix)
    elif kind == "missing":
        report("IS022", path, f"`{shown}` is missing", f"add `{path[-1]}:`")
    elif _of_secret(path, context):
        fix = "write `env:NAME`, `file:path`, `command:words`, `config:name` or `store:name`, and keep the value there"
        report("IS030", path, f"`{shown}` is not a reference to a secret (its text is not shown)", fix)
    elif kind in TYPES:
        report("IS023", path, f"`{shown}` is {_kind_of(value)}; it must be {TYPES[kind]}", f"give {TYPES[kind]}")
    elif kind in ("literal_error", "enum"):
        choices = _choices(context)
        near = closest(str(value), choices)
        report("IS024", path, f"`{shown}` cannot be {_short(value)}{near}", f"one of: {', '.join(choices)}")
    elif kind in BOUNDS:
        code, words, key = BOUNDS[kind]
        report(
            code,
            path,
            f"`{shown}` is {_short(value)}; it must be {words} {context[key]}",
            f"give {words} {context[key]}",
        )
    elif kind == "string_pattern_mismatch":
        report(
            "IS027", path, f"`{shown}` is {_short(value)}, which does not fit", f"text of the form {context['pattern']}"
        )
    elif kind in ("too_short", "string_too_short"):
        report("IS028", path, f"`{shown}` is empty", "give at least one entry")
    elif "exactly one of" in details["msg"]:
        report("IS029", path, f"`{shown}` must name exactly one kind", f"one of: {', '.join(BindingSpec.kinds())}")
    else:
        text = str(context.get("error") or details["msg"])
        fix = CRON if path[-2:-1] == ("crons",) else "give a value of that kind"
        report("IS031", path, f"`{shown}`: {text[:1].lower()}{text[1:]}", fix)


def _of_secret(path: KeyPath, context: dict[str, Any]) -> bool:
    of_its_kind = "env:" in str(context.get("pattern"))
    return of_its_kind or path[-1:] == ("secret",) or bool({"secrets", "secrets_store"} & set(path[-2:-1]))


def _short(value: Any) -> str:
    text = f"`{value}`"
    return text if len(text) <= 60 else text[:57] + "…`"


def _kind_of(value: Any) -> str:
    if value is None:
        return "empty"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), type(value).__name__)


def _choices(context: dict[str, Any]) -> list[str]:
    text = str(context.get("expected", ""))
    return [part.strip().strip("'") for part in text.replace(" or ", ", ").split(",") if part.strip()]


def _known_keys(path: KeyPath) -> list[str]:
    """The keys that the model at a path knows."""
    model: Any = StackSpec
    for part in path[:-1]:
        if hasattr(model, "model_fields"):
            model = model.model_fields[part].annotation if part in model.model_fields else None
        else:
            model = next((a for a in reversed(getattr(model, "__args__", ())) if a is not type(None)), None)
        while type(None) in getattr(model, "__args__", ()):
            kinds = [a for a in model.__args__ if a is not type(None)]
            model = next((a for a in kinds if hasattr(a, "model_fields")), kinds[0])
    return list(getattr(model, "model_fields", {}))
