"""`inferstack import wrangler`: a wrangler project as stack files, with its own source; what cannot be carried is told.

Each environment is a stack, the top level too: `wrangler deploy` without `--env` deploys that one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack.config import Finding, check_stack, env_uses, find_entry, leaves
from inferstack.errors import ConfigError
from inferstack.wrangler import wrangler_file
from inferstack.wrangler.bindings_in import BINDINGS, LISTS, NOT_INHERITED
from inferstack.wrangler.dev_vars import add_secrets
from inferstack.wrangler.draft import Draft, free, key_for, one_line, open_draft
from inferstack.wrangler.objects_in import read_objects
from inferstack.wrangler.reading import Ledger, Unfit, Value
from inferstack.wrangler.section import LEFT_OUT, Reader, Section, escaped
from inferstack.wrangler.settings_in import DEFAULTS, NO_MATTER, SETTINGS, WHY, add_subdomain
from inferstack.wrangler.wrangler_file import WranglerFile

TOP_LEVEL = "default"
DATE = "2026-06-01"
OF_CODE = ("vars", "bindings", "objects", "workflows", "secrets", "crons")
ACCOUNT = re.compile(r"[0-9a-f]{32}")
NAMES = "names on Cloudflare are `<name>-<environment>` here: what wrangler deployed stays as it is"

KEPT = "names on Cloudflare are wrangler's: `up` makes none of them twice, `adopt` takes over what is there"


@dataclass
class Imported:
    """Files that were written, by path from the project, what was left out, and what `check` says of the stacks.

    `private` are those that hold a secret, for the user alone.
    """

    files: dict[str, str] = field(default_factory=dict)
    private: dict[str, str] = field(default_factory=dict)
    stacks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def import_wrangler(paths: Sequence[Path], root: Path, target: str = "cloudflare", *, adopt: bool = False) -> Imported:
    """Writes a stack for the top level and each of `env.*`; raises `ConfigError` and writes nothing then."""
    files = [file for path in paths for file in wrangler_file.find(path, root)]
    found, drafts = Imported(), dict[str, Draft]()
    sections = []
    for file in files:
        names = set[str]()
        for environment, own in _environments(file, found).items():
            wish = free(_stack_name(file, environment, files), names)  # `Prod` is not `prod`
            names.add(wish)
            if wish not in drafts:
                drafts[wish] = open_draft(wish, root, target, keeps=adopt)
            drafts[wish].sources.append(file.shown)
            sections.append(_section(drafts[wish], file, root, environment, own))
    for section in sections:
        _read(section)
    for section in sections:
        _call_others(section)
        _finish(section)
    found.files = {draft.file(): draft.text() for draft in drafts.values()}
    found.private = {path: text for draft in drafts.values() for path, text in draft.private.items()}
    found.stacks = [draft.name for draft in drafts.values()]
    notes = [note for draft in drafts.values() for note in draft.notes]
    found.notes += [str(note) for note in dict.fromkeys(notes)]
    found.notes += [
        f"there is a stack `{wish}` already: this one is `{d.name}`" for wish, d in drafts.items() if wish != d.name
    ]
    elsewhere = [draft for draft in drafts.values() if draft.target != target]
    found.notes += [
        f"stack `{draft.name}` goes to {draft.target}: `--target {target}` is for new ones" for draft in elsewhere
    ]
    found.notes.append(KEPT if adopt else NAMES)
    _write(found, root)
    return found


def next_commands(found: Imported, target: str, *, adopt: bool = False) -> list[str]:
    """What can be typed next, and works."""
    stack = found.stacks[0]
    if found.wrong:
        return [f"next: correct what stands above; inferstack check {stack}"]
    if adopt:
        return [f"next: inferstack adopt {stack}; inferstack preview {stack}"]
    if target == "local":
        return [f"next: inferstack up {stack}"]
    here = free("local", set(found.stacks))
    return [
        f"next: inferstack up {stack} (it needs CLOUDFLARE_API_TOKEN and an account)",
        f"or here first: inferstack add stack {here} --target local --extends {stack}.yaml; inferstack up {here}",
    ]


def _environments(file: WranglerFile, found: Imported) -> dict[str | None, dict[str, Any]]:
    """What each says itself; None is the top level."""
    given = file.data.get("env") or {}
    environments: dict[str | None, dict[str, Any]] = {None: file.data}
    if not isinstance(given, dict):
        found.notes.append(f"{file.place(('env',))}: {LEFT_OUT}`env` is no mapping of names to environments")
        return environments
    for name, own in given.items():
        if isinstance(own, dict):
            environments[name] = own
        else:
            found.notes.append(f"{file.place(('env', name))}: {LEFT_OUT}`env.{name}` is no mapping")
    return environments


def _stack_name(file: WranglerFile, environment: str | None, files: list[WranglerFile]) -> str:
    """Of an environment its own, of the top level `default`; of what a build made for one environment, that one's."""
    if environment is None:
        built_for = file.data.get("targetEnvironment")
        given = [env for other in files if isinstance(env := other.data.get("env"), dict)]
        named = {key_for(name) for env in given for name in env}
        return (
            key_for(built_for)
            if isinstance(built_for, str) and built_for
            else "top-level"
            if TOP_LEVEL in named
            else TOP_LEVEL
        )
    return key_for(environment)


