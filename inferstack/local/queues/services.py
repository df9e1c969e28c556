"""What stands before queues in workerd's configuration while traces are kept: one Worker for all senders of an account."""

from __future__ import annotations

import json
from pathlib import Path

from inferstack.local.runtime.literals import joined, literal

HERE = Path(__file__).parent
FILE, DATE = "sender.js", "2026-10-01"


def designator(account: str, service: str) -> str:
    """Of the sender, for the binding of a queue that `service` leads to."""
    props = literal(json.dumps({"to": service}))
    return f'(name = {literal(f"sender-{account}")}, entrypoint = "Sender", props = (json = {props}))'


def senders(queues: dict[str, list[str]], folder: Path) -> list[str]:
    """A sender for each account, which has the services of its queues; what it does is told to `tracer`."""
    if queues:
        (folder / FILE).write_bytes((HERE / FILE).read_bytes())
    return [_sender(account, services) for account, services in queues.items()]


def _sender(account: str, services: list[str]) -> str:
    bindings = [f"(name = {literal(service)}, service = {literal(service)})" for service in services]
    props = literal(json.dumps({"account": account, "script": "", "version": ""}))
    return (
        f'(name = {literal(f"sender-{account}")}, worker = (modules = [(name = "{FILE}", esModule = embed "{FILE}")], '
        f'compatibilityDate = "{DATE}", compatibilityFlags = ["experimental"], bindings = [{joined(bindings)}], '
        f'streamingTails = [(name = "system", entrypoint = "tracer", props = (json = {props}))]))'
    )
