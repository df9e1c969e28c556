"""What a template says of itself in its template.yaml: what it needs and takes, its options with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from inferstack.config.paths import TOOL, foreign
from inferstack.config.yaml_text import yaml_values
from inferstack.errors import ConfigError

FILE_SUFFIX = "_file"
HOME = TOOL


@dataclass(frozen=True, slots=True)
class Option:
    """A template's option: its default (whose type it has, unless that is null), and what it is about."""

    default: Any
    about: str = ""
    choices: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None  # JSON Schema of what it may be


@dataclass(frozen=True, slots=True)
class Needs:
    """Models by role, and bindings with their kind."""

    models: tuple[str, ...] = ()
    bindings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """`needs` must be given, `accepts` may be; `abilities` are what a role's model must be able to do."""

    name: str
    summary: str
    models: tuple[str, ...]
    bindings: dict[str, str]
    objects: dict[str, str]  # class names of Durable Objects that its code exports, by binding
    secrets: tuple[str, ...]
    optional_models: tuple[str, ...]
    optional_bindings: dict[str, str]
    abilities: dict[str, tuple[str, ...]]
    abilities_if: dict[str, dict[str, tuple[str, ...]]]  # the same, for options that are true
    needs_if: dict[str, dict[str, Needs]]  # what more is needed, by an option and its value
    options: dict[str, Option]
    flags: tuple[str, ...]
    any_models: str | None  # the task of models that may be given under any role
    any_bindings: tuple[str, ...]  # kinds of bindings that may have any name, as options name them
    samples: tuple[dict[str, Any], ...]  # requests to try: `about`, `request`, and `body` or `file` with `type`
    streams: bool
    consumes: bool
    service: bool
    reindexes: str | None  # the binding of an index that another one can be filled beside

    def needed(self, options: dict[str, Any]) -> Needs:
        """What a Worker with these options must have."""
        models, bindings = list(self.models), dict(self.bindings)
        for name, values in self.needs_if.items():
            more = values.get(str(options.get(name, self.options[name].default)))
            if more is not None:
                models += more.models
                bindings |= more.bindings
        return Needs(tuple(models), bindings)

    def takes_option(self, name: str) -> bool:
        return name in self.options or (name.endswith(FILE_SUFFIX) and name.removesuffix(FILE_SUFFIX) in self.options)


Templates = dict[str, Template | None]  # by the name that a Worker gives; None where there is none

# What worker_src/frame/service.js takes, so every template on it.
TEXT = {"type": "string", "minLength": 1}
JWT = {
    "type": "object",
    "properties": {"jwks_url": TEXT, "issuer": TEXT, "audience": TEXT, "tenant_claim": TEXT, "own_tenant": TEXT},
    "required": ["jwks_url"],
    "additionalProperties": False,
}
SERVICE_OPTIONS = {
    "auth": Option("key", "Who may call: `key` (the secret API_TOKEN), `jwt`, or `none`.", ("key", "jwt", "none")),
    "jwt": Option(None, "For `auth: jwt`: `{jwks_url, issuer, audience, tenant_claim, own_tenant}`.", schema=JWT),
    "cors": Option(["*"], "Origins whose pages may call.", schema={"type": "array", "items": TEXT}),
    "max_body_bytes": Option(1_048_576, "The longest request.", schema={"type": "integer", "minimum": 1}),
}
SERVICE_BINDINGS = {"RATE_LIMITER": "rate_limit"}


def template_names(root: Path) -> list[str]:
    files = [file for folder in (root, HOME) for file in (folder / "templates").glob("*/template.yaml")]
    return sorted({file.parent.name for file in files})


def find_file(path: str, root: Path) -> Path | None:
    """A file of the project's own `templates/` or `worker_src/`, else this tool's."""
    places = (folder / path for folder in (root, HOME))
    return next((file for file in places if file.is_file() and not foreign(file, root)), None)


def find_template(name: str, root: Path) -> Template | None:
    file = find_file(f"templates/{name}/template.yaml", root)
    return _read(name, file, file.stat().st_mtime_ns) if file else None


@cache
def _read(name: str, file: Path, changed: int) -> Template:  # noqa: ARG001 - a changed file is read again
    try:
        found = yaml_values(file.read_text("utf-8-sig"))
        if not isinstance(found, dict):
            raise ValueError("it is no mapping of keys to values")
        return _template(name, found, file.parent.parent / "schemas")
    except (AttributeError, TypeError, ValueError) as error:  # a template of the project's own, half-written
        text = f"{file} does not describe a template: {error}"
        raise ConfigError(f"{text}\n  fix: write it like those in docs/templates.md") from None


def _template(name: str, data: dict[str, Any], schemas: Path) -> Template:
    needs, accepts, service = data.get("needs", {}), data.get("accepts", {}), bool(data.get("service"))
    options = {key: _option(value, schemas) for key, value in data.get("options", {}).items()}
    odd = next((key for key in options if not isinstance(key, str)), None)
    if odd is not None:  # `on` and `no` are true and false in YAML 1.1
        raise ValueError(f"the option {odd!r} is no text; put its name in quotes")
    unknown = next((name for name in data.get("needs_if", {}) if name not in options), None)
    if unknown is not None:
        raise ValueError(f"`needs_if` names the option `{unknown}`, which it does not have")
    return Template(
        name=name,
        summary=data.get("summary", ""),
        models=tuple(needs.get("models", ())),
        bindings=dict(needs.get("bindings", {})),
        objects=dict(needs.get("objects", {})),
        secrets=tuple(needs.get("secrets", ())),
        optional_models=tuple(accepts.get("models", ())),
        optional_bindings={**accepts.get("bindings", {}), **(SERVICE_BINDINGS if service else {})},
        abilities={role: tuple(words) for role, words in data.get("abilities", {}).items()},
        abilities_if={
            option: {role: tuple(words) for role, words in roles.items()}
            for option, roles in data.get("abilities_if", {}).items()
        },
        needs_if={
            option: {
                value: Needs(tuple(more.get("models", ())), dict(more.get("bindings", {})))
                for value, more in values.items()
            }
            for option, values in data.get("needs_if", {}).items()
        },
        options={**(SERVICE_OPTIONS if service else {}), **options},
        flags=tuple(data.get("flags", ())),
        samples=tuple(data.get("try", ())),
        any_models=data.get("any_models"),
        any_bindings=tuple(accepts.get("any_bindings", ())),
        streams=bool(data.get("streams", False)),
        consumes=bool(data.get("consumes", False)),
        service=service,
        reindexes=data.get("reindexes"),
    )


def _option(value: Any, schemas: Path) -> Option:
    if not isinstance(value, dict) or "default" not in value:
        return Option(value)
    schema = value.get("schema")
    if isinstance(schema, str):  # shared by templates, in a file of that name
        schema = _schema(schemas / f"{schema}.yaml")
    return Option(value["default"], value.get("about", ""), tuple(value.get("choices", ())), schema)


@cache
def _schema(file: Path) -> dict[str, Any]:
    try:
        found = yaml_values(file.read_text("utf-8-sig"))
    except OSError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"there is no schema {file.name} in {file.parent}")
    return found
