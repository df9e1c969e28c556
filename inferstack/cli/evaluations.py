"""`inferstack eval`."""

from pathlib import Path
from typing import Annotated

import typer

from inferstack.cli import printing, redrawn
from inferstack.cli.app import RUN, command
from inferstack.cli.parameters import Format, Stack, Url
from inferstack.cli.projects import project


@command(RUN, "eval")
def evaluate(
    stack: Stack,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Else all of evals/*.yaml.")] = None,
    url: Url = None,
    if_any: Annotated[bool, typer.Option("--if-any", help="It is right that there are none; for pipelines.")] = False,
    style: Format = "text",
) -> int:
    """Ask Workers the cases of evals/ and judge the answers.

    By words, citations, JSON Schema, nearness of meaning, time. Exits with 1 when a suite has fewer right answers than its
    `least`.
    """
    from inferstack.config import read_suite
    from inferstack.live.evals import judged, suites, told

    root = project()
    if if_any and not files and not suites.any_in(root):
        printing.emit(style, told.document(stack, []), "no evaluations: there is no file evals/*.yaml")
        return 0
    found = {file: read_suite(file, root) for file in suites.files_of(root, files or [])}
    with redrawn.counting("answers", sum(suite.answers for suite in found.values())) as follow:
        done = judged.judge(stack, root, found, url, follow)
    printing.emit(style, told.document(stack, done), told.as_text(done))
    return 0 if all(suite.passed for suite in done) else 1
