"""`inferstack gateway`: how calls go through a stack's AI Gateways."""

from typing import Annotated

import typer

from inferstack.cli import printing
from inferstack.cli.app import LOOK, command, commands_of
from inferstack.cli.parameters import Format, Stack
from inferstack.cli.projects import project

gateway = commands_of(LOOK, "gateway", "How a call would go through AI Gateway.")


@command(LOOK, "test", to=gateway)
def gateway_test(
    stack: Stack,
    model: Annotated[str, typer.Option("--model", metavar="ALIAS", help="Which of the stack's models is asked.")],
    user: Annotated[
        str | None, typer.Option("--as", metavar="USER", help="Who asks: what templates send as `caller`.")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="NAME=VALUE", help="What the call carries; again for more."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", metavar="TEXT", help="What is asked, for the local guards to judge.")
    ] = None,
    style: Format = "text",
) -> None:
    """Tell how a call would go: limits, guards, route, price.

    By the stack file alone: nothing is asked, and nothing needs to run.
    """
    from inferstack.author.gateway_test import read_call, tested
    from inferstack.author.gateway_text import as_text
    from inferstack.config import load_stack

    call = read_call(model, user, metadata or [], prompt)
    found = tested(stack, load_stack(stack, project()), call)
    printing.emit(style, found, as_text(found))
