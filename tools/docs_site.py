"""`make docs`: the site of the documentation, into `site/`. What is broken in it ends the build.

The pages are `docs/`, README, CONTRIBUTING, CHANGELOG and the page that `rooms.py` draws. They are laid out in `build/docs/`
with their links turned to where things are there; files of the repository that a page links to come along. Then MkDocs
builds it and finds links and anchors that lead nowhere.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools import llms_txt, rooms

ROOT = Path(__file__).resolve().parent.parent
MOVED = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
MARK = "<!-- towncrier release notes start -->"
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")  # relative ones; `scheme:` and `#anchor` stay
FENCE = re.compile(r"^ {0,3}(```|~~~)")


def stage(root: Path, folder: Path) -> None:
    """Everything that becomes a page, a picture or a download, in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    sources = [root / name for name in MOVED] + sorted((root / "docs").rglob("*"))
    for source in sources:
        if source.suffix == ".md":
            write(folder / place_of(source, root), with_links(source, root, folder))
        elif source.is_file():
            copy(source, folder / place_of(source, root))
    for name, text in rooms.page(root).items():
        write(folder / name, text)
    changelog = folder / MOVED["CHANGELOG.md"]
    write(changelog, changelog.read_text(encoding="utf-8").replace(MARK, unreleased(root) + MARK))
    for name, text in llms_txt.files(root, folder).items():
        write(folder / name, text)


def unreleased(root: Path) -> str:
    """What the fragments tell; nothing where there are none."""
    towncrier = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--draft",
        "--version",
        "next",
        "--date",
        "-",
        "--dir",
        str(root),
    ]
    done = subprocess.run(towncrier, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"towncrier: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    text = done.stdout.strip().partition("\n")[2]
    return f"## Unreleased\n{text}\n\n" if "\n- " in text else ""


def place_of(file: Path, root: Path) -> Path:
    """Where a file of the repository is in the site."""
    path = file.relative_to(root)
    return Path(MOVED.get(path.as_posix()) or (path.relative_to("docs") if path.parts[0] == "docs" else path))


def with_links(page: Path, root: Path, folder: Path) -> str:
    here = place_of(page, root).parent

    def turned(found: re.Match[str]) -> str:
        target = Path(os.path.normpath(page.parent / found[2]))
        if not target.is_file() or not target.is_relative_to(root):
            return found[0]  # MkDocs says that it leads nowhere
        place = place_of(target, root)
        if target.suffix != ".md":
            copy(target, folder / place)
        return f"{found[1]}{os.path.relpath(place, here)}{found[3] or ''}{found[4]}"

    lines, fenced = [], False
    for line in page.read_text(encoding="utf-8").splitlines(keepends=True):
        fenced ^= bool(FENCE.match(line))
        lines.append(line if fenced else LINK.sub(turned, line))
    return "".join(lines)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main() -> int:
    parser = argparse.ArgumentParser(description="build the site of the documentation into site/")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout (default: this one)")
    root = parser.parse_args().root.resolve()
    try:
        stage(root, root / "build" / "docs")
        # Not `--quiet`: it takes the warnings away that `--strict` counts.
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(root / "mkdocs.yml")]
        # Its theme speaks of the theme's future at each build.
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        done = subprocess.run(command, cwd=root, check=False, env=environment, stderr=subprocess.PIPE, text=True)
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        print(f"docs: error: {error}", file=sys.stderr)
        return 1
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if not line.startswith("INFO ")]
        print("\n".join([*said, "docs: error: the site was not built; MkDocs says above why"]), file=sys.stderr)
        return 1
    for page in (root / "build" / "docs").rglob("*.md"):  # what llms.txt links to
        copy(page, root / "site" / page.relative_to(root / "build" / "docs"))
    print("docs: site/ is built; site/index.html opens from the disk")
    return 0


if __name__ == "__main__":
    sys.exit(main())
