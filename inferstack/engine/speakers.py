"""Who answers for the models of local stacks: a line of `up`, and what `doctor` finds out about text servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inferstack.catalog import find_model
from inferstack.config import StackSpec, load_stack, stack_names
from inferstack.engine.environment import local_settings
from inferstack.errors import UserError
from inferstack.toolchain.doctor import Finding

Told = list[dict[str, str]]
START = "start it, or take `text_server` out of the stack's `local:`"
LEAVE = "put it there, or take `text` out of the stack's `local:`"


def lines(spec: StackSpec, told: Told) -> list[str]:
    """For people: who answers, and each trouble on a line of its own. `told` is what the local Cloudflare says."""
    parts = [f"{each['task']} by {_named(each)}" for each in told]
    text = next((each for each in told if each["task"] == "text"), {"engine": ""})
    chats = _chats(spec)
    if text["engine"] not in ("", "extractive") and chats:
        parts[0] += f" for {', '.join(chats)}"
    return [f"answers: {'; '.join(parts)}", *(f"warning: {each['error']}" for each in told if each.get("error"))]


def _named(each: dict[str, str]) -> str:
    return f"{each['engine']} ({each['about']})" if each.get("about") else each["engine"]


def _chats(spec: StackSpec) -> list[str]:
    names = dict.fromkeys(model.model for model in spec.models.values())
    return [name for name in names if (found := find_model(name)) and found.task == "Text Generation"]


def examine(root: Path | None) -> Iterator[Finding]:
    """The text servers of the project's local stacks, each asked once."""
    servers: dict[str, list[str]] = {}
    for name in stack_names(root) if root else ():
        try:
            spec = load_stack(name, root) if root else None
        except UserError:  # `check` says what is wrong with it
            continue
        if root and spec and (address := local_settings(spec, root).text_server) and spec.target == "local":
            servers.setdefault(address, []).append(name)
    for address, stacks in servers.items():
        yield _examined(address, stacks)


def _examined(address: str, stacks: list[str]) -> Finding:
    import asyncio

    from inferstack.local.ai.engines.gguf import Gguf, is_gguf  # 0.2 s, and only with such a stack
    from inferstack.local.ai.text_server import TextServer

    file = is_gguf(address)
    shown = asyncio.run((Gguf(Path(address)) if file else TextServer(address)).shown())
    what, of = "text of a file" if file else "text server", f"of {', '.join(stacks)}"
    if shown.get("error"):
        problem, _, fix = shown["error"].partition("\n  fix: ")
        return Finding(what, "missing", f"{problem} ({of})", fix or (LEAVE if file else START))
    return Finding(what, "ok", f"{_named(shown)} speaks for the chat models {of}")
