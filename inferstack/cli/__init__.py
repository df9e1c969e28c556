"""The command line: a table of commands by group, and the way from an error to its exit code."""

from inferstack.cli.main import main

__all__ = ["main"]
