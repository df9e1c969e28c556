"""`inferstack mcp`: the tool for agents."""

from typing import Annotated, Literal

import typer

from inferstack.cli.app import RUN, command
from inferstack.cli.projects import project
from inferstack.errors import ToolchainError

WHICH = "Which stacks may change, by plans that the agent was shown."


@command(RUN, "mcp")
def mcp(apply: Annotated[Literal["none", "local", "all"], typer.Option(help=WHICH)] = "local") -> None:
    """Serve the project to coding agents (MCP).

    On standard input and output: check, explain, plan, apply, cost, config, local stacks up, status, drift, logs, models,
    gateway. Changes only by the id of a plan, and on Cloudflare only with --apply all. A client starts it, such as by the
    project's .mcp.json.
    """
    root = project()
    try:
        from inferstack.agents.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise ToolchainError(
            "the Model Context Protocol's SDK is not installed\n  fix: pip install 'inferstack[mcp]'"
        ) from None
    serve(root, apply)