def _section(draft: Draft, file: WranglerFile, root: Path, environment: str | None, own: dict[str, Any]) -> Section:
    """With what the environment inherits: never bindings or variables, and a `route` stands for all routes."""
    ledger = Ledger(file)
    path = () if environment is None else ("env", environment)
    keys = {str(key): Value(value, (*path, str(key)), ledger) for key, value in own.items()}
    if environment is not None:
        routed = {"route", "routes"} if {"route", "routes"} & keys.keys() else set[str]()
        for key, value in file.data.items():
            if key not in NOT_INHERITED | keys.keys() | routed:
                keys[str(key)] = Value(value, (str(key),), ledger)
    keys = {key: value for key, value in keys.items() if value.raw is not None}
    section = Section(draft, file, root, environment, ledger, keys=keys)
    script = _script(file, environment, own)
    # wrangler's own names end in the environment's: so the name on Cloudflare stays what it was.
    wish = key_for(script).removesuffix(f"-{key_for(environment)}") if environment is not None else script
    known = draft.knows("workers", script)
    section.worker, entry = draft.declare("workers", script, wish)
    if known:
        raise ConfigError(
            f"stack `{draft.name}` has the Worker `{section.worker}` already\n"
            f"  fix: take it out there, or rename the one in {file.shown}"
        )
    entry |= {"source": "", "compatibility_date": ""}
    draft.keep_name("workers", section.worker, script)
    section.entry = entry
    return section


def _script(file: WranglerFile, environment: str | None, own: dict[str, Any]) -> str:
    """The name that wrangler gives the Worker."""
    name = own.get("name")
    if isinstance(name, str) and name:
        return name
    top = file.data.get("name")
    base = top if isinstance(top, str) and top else (file.path.resolve().parent.name or "worker")
    return f"{base}-{environment}" if environment is not None else base


def _read(section: Section) -> None:
    for key, value in section.keys.items():
        if key in NO_MATTER or value.raw in ("", [], {}) or value.raw in DEFAULTS.get(key, ()):
            value.done()
        elif key in LISTS:
            section.each(LISTS[key], value)
        elif key in READERS:
            section.attempt(READERS[key], value)
    read_objects(section)
    add_subdomain(section)
    if not section.entry["compatibility_date"]:
        section.entry["compatibility_date"] = DATE
        section.note((), f"there is no `compatibility_date`; {DATE} is written")
    if not section.entry["source"] and "assets" in section.entry:
        section.entry.pop("source")  # static assets need no code
        for name in [name for name in OF_CODE if name in section.entry]:
            section.entry.pop(name)
            section.note((), f"{LEFT_OUT}`{name}`; static files alone read none")
    elif not section.entry["source"]:
        section.note((), f"{LEFT_OUT}there is no `main`, and so no code to run")
        section.draft.data["workers"].pop(section.worker)


def _account(section: Section, value: Value) -> None:
    if value.raw == "":
        return
    account, draft = value.text(), section.draft
    if not ACCOUNT.fullmatch(account):
        raise Unfit(value.path, f"`{account}` is no id of an account: 32 hexadecimal digits")
    if draft.account not in (None, account):
        section.note(value.path, f"`{draft.name}` goes to the account {draft.account}, this Worker with it")
    draft.account = draft.account or account


def _main(section: Section, value: Value) -> None:
    section.entry["source"] = section.path(value.text())


def _date(section: Section, value: Value) -> None:
    section.entry["compatibility_date"] = str(value.done())  # TOML has days of its own


READERS: dict[str, Reader] = {
    **BINDINGS,
    **SETTINGS,
    "account_id": _account,
    "compatibility_date": _date,
    "main": _main,
}


