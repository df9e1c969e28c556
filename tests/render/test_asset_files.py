"""Which files of a folder are static assets: what `.assetsignore` means is asked of git, whose language it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inferstack.asset_files import ignored_by, served_files, stage_served

PATHS = (
    "a.map", "B.MAP", "src/a.map", "src/deep/a.ts", "src/deep/b.ts", "docs/src/a.ts", "node_modules/x/y.js", "build",
    "sub/build/z", "#x", "!x", "a b", "a1", "a2", "az", "a/b", "x/foo/y", "foo/y", ".env", "sp ", "[x]", "a^",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "*.map\n", "src/\n", "/src\n", "src/*.ts\n", "src/**/*.ts\n", "**/foo\n", "src/**\n", "build/\n", "*\n!a.map\n",
        "src/\n!src/a.map\n", "src/*\n!src/a.map\n", "# no\n\\#x\n\\!x\n", "a[0-9]\n", "a[!0-9]\n", "a?\n", "sp  \n",
        "node_modules\r\n*.ts\r\n", "a/b\n", "[x\n", "\\[x\\]\n", "", "/\n", "**\n!.env\n", "a[]^]\n",
        "foo/**/y\n", "a**\n",
    ],
)  # fmt: skip
def test_an_ignore_file_means_what_git_says(tmp_path: Path, text: str) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(text.replace("\r", ""))  # git takes a carriage return for a part of the name
    command = ["git", "-c", "core.ignoreCase=true", "check-ignore", "--no-index", "-z", "--stdin"]
    asked = subprocess.run(command, cwd=tmp_path, input="\0".join(PATHS), text=True, capture_output=True, check=False)
    is_ignored = ignored_by(text)
    assert [path for path in PATHS if is_ignored(path)] == asked.stdout.split("\0")[:-1]


def test_a_staged_folder_follows_the_files(tmp_path: Path) -> None:
    site, staged = tmp_path / "site", tmp_path / "staged"
    for name in ("index.html", "a.map", "_headers", "_worker.js/index.js"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(name)
    assert [*served_files(site)] == ["/_headers", "/a.map", "/index.html"]
    assert [*served_files(stage_served(site, staged))] == ["/_headers", "/a.map", "/index.html"]
    (site / ".assetsignore").write_text("*.map\n_*\n")
    assert [*served_files(stage_served(site, staged))] == ["/_headers", "/index.html"], "rules are read all the same"
    (site / ".assetsignore").unlink()
    (site / "_worker.js" / "index.js").unlink()
    assert stage_served(site, staged) == site, "where all is served, the folder itself goes up"
