"""`make release VERSION=1.2.3`: changelog, version, wheel, commit, tag and notes of a release, in this checkout only.

Nothing is pushed or uploaded. What fails before the commit is put back.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION_FILE = "inferstack/__init__.py"
NOTES = "dist/NOTES.md"
VERSION_LINE = re.compile(r'^__version__ = "([^"]*)"$', re.M)
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")


class ReleaseError(Exception):
    """What stands in the way, and what to do, in a sentence or two."""


def run(root: Path, command: list[str], problem: str) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise ReleaseError("\n  ".join([problem, *said]))
    return done.stdout


def git(root: Path, *words: str) -> str:
    return run(root, ["git", *words], f"`git {' '.join(words[:2])}` failed")


def order(version: str) -> tuple[int | str, ...]:
    """A final release comes after its candidates."""
    match = VERSION.fullmatch(version)
    if not match:
        raise ReleaseError(
            f"`{version}` is no version\n  fix: three numbers such as 1.2.3, or a candidate such as 1.2.3rc1"
        )
    major, minor, patch, kind, number = match.groups()
    return int(major), int(minor), int(patch), kind or "z", int(number or 0)


def require(root: Path, version: str) -> None:
    wanted = order(version)
    if changed := git(root, "status", "--porcelain").splitlines():
        shown = ", ".join(line[3:] for line in changed[:5]) + (", …" if len(changed) > 5 else "")
        raise ReleaseError(f"the tree is dirty: {shown}\n  fix: commit it, put it away, or list it in .gitignore")
    if git(root, "tag", "--list", f"v{version}").strip():
        raise ReleaseError(f"the tag v{version} is there already\n  fix: take the next version")
    current = current_version(root)
    if wanted < order(current):
        raise ReleaseError(f"{version} is older than {current}, which {VERSION_FILE} says\n  fix: take a newer one")


def current_version(root: Path) -> str:
    found = VERSION_LINE.search((root / VERSION_FILE).read_text(encoding="utf-8"))
    if not found:
        raise ReleaseError(f'{VERSION_FILE} has no line `__version__ = "…"`\n  fix: put it back')
    return found[1]


def write_changelog(root: Path, version: str, date: str) -> str:
    """The part of this release. The fragments are gone afterwards."""
    towncrier = [sys.executable, "-m", "towncrier", "build", "--version", version, "--date", date]
    problem = "towncrier cannot make the changelog"
    notes = run(root, [*towncrier, "--draft"], problem).strip()
    if "\n- " not in notes:
        raise ReleaseError(
            "changelog.d/ has no fragment, so there is nothing to release\n  fix: CONTRIBUTING.md says how to write one"
        )
    run(root, [*towncrier, "--yes"], problem)
    return notes + "\n"


def write_version(root: Path, version: str) -> None:
    file = root / VERSION_FILE
    file.write_text(VERSION_LINE.sub(f'__version__ = "{version}"', file.read_text(encoding="utf-8")), encoding="utf-8")


def build_wheel(root: Path, version: str) -> Path:
    # `make release` has set everything up; the wheel is built by the Python that runs this.
    command = ["make", "--silent", "--old-file=setup", "wheel", f"BIN={Path(sys.executable).parent}"]
    run(root, command, "`make wheel` failed")
    wheels = list((root / "dist").glob(f"*-{version}-*.whl"))
    if len(wheels) != 1:
        raise ReleaseError(f"`make wheel` built no wheel of {version} into dist/")
    return wheels[0]


def release(root: Path, version: str) -> Path:
    require(root, version)
    try:
        notes = write_changelog(root, version, datetime.now(UTC).date().isoformat())
        write_version(root, version)
        wheel = build_wheel(root, version)
        (root / NOTES).write_text(notes, encoding="utf-8")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", f"Release {version}")
    except BaseException:
        git(root, "reset", "--quiet", "--hard")  # the tree was clean: only what this run wrote is lost
        raise
    git(root, "tag", "--annotate", f"v{version}", "--message", f"inferstack {version}")
    return wheel


def main() -> int:
    parser = argparse.ArgumentParser(description="make a release in this checkout; nothing is pushed or uploaded")
    parser.add_argument("version", nargs="?", default="", help="such as 1.2.3")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout (default: this one)")
    given = parser.parse_args()
    try:
        if not given.version:
            raise ReleaseError("which version?\n  fix: make release VERSION=1.2.3")
        wheel = release(given.root.resolve(), given.version)
    except (ReleaseError, OSError, UnicodeDecodeError) as error:
        print(f"release: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("release: cancelled", file=sys.stderr)
        return 8
    print(f"release: {given.version} is committed and tagged; dist/{wheel.name} and {NOTES} are built")
    print(f"release: nothing is published yet: git push --follow-tags, then upload dist/{wheel.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
