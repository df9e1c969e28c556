"""`make outdated`: what is behind, as a table: pinned versions of the lock files against the newest that can be had.

It asks by the ordinary clients (pip, npm, go), so that mirrors and proxies that they know are used.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)
REQUIRED = re.compile(r"^require (\S+) (v\S+)$", re.M)  # of itself; what others need stands in a block
SECONDS = 300


class OutdatedError(Exception):
    """Why nothing can be said, in a sentence."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package and where its version stands."""

    name: str
    pinned: str
    newest: str
    file: str

    @property
    def is_behind(self) -> bool:
        return self.pinned != self.newest


def ask(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        raise OutdatedError(f"`{command[0]}` is not on PATH, which asks for newest versions\n  fix: install it")
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise unreached(command[0], f"no answer in {SECONDS} s") from None


def unreached(who: str, said: str) -> OutdatedError:
    first = next((line.strip() for line in said.splitlines() if line.strip()), "it said nothing")
    return OutdatedError(f"newest versions cannot be asked for: {who} reaches no registry ({first[:120]})")


def answer(text: str, who: str, said: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise unreached(who, said) from None


def python_pins(root: Path) -> Iterator[Pin]:
    file = "requirements.lock"
    pinned = {name.lower(): version for name, version in LOCKED.findall((root / file).read_text(encoding="utf-8"))}
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
    first = next(iter(pinned), "pip")
    # `pip list` takes an index that is not reached for one that has nothing newer.
    known = ask([*pip, "index", "versions", first], root)
    if known.returncode != 0:
        raise unreached("pip", known.stderr)
    done = ask([*pip, "list", "--outdated", "--format", "json"], root)
    newest = {entry["name"].lower(): entry["latest_version"] for entry in answer(done.stdout, "pip", done.stderr)}
    for name, version in pinned.items():
        yield Pin(name, version, newest.get(name, version), file)


def npm_pins(root: Path) -> Iterator[Pin]:
    """What each package.json names; what that needs comes along with it."""
    files = [root / "package.json", *sorted((root / "tools").glob("**/package.json"))]
    newest: dict[str, str] = {}
    for file in (file for file in files if "node_modules" not in file.parts and file.is_file()):
        named = json.loads(file.read_text(encoding="utf-8"))
        for name, version in {**named.get("dependencies", {}), **named.get("devDependencies", {})}.items():
            # Not `npm outdated`: it leaves out what is for development and not installed.
            newest[name] = newest.get(name) or newest_of_npm(name, root)
            yield Pin(name, version, newest[name], file.relative_to(root).as_posix())


def newest_of_npm(name: str, root: Path) -> str:
    done = ask(
        [
            "npm",
            "view",
            name,
            "version",
            "--json",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            "--fetch-timeout=15000",
        ],
        root,
    )
    if done.returncode != 0:
        raise unreached("npm", done.stderr.replace("npm error ", ""))
    return str(answer(done.stdout, "npm", done.stderr))


def go_pins(root: Path) -> Iterator[Pin]:
    for file in sorted((root / "tools").glob("*/go.mod")):
        for module, version in REQUIRED.findall(file.read_text(encoding="utf-8")):
            with tempfile.TemporaryDirectory() as outside:  # in the module's own folder go keeps to its go.mod
                done = ask(["go", "list", "-m", "-json", f"{module}@latest"], Path(outside))
            if done.returncode != 0:
                raise unreached("go", done.stderr)
            newest = answer(done.stdout, "go", done.stderr)["Version"]
            yield Pin(module, version, newest, file.relative_to(root).as_posix())


def table(pins: list[Pin]) -> str:
    behind = sorted((pin for pin in pins if pin.is_behind), key=lambda pin: (pin.file, pin.name))
    lines = [("package", "pinned", "newest", "file"), *((p.name, p.pinned, p.newest, p.file) for p in behind)]
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    shown = [
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]) for line in lines
    ]
    return "\n".join([*(shown if behind else []), f"{len(behind)} of {len(pins)} are behind"])


def main() -> int:
    parser = argparse.ArgumentParser(description="pinned versions against the newest that can be had")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout (default: this one)")
    root = parser.parse_args().root.resolve()
    try:
        print(table([*python_pins(root), *npm_pins(root), *go_pins(root)]))
    except (OutdatedError, OSError, ValueError, KeyError) as error:
        print(f"outdated: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("outdated: cancelled", file=sys.stderr)
        return 8
    return 0


if __name__ == "__main__":
    sys.exit(main())