def _call_others(section: Section) -> None:
    """Bindings to Workers, once all are known."""
    draft = section.draft
    for binding, script, value in section.calls:
        key = draft.identities.get(("workers", script))
        if key is None or key not in draft.data.get("workers", {}).keys() | draft.older.get("workers", set()):
            why = f"the Worker `{script}` is not in this stack, and so `env.{binding}` is nothing: import both together"
            section.left_out(value, why)
            section.unbound(binding, "services")
        else:
            section.attempt(_calls(key), value)

    for script, value in section.tails:
        key = draft.identities.get(("workers", script))
        if key is None or key not in draft.data.get("workers", {}).keys() | draft.older.get("workers", set()):
            why = f"the Worker `{script}` is not in this stack, and nobody reads this Worker's events: import both together"
            section.left_out(value, why)
        else:
            value.done()
            section.entry.setdefault("tail_consumers", []).append(key)
    theirs = {"objects": "durable_objects", "workflows": "workflows"}
    for kind, bound in (("objects", section.objects), ("workflows", section.flows)):
        for name, script, class_name, value in bound:
            key = draft.identities.get(("workers", script))
            if key is None or key not in draft.data.get("workers", {}).keys() | draft.older.get("workers", set()):
                why = (
                    f"the Worker `{script}` is not in this stack, and so `env.{name}` is nothing: import both together"
                )
                section.left_out(value, why)
                section.unbound(name, theirs[kind])
            else:
                value.done()
                section.entry.setdefault(kind, {})[name] = {"class_name": class_name, "worker": key}
    for entry, script in section.transfers:
        if (key := draft.identities.get(("workers", script))) is not None:
            entry["transferred_from"] = key


def _calls(key: str) -> Reader:
    def read(section: Section, value: Value) -> None:
        name, entrypoint = value.need("binding"), value.get("entrypoint")
        section.bind(name, "service", key)
        if entrypoint is not None and entrypoint.raw and entrypoint.text() != "default":
            section.entry["bindings"][name.text()]["entrypoint"] = entrypoint.text()
        if (props := value.get("props")) is not None:
            props.mapping()
            section.entry["bindings"][name.text()]["props"] = escaped(props.done())

    return read


def _finish(section: Section) -> None:
    """Secrets, then all that nobody read."""
    source = section.entry.get("source")
    entry = find_entry(section.root / source) if source else None
    uses = env_uses(entry, section.root) if entry and not leaves(entry, section.root) else []
    add_secrets(section, {use.name for use in uses})
    for value in list(section.unread()):
        section.left_out(value, _why(value))
        if _is_build(value) and source and entry is None:
            section.entry["built_by"] = escaped(one_line(value.raw["command"]))
        for name in _names(value):
            section.unbound(name, _key(value))


def _why(value: Value) -> str:
    """What the code will miss."""
    key, names = _key(value), _names(value)
    if _is_build(value):
        return f"run `{one_line(value.raw['command'])}` yourself before `up`"
    if key in WHY:
        return WHY[key]
    return f"{' and '.join(f'`env.{name}`' for name in names)} is nothing there" if names else ""


def _is_build(value: Value) -> bool:
    return _key(value) == "build" and isinstance(value.raw, dict) and bool(isinstance(value.raw.get("command"), str))


def _key(value: Value) -> str:
    """The outermost one: of the environment's own when it is in one."""
    return str(value.path[2] if value.path[0] == "env" else value.path[0])


def _names(value: Value) -> list[str]:
    return _bound(value.raw) if _key(value) in NOT_INHERITED else []


def _bound(raw: Any) -> list[str]:
    """The names in `env` that a binding of any kind would have."""
    if isinstance(raw, list):
        return [name for item in raw for name in _bound(item)]
    if not isinstance(raw, dict):
        return []
    name = raw.get("binding") or (raw.get("class_name") if "image" in raw else None) or raw.get("name")
    return [name] if isinstance(name, str) else [found for item in raw.values() for found in _bound(item)]


def _write(found: Imported, root: Path) -> None:
    taken = next((path for path in found.files if (root / path).exists()), None)
    if taken:
        raise ConfigError(f"{taken} is there already\n  fix: move it away, or rename the environment")
    try:
        for path, text in found.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for path, text in found.private.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch(mode=0o600)
            (root / path).write_text(text)
        found.findings = [finding for stack in found.stacks for finding in check_stack(stack, root).findings]
    except BaseException:
        for path in (*found.files, *found.private):
            (root / path).unlink(missing_ok=True)
        raise
