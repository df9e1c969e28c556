"""`inferstack prompts`: which version of each prompt is here, which is live, and what was live before, word by word."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, lacking, load_stack, prompt_in, prompt_value
from inferstack.engine.account import Account, NotThere
from inferstack.errors import ConfigError
from inferstack.text import paint, table

COLOURS = {"+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class Carried:
    """A prompt as a version of a Worker has it."""

    prompt: str
    version: str
    text: str


class Carriers:
    """Versions of Workers, with the prompts that they carry; each is asked for once."""

    def __init__(self, spec: StackSpec, account: Account) -> None:
        self._spec, self._account = spec, account
        self._known: dict[tuple[str, str], dict[str, Carried]] = {}

    def of(self, key: str, version: str) -> dict[str, Carried]:
        """By name; none of a version that is gone."""
        if (key, version) not in self._known:
            path = f"/workers/scripts/{self._spec.name_of('workers', key)}/versions/{version}"
            try:
                bindings = self._account.call("GET", path)["resources"]["bindings"]
            except NotThere:
                bindings = []
            found = [value for binding in bindings if (value := prompt_in(binding))]
            carried = [Carried(str(each["prompt"]), str(each["version"]), str(each["text"])) for each in found]
            self._known[key, version] = {each.prompt: each for each in carried}
        return self._known[key, version]

    def shown(self, key: str, version: str) -> str:
        """`greeting 3f2a91bc04d7, summary …`; empty where the stack has no prompts, and nothing is asked."""
        if not self._spec.prompts:
            return ""
        return ", ".join(f"{each.prompt} {each.version}" for each in self.of(key, version).values())


def prompts(stack: str, root: Path, name: str | None) -> dict[str, Any]:
    """All of a stack, or one with each version that was ever live. Raises `ConfigError` for one that is not declared."""
    spec = load_stack(stack, root)
    if name is not None and name not in spec.prompts:
        raise ConfigError(lacking(f"stack `{stack}`", "prompt", name, spec.prompts))
    account = Account(spec, root)
    carriers = Carriers(spec, account)
    found = [_one(spec, root, account, carriers, key) for key in ([name] if name else spec.prompts)]
    past = {"history": _history(spec, account, carriers, name)} if name else {}
    return {"version": 1, "stack": stack, "prompts": found, **past}


def _users(spec: StackSpec, prompt: str) -> list[str]:
    return [key for key in spec.workers if prompt in spec.prompts_of(key).values()]


def _one(spec: StackSpec, root: Path, account: Account, carriers: Carriers, key: str) -> dict[str, Any]:
    value = prompt_value(key, spec.prompts[key], root)
    live = []
    for worker in _users(spec, key):
        for deployment in account.deployments(spec.name_of("workers", worker))[:1]:
            for version, percent in deployment.shares.items():
                carried = carriers.of(worker, version).get(key)
                entry = {"worker": worker, "percent": percent, "worker_version": version}
                live.append({**entry, "version": carried.version if carried else None})
    return {"prompt": key, "here": value["version"], "text": value["text"], "open": value["variables"], "live": live}


def _history(spec: StackSpec, account: Account, carriers: Carriers, prompt: str) -> list[dict[str, Any]]:
    """Each time that another version of the prompt took most of the traffic, newest first."""
    found = []
    for worker in _users(spec, prompt):
        last = None
        for deployment in reversed(account.deployments(spec.name_of("workers", worker))):
            carried = carriers.of(worker, deployment.main).get(prompt)
            if carried is not None and carried != last:
                last = carried
                entry = {"at": deployment.created, "worker": worker, "worker_version": deployment.main}
                found.append({**entry, "version": carried.version, "text": carried.text})
    return sorted(found, key=lambda each: str(each["at"]), reverse=True)


def as_text(document: dict[str, Any]) -> str:
    if "history" in document:
        return _as_history(document["history"])
    rows = [("PROMPT", "HERE", "WORKER", "SHARE", "LIVE")]
    for each in document["prompts"]:
        for live in each["live"]:
            version = live["version"] or "-"
            shown = version if version == each["here"] else paint(f"{version} (not this checkout's)", "yellow")
            rows.append((each["prompt"], each["here"], live["worker"], f"{live['percent']:g} %", shown))
        if not each["live"]:
            rows.append((each["prompt"], each["here"], "-", "-", paint("not deployed", "yellow")))
    return "\n".join(table(rows)) if len(rows) > 1 else "the stack has no prompts"


def _as_history(events: list[dict[str, Any]]) -> str:
    """The whole text of the first version of a Worker, then what each later one changed."""
    lines: list[str] = []
    for number, event in enumerate(events):
        at = str(event["at"])[:19].replace("T", " ")
        lines.append(paint(f"{at}  {event['version']}  {event['worker']}, version {event['worker_version']}", "bold"))
        before = next((e["text"] for e in events[number + 1 :] if e["worker"] == event["worker"]), None)
        now = event["text"].splitlines()
        changed = now if before is None else list(difflib.ndiff(before.splitlines(), now))
        kept = [line for line in changed if before is None or not line.startswith("?")]
        lines += [f"    {paint(line, COLOURS[line[:1]]) if line[:1] in COLOURS else line}" for line in kept]
    return "\n".join(lines) or "it was never deployed"
