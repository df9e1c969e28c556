"""Suites of cases, from YAML with places: `evals/NAME.yaml`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inferstack.config import Node, format_findings, locate, parse_seconds, plain, read_yaml
from inferstack.config.findings.finding import Findings
from inferstack.errors import ConfigError

FOLDER = "evals"
Duration = Annotated[str, Field(pattern=r"^[0-9]{1,6}(ms|s|m)$")]
Text = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=100)]


class Strict(BaseModel):
    """No key beside those that are named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Similar(Strict):
    """How near an answer's meaning is to a text: the cosine of embeddings by a model of the stack."""

    to: str
    least: Annotated[float, Field(gt=0, le=1)]
    model: str | None = None


class Case(Strict):
    """One request, and what its answer must be."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    request: Annotated[str, Field(pattern=r"^(GET|POST|PUT|DELETE) /\S*$")] | None = None
    body: dict[str, Any] | list[Any] | None = None
    times: Annotated[int, Field(ge=1, le=50)] = 1
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: Texts = Field(default_factory=list)
    lacks: Texts = Field(default_factory=list)
    cites: Texts = Field(default_factory=list)
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    similar: Similar | None = None
    within: Duration | None = None

    @property
    def seconds(self) -> float:
        return parse_seconds(self.within) if self.within else math.inf


class Suite(Strict):
    """Cases of one Worker; `least` is the share of answers that must be right."""

    worker: str | None = None
    secret: str | None = None
    least: Annotated[float, Field(ge=0, le=1)] = 1.0
    cases: Annotated[list[Case], Field(min_length=1, max_length=10_000)]

    @property
    def answers(self) -> int:
        """How many it asks for."""
        return sum(case.times for case in self.cases)


def files_of(root: Path, given: list[Path]) -> list[Path]:
    """Those named, else all of the project. Raises `ConfigError` where there are none."""
    found = given or sorted((root / FOLDER).glob("*.yaml"))
    if not found:
        example = "worker: rag\n    cases: [{ name: lost, body: { question: … }, contains: [fifty] }]"
        raise ConfigError(
            f"there are no evaluations: no file {FOLDER}/*.yaml\n  fix: write one, such as\n    {example}"
        )
    return found


def any_in(root: Path) -> bool:
    return any((root / FOLDER).glob("*.yaml"))


def read_suite(file: Path, root: Path) -> Suite:
    """Raises `ConfigError` with each place that is wrong."""
    findings = Findings()
    if not file.is_file():
        raise ConfigError(f"{file} is no file\n  fix: name a file of cases, such as {FOLDER}/rag.yaml")
    tree = read_yaml(file, findings)
    if tree is None or findings.wrong:
        raise ConfigError(format_findings(findings, root))
    try:
        suite = Suite.model_validate(plain(tree))
    except ValidationError as error:
        raise ConfigError("\n".join(_problems(error, tree))) from None
    for number, case in enumerate(suite.cases):
        _check(case, tree, number)
    return suite


def _problems(error: ValidationError, tree: Node) -> Iterator[str]:
    for details in error.errors(include_url=False):
        path = tuple("schema" if part == "schema_" else part for part in details["loc"])
        shown = ".".join(map(str, path)) or "the file"
        if details["type"] == "extra_forbidden":
            model = Similar if "similar" in path[:-1] else Case if "cases" in path[:-1] else Suite
            known = ", ".join(field.alias or name for name, field in model.model_fields.items())
            text = f"unknown key `{path[-1]}`\n  fix: one of: {known}"
        else:
            text = f"`{shown}`: {details['msg'][:1].lower()}{details['msg'][1:]}"
        yield f"{_place(tree, path)}: error: {text}"


def _check(case: Case, tree: Node, number: int) -> None:
    """What only a look at the whole case shows."""
    path = ("cases", number)
    if case.schema_ is not None:
        try:
            validator(case.schema_)
        except ValueError as error:
            why = str(error).splitlines()[0]
            raise ConfigError(f"{_place(tree, (*path, 'schema'))}: error: this is no JSON Schema: {why}") from None
    wants = (case.contains, case.lacks, case.cites, case.schema_, case.similar, case.within)
    if not any(wants) and case.status == 200 and case.request is None and case.body is None:
        fix = "say what is asked (`body`), and what the answer must be (`contains`, `cites`, `schema`, `similar`, …)"
        raise ConfigError(f"{_place(tree, path)}: error: case `{case.name}` asks nothing\n  fix: {fix}")


def _place(tree: Node, path: tuple[Any, ...]) -> str:
    place = locate(tree, path)
    return f"{place.file}:{place.line}:{place.column}"


def validator(schema: dict[str, Any]) -> Any:
    """Raises `ValueError` for what is no schema."""
    import jsonschema_rs  # 30 ms; few cases have a schema

    return jsonschema_rs.validator_for(schema)
