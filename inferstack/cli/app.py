"""How the command line is built: groups in `--help`, options of all commands wherever they stand, a stack by `-e`.

Typer, not cyclopts (0.11 s against 0.26 s for an empty `--help`). The modules with commands do without `annotations` of
`__future__`: evaluating 1,100 types again from their text took 50 ms of each start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from inferstack.text import paint

WRITE, RUN, RELEASE, LOOK, LOCAL = "Write", "Run", "Release", "Look", "Local"
ORDER = (WRITE, RUN, RELEASE, LOOK, LOCAL)
WITH_VALUE = ("-e", "--env", "--cwd", "--color", "--events")
ALONE = ("-v", "--verbose")
Body = Callable[..., Any]


def hoist(arguments: Iterable[str]) -> list[str]:
    """Options of all commands to the front, so that they may stand anywhere before a `--`."""
    front, rest = list[str](), list[str]()
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*front, *rest, word, *left]
        if word in ALONE or (word.partition("=")[0] in WITH_VALUE[1:] and "=" in word):
            front.append(word)
        elif word in WITH_VALUE and left:
            front += [word, left.pop(0)]
        else:
            rest.append(word)
    return [*front, *rest]


class StackCommand(TyperCommand):
    """A command whose first argument is a stack: `-e NAME` stands for it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        env = ctx.find_root().params.get("env")
        takes = any(param.name in ("stack", "source") and param.param_type_name == "argument" for param in self.params)
        left = super().parse_args(ctx, [env, *args] if env and takes else args)
        parameters: list[Any] = self.params
        for param in parameters:
            value = ctx.params.get(param.name)
            if isinstance(value, float) and not math.isfinite(
                value
            ):  # nan is within any bounds: a budget without an end
                raise typer.BadParameter(f"{value} is no number to count with", ctx=ctx, param=param)
        return left


LAST = ("load-test", "cost", "gateway")


class Commands(TyperGroup):
    """Commands under headings. Plain text: `rich` would double the time that `--help` takes (0.11 s, 0.22 s)."""

    def format_commands(self, _: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        shown = [(name, command) for name, command in self.commands.items() if not command.hidden]
        shown.sort(key=lambda each: each[0] in LAST)  # modules are imported by their names, and people read by weight
        width = max((len(name) for name, _ in shown), default=0)
        for name, command in shown:
            text = command.get_short_help_str(formatter.width - width - 6)
            panel = str(getattr(command, "rich_help_panel", "") or "Commands")
            panels.setdefault(panel, []).append((paint(name.ljust(width), "bold"), text))
        for panel in sorted(panels, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
            with formatter.section(paint(panel, "bold")):
                formatter.write_dl(panels[panel])


PLAIN: dict[str, Any] = {
    "cls": Commands,
    "no_args_is_help": True,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}
app = typer.Typer(**PLAIN, context_settings={"help_option_names": ["-h", "--help"]})


def group(help_text: str) -> typer.Typer:
    return typer.Typer(**PLAIN, help=help_text, add_completion=False)


def command(panel: str, name: str, *, to: typer.Typer = app, hidden: bool = False) -> Callable[[Body], Body]:
    """A command of the table; its docstring is its help."""

    def add(body: Body) -> Body:
        to.command(name, cls=StackCommand, rich_help_panel=panel, hidden=hidden)(body)
        return body

    return add


def commands_of(panel: str, name: str, help_text: str) -> typer.Typer:
    """A command that has commands of its own."""
    made = group(help_text)
    app.add_typer(made, name=name, rich_help_panel=panel)
    return made
