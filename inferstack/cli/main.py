"""`inferstack`: options of all commands, errors as one message with its fix, Pulumi's exit codes."""

import codecs
import errno
import io
import locale
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from inferstack import __version__
from inferstack.cli import (  # noqa: F401 - each adds its commands
    agent,
    costs,
    engines,
    evaluations,
    gateway_calls,
    load_test,
    local,
    look,
    printing,
    release,
    run,
    write,
)
from inferstack.cli.app import app, hoist
from inferstack.cli.projects import go_to, stacks_here
from inferstack.errors import ConfigError, UserError

INTERRUPTED = 130  # what the library makes of Ctrl-C; ours is Pulumi's code
ANOTHER = "name another file or folder"
FULL = (errno.ENOSPC, errno.EDQUOT)  # these come without the name of a file, too
FIXES = {
    **dict.fromkeys(FULL, "make room on the disk, then run it again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), f"give yourself the right to it, or {ANOTHER}"),
    errno.EROFS: "run it where the project can be written",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
}
EPILOG = (
    "Exit codes are Pulumi's: 0 ok, 1 error, 2 configuration, 3 authentication, 6 stack not found, "
    "7 changes where none were expected, 8 cancelled."
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"inferstack {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def root(
    env: Annotated[
        str | None,
        typer.Option(
            "-e",
            "--env",
            metavar="STACK",
            help="The stack, in place of the first argument.",
            autocompletion=lambda incomplete: [name for name in stacks_here() if name.startswith(incomplete)],
        ),
    ] = None,
    cwd: Annotated[Path | None, typer.Option("--cwd", metavar="FOLDER", help="Act as if started there.")] = None,
    color: Annotated[
        Literal["auto", "always", "never"], typer.Option("--color", help="Also: NO_COLOR in the environment.")
    ] = "auto",
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Write what a run does, one JSON object a line.")
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="All of Pulumi's own lines.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Its number.")] = False,
) -> None:
    """AI inference on Cloudflare from YAML stack files, by Pulumi; locally before it costs a cent."""
    printing.set_up(color, verbose=verbose)
    go_to(cwd)
    if events is not None:
        from inferstack.engine import events as sink

        sink.open_file(events)
        sink.emit("command.started", command=sys.argv[1:])


def main(arguments: list[str] | None = None) -> int:
    if arguments is None:
        _speak_utf8()
    given = hoist(sys.argv[1:] if arguments is None else arguments)
    printing.set_up("auto", verbose=False)  # `--help` comes before any option is read
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _close_stdout()
        code = 0
    except OSError as error:
        code = _refused(error)
    except KeyboardInterrupt:
        printing.error("cancelled")
        code = 8
    _tell_the_end(given, code)
    return code


def _speak_utf8() -> None:
    """Files of a project and what Pulumi says are UTF-8 under any locale: Python's own mode for that has to be there from the
    start, here and in every program that we start."""
    if not sys.flags.utf8_mode and codecs.lookup(locale.getencoding()).name != "utf-8":
        again = {**os.environ, "PYTHONUTF8": "1"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], again)  # noqa: S606 - itself
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # PYTHONIOENCODING, or half a character in what was typed
            stream.reconfigure(errors="backslashreplace")


def _close_stdout() -> None:
    """Nothing more can be written there; what waits in the buffer would fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(given: list[str]) -> int:
    try:
        code = typer.main.get_command(app).main(args=given, prog_name="inferstack", standalone_mode=False)
    except typer.Exit as end:
        if end.exit_code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return end.exit_code
    except SystemExit as end:  # the library ends by itself after a completion, and with 1 when the reader has gone
        if end.code == 1:
            raise BrokenPipeError from None
        return int(end.code or 0)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        return _misused(error)
    except UserError as error:
        if str(error):
            printing.error(str(error))
        return error.exit_code
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _refused(error: OSError) -> int:
    """By the system: a file that cannot be read or written, a full disk. What has no file's name is a fault of ours."""
    if isinstance(error, BrokenPipeError) or (error.filename is None and error.errno not in FULL):
        raise error
    if error.filename is None:
        _close_stdout()
    where = f"{error.filename}: " if error.filename is not None else ""
    printing.error(f"{where}{(error.strerror or str(error)).lower()}\n  fix: {FIXES.get(error.errno or 0, ANOTHER)}")
    return UserError.exit_code


def _misused(error: Any) -> int:
    """Wrong arguments, by the library's own words, with where to look."""
    context = getattr(error, "ctx", None)
    text = error.format_message().rstrip(".")
    if type(error).__name__ == "NoArgsIsHelpError":
        print(text)
        return ConfigError.exit_code
    path = context.command_path if context else "inferstack"
    fix = f"{path} --help"
    if getattr(getattr(error, "param", None), "name", "") in ("stack", "source") and (known := stacks_here()):
        fix = f"name one of {', '.join(known)}; or see {fix}"
    printing.error(f"{text}\n  fix: {fix}")
    return ConfigError.exit_code


def _tell_the_end(given: list[str], code: int) -> None:
    if "inferstack.engine.events" in sys.modules:
        from inferstack.engine import events

        events.emit("command.done", command=given, exit_code=code)
        events.close_file()
