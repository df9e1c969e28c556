"""Numbers that are none, or are out of bounds, in every such option of every command: one message, and nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from inferstack.cli.main import app
from tests.cli.test_command_line import inferstack


def real(param: Any) -> bool:
    return param.param_type_name == "option" and param.type_descriptor.annotation is float


def reals(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield from reals(inner, (*path, name))
    for param in command.params:
        if real(param):
            yield path, param


REALS = list(reals(typer.main.get_command(app)))


def given(path: tuple[str, ...], param: Any, value: str) -> list[str]:
    """A call of the command that is right but for this option."""
    needed = {"load-test": ["dev"], "logs": ["dev"], "fault add": ["--path", "x"]}
    more = next((words for end, words in needed.items() if " ".join(path).endswith(end)), [])
    return [*path, *more, f"{param.opts[0]}={value}"]


def test_there_are_such_options() -> None:
    options = {param.opts[0] for _, param in REALS}
    assert {"--max-price", "--budget", "--for", "--share", "--delay-ms"} <= options


@pytest.mark.parametrize("value", ["nan", "inf", "1e400"])
@pytest.mark.parametrize(("path", "param"), REALS, ids=[f"{p[-1]} {each.opts[0]}" for p, each in REALS])
def test_what_is_no_number(path: tuple[str, ...], param: Any, value: str) -> None:
    said = inferstack(*given(path, param, value), code=2)
    assert f"'{param.opts[0]}'" in said
    assert "\n  fix: " in said


@pytest.mark.parametrize("option", ["--max-price", "--min-context", "--dimensions"])
def test_a_bound_of_models_below_nothing(option: str) -> None:
    assert f"'{option}'" in inferstack("models", f"{option}=-1", code=2)
