"""Arguments and options that several commands have, as types."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inferstack.cli.projects import models_here, stacks_here, templates_here, workers_here


def _starting_with(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _stacks(incomplete: str) -> list[str]:
    return _starting_with(stacks_here(), incomplete)


def _models(incomplete: str) -> list[str]:
    return _starting_with(models_here(), incomplete)


def _templates(incomplete: str) -> list[str]:
    return _starting_with(templates_here(), incomplete)


def _workers(ctx: typer.Context, incomplete: str) -> list[str]:
    return _starting_with(workers_here(str(ctx.params.get("stack") or "")), incomplete)


Stack = Annotated[
    str, typer.Argument(help="Name of the stack: a file stacks/STACK.yaml; or -e STACK.", autocompletion=_stacks)
]
DevStack = Annotated[str, typer.Argument(help="Name of the stack (default: dev).", autocompletion=_stacks)]
AnyStack = Annotated[
    str | None, typer.Argument(metavar="[STACK]", help="Name of the stack (default: all).", autocompletion=_stacks)
]
OtherStack = Annotated[str, typer.Argument(autocompletion=_stacks)]
Worker = Annotated[str | None, typer.Argument(help="Only this Worker, by its key.", autocompletion=_workers)]
ModelName = Annotated[str | None, typer.Argument(autocompletion=_models)]
PlannedStack = Annotated[str | None, typer.Argument(metavar="[STACK]", help="Of `plan`.", autocompletion=_stacks)]
TemplateName = Annotated[str | None, typer.Option("--template", help="Of a Worker.", autocompletion=_templates)]

Format = Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for programs.")]
CheckFormat = Annotated[Literal["text", "json", "github", "sarif"], typer.Option("--format")]
PlanFormat = Annotated[Literal["text", "json", "markdown"], typer.Option("--format")]
TableFormat = Annotated[Literal["table", "json"], typer.Option("--format")]
CostFormat = Annotated[Literal["table", "json", "markdown", "csv", "html"], typer.Option("--format")]

LogLevel = Annotated[
    Literal["debug", "info", "log", "warn", "error"], typer.Option(help="What is at least so loud; failures always.")
]
Grep = Annotated[str | None, typer.Option(metavar="PATTERN", help="Events in which it is found.")]

Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask (needed without a terminal).")]
ExpectNoChanges = Annotated[
    bool, typer.Option("--expect-no-changes", help="Exit with 7 when there is a change.", show_default=False)
]
Out = Annotated[Path | None, typer.Option("--out", metavar="PATH", help="Where to.")]
Url = Annotated[str | None, typer.Option("--url", help="The Worker's address (stacks on Cloudflare).")]
