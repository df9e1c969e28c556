"""Suites of cases, from YAML with places: `evals/NAME.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inferstack.config.findings.diagnostics import Place, format_findings
from inferstack.config.findings.finding import Findings
from inferstack.config.spec import StackSpec
from inferstack.config.tree import Node, locate, plain, read
from inferstack.config.usual import usual_request
from inferstack.errors import ConfigError

Duration = Annotated[str, Field(pattern=r"^[0-9]{1,6}(ms|s|m)$")]
Text = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=100)]


class Strict(BaseModel):
    """No key beside those that are named."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


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


@dataclass(frozen=True, slots=True)
class Wrong:
    """A place in a suite's file, what is wrong there, and the way out."""

    place: Place
    message: str
    fix: str


def read_suite(file: Path, root: Path) -> Suite:
    """Raises `ConfigError` with each place that is wrong."""
    if not file.is_file():
        raise ConfigError(f"{file} is no file\n  fix: name a file of cases, such as evals/rag.yaml")
    findings = Findings()
    suite, wrong = parse_suite(file, findings)
    if findings.wrong:
        raise ConfigError(format_findings(findings, root))
    if suite is None or wrong:
        raise ConfigError("\n".join(_shown(each) for each in wrong))
    return suite


def parse_suite(file: Path, findings: Findings) -> tuple[Suite | None, list[Wrong]]:
    """None where it cannot be used. What is no YAML is a finding."""
    before, tree = len(findings), read(file, findings, "suite")
    if tree is None or len(findings) > before:
        return None, []
    try:
        suite = Suite.model_validate(plain(tree))
    except ValidationError as error:
        return None, list(_problems(error, tree))
    return suite, [wrong for number, case in enumerate(suite.cases) if (wrong := _check(case, tree, number))]


def _shown(wrong: Wrong) -> str:
    place = wrong.place
    fix = f"\n  fix: {wrong.fix}" if wrong.fix else ""
    return f"{place.file}:{place.line}:{place.column}: error: {wrong.message}{fix}"


def _problems(error: ValidationError, tree: Node) -> Iterator[Wrong]:
    for details in error.errors(include_url=False):
        path = tuple("schema" if part == "schema_" else part for part in details["loc"])
        shown = ".".join(map(str, path)) or "the file"
        if details["type"] == "extra_forbidden":
            model = Similar if "similar" in path[:-1] else Case if "cases" in path[:-1] else Suite
            known = ", ".join(field.alias or name for name, field in model.model_fields.items())
            yield Wrong(locate(tree, path), f"unknown key `{path[-1]}`", f"one of: {known}")
        else:
            yield Wrong(locate(tree, path), f"`{shown}`: {details['msg'][:1].lower()}{details['msg'][1:]}", "")


def _check(case: Case, tree: Node, number: int) -> Wrong | None:
    """What only a look at the whole case shows."""
    path = ("cases", number)
    if case.schema_ is not None:
        import jsonschema_rs  # 30 ms; few cases have a schema

        try:
            jsonschema_rs.validator_for(case.schema_)
        except ValueError as error:
            why = str(error).splitlines()[0]
            return Wrong(locate(tree, (*path, "schema")), f"this is no JSON Schema: {why}", "")
    wants = (case.contains, case.lacks, case.cites, case.schema_, case.similar, case.within)
    if not any(wants) and case.status == 200 and case.request is None and case.body is None:
        fix = "say what is asked (`body`), and what the answer must be (`contains`, `cites`, `schema`, `similar`, …)"
        return Wrong(locate(tree, path), f"case `{case.name}` asks nothing", fix)
    return None


def unfit(spec: StackSpec, key: str, suite: Suite) -> tuple[str, str] | None:
    """Why a Worker cannot be asked so: what, and the way out."""
    text, _ = usual_request(spec, key)
    lacking = [case.name for case in suite.cases if case.request is None and not text]
    if lacking:
        problem = f"it is not known what `{key}` is asked in case `{lacking[0]}`"
        return problem, "give its `request`, such as POST /path"
    embedding = embedding_models(spec)
    for case in suite.cases:
        if case.similar is not None and (case.similar.model or next(iter(embedding), None)) not in embedding:
            alias = case.similar.model
            given = f"`{alias}` is no embedding model of the stack" if alias else "the stack has no embedding model"
            return (
                f"`similar`: {given}",
                f"one of: {', '.join(embedding)}" if embedding else "declare one under `models:`",
            )
    return None


def embedding_models(spec: StackSpec) -> list[str]:
    """The aliases of a stack's."""
    of = {alias: spec.model_of(alias) for alias in spec.models}
    return [alias for alias, model in of.items() if model and model.dimensions]
