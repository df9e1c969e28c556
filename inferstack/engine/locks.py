"""The lock of a stack: released when the run that took it is dead, else its holder is named."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import TypeVar

from pulumi import automation as auto

from inferstack.errors import UserError
from inferstack.local.daemon import alive

HOLDER = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")
Result = TypeVar("Result")


def with_lock(stack: auto.Stack, say: Callable[[str], None], run: Callable[[], Result]) -> Result:
    """Run what locks the stack. Raises `UserError` with the holder's name while another run has it."""
    try:
        return run()
    except auto.ConcurrentUpdateError as error:
        holders = HOLDER.findall(str(error))
        if not holders or any(_alive(host, int(pid)) for _, host, pid, _ in holders):
            raise UserError(_held(stack.name, holders)) from None
    say("the run that held the lock of this stack is dead; its lock is released")
    stack.cancel()
    return run()


def _alive(host: str, pid: int) -> bool:
    """Of another machine nothing is known, so its run counts as alive."""
    if host != socket.gethostname():
        return True
    return alive(pid)


def _held(stack: str, holders: list[tuple[str, str, str, str]]) -> str:
    named = "; ".join(f"{user} on {host}, process {pid}, since {since}" for user, host, pid, since in holders)
    who = f" ({named})" if named else ""
    return f"another run holds the lock of this stack{who}\n  fix: wait for it; if it is dead: pulumi cancel -s {stack}"
