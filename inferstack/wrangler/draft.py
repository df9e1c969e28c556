"""A stack that is being written: what it declares, which resource on Cloudflare each key stands for, what was left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack.author.scaffold import SCHEMA_LINE
from inferstack.config import check_stack, plain, stack_files, stack_names, yaml_text
from inferstack.wrangler.places import KeyPath

BY = "# Made by `inferstack import wrangler`."
IDS = "# What these are on Cloudflare:"
IDENTITY = re.compile(r"^#   ([a-z_]+)\.([a-z0-9-]+): (\S.*)$", re.MULTILINE)
NO_ACCOUNT = "${CLOUDFLARE_ACCOUNT_ID:-" + "0" * 32 + "}"
LONGEST = 42  # characters of a key


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know, and where it stands in wrangler's file."""

    place: str
    text: str

    def __str__(self) -> str:
        return one_line(f"{self.place}: {self.text}")

    def comment(self) -> str:
        return one_line(f"# {self.text} ({self.place})")


def one_line(text: str) -> str:
    """For a comment: a name of wrangler's may hold any sign, and must not become YAML."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def key_for(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST].strip("-") or "worker"


def free(wish: str, taken: set[str]) -> str:
    """The wish, or with the first number that nobody has."""
    number = 2
    found = wish
    while found in taken:
        tail = f"-{number}"
        found, number = wish[: LONGEST - len(tail)].strip("-") + tail, number + 1
    return found


@dataclass
class Draft:
    """`identities` tells by what wrangler names it (an id, a name) which key a resource has."""

    name: str
    root: Path
    target: str
    keeps: bool = False  # wrangler's names, for `adopt`
    joins: bool = False  # a stack that an earlier import wrote
    account: str | None = None
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    identities: dict[tuple[str, str], str] = field(default_factory=dict)
    taken: dict[str, set[str]] = field(default_factory=dict)
    older: dict[str, set[str]] = field(default_factory=dict)  # keys of the stack that it joins
    counters: dict[str, KeyPath] = field(default_factory=dict)  # of rate limits, with who counts in them first
    private: dict[str, str] = field(default_factory=dict)  # files of its own, beside the stack's
    sources: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _new: list[str] = field(default_factory=list)

    def declare(self, section: str, identity: str, wish: str) -> tuple[str, dict[str, Any]]:
        """The key and the entry of what wrangler knows by `identity`."""
        identity = one_line(identity)
        key = self.identities.get((section, identity))
        if key is None:
            key = free(key_for(wish), self.taken.setdefault(section, set()))
            self.taken[section].add(key)
            self.identities[section, identity] = key
            self._new.append(f"#   {section}.{key}: {identity}")
        return key, self.data.setdefault(section, {}).setdefault(key, {})

    def keep_name(self, section: str, key: str, name: str) -> None:
        """What exists under a name of wrangler's is to be found there."""
        if self.keeps and name != f"{key}-{self.name}":
            self.data[section][key]["name"] = name

    def knows(self, section: str, identity: str) -> bool:
        return (section, one_line(identity)) in self.identities

    def file(self) -> str:
        """Where it is written: beside the stack's own file when there is one."""
        if not self.joins:
            return f"stacks/{self.name}.yaml"
        there = {file.stem for file in (self.root / "stacks" / self.name).glob("*.yaml")}
        return f"stacks/{self.name}/{free(next(iter(self.data.get('workers') or {'more': 0})), there)}.yaml"

    def text(self) -> str:
        head: dict[str, Any] = {}
        if not self.joins:
            head = {"environment": self.name}
            head |= {"target": "local"} if self.target == "local" else {"account": self.account or NO_ACCOUNT}
        schema = SCHEMA_LINE.replace("../", "../../") if self.joins else SCHEMA_LINE
        lines = [schema, f"{BY} From {one_line(', '.join(dict.fromkeys(self.sources)))}."]
        lines += [IDS, *self._new] if self._new else []
        lines += [note.comment() for note in dict.fromkeys(self.notes)]
        data = {**head, **{section: entries for section, entries in self.data.items() if entries}}
        return "\n".join(lines) + "\n" + yaml_text(data)


def open_draft(wish: str, root: Path, target: str, *, keeps: bool) -> Draft:
    """A new stack, or one that an earlier import wrote and this one adds to; never one that a person wrote."""
    there = set(stack_names(root)) | {"base"}
    if wish in there - {"base"}:
        texts = [file.read_text(errors="replace") for file in stack_files(wish, root)]
        if any(BY in text for text in texts):
            return _joined(wish, root, texts, keeps=keeps)
    return Draft(free(wish, there), root, target, keeps)


def _joined(name: str, root: Path, texts: list[str], *, keeps: bool) -> Draft:
    """Where it goes, the stack says already."""
    tree = check_stack(name, root).tree
    there = plain(tree) if tree else {}
    draft = Draft(name, root, str(there.get("target", "cloudflare")), keeps, joins=True)
    for section, entries in there.items():
        if isinstance(entries, dict):
            draft.taken[section], draft.older[section] = set(entries), set(entries)
    for found in IDENTITY.finditer("\n".join(texts)):
        draft.identities[found[1], found[3]] = found[2]
    return draft
