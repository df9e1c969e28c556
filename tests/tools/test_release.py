"""A release, made in a copy of this checkout; and what stands in its way is said in words, with everything as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

FRAGMENT = "changelog.d/a-thing.added.md"
SAY = "Things are\nsaid in two lines"


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.fixture(autouse=True)
def author(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.com")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this checkout has now, as one commit, with fragments of its own."""
    root = tmp_path_factory.mktemp("origin")
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for file in (root / "changelog.d").glob("*.md"):
        file.unlink()
    (root / FRAGMENT).write_text(SAY + "\n")
    (root / "changelog.d/other.added.md").write_text("Another\n")
    (root / "changelog.d/list.fixed.md").write_text("- One\n- Two\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "All")
    return root


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


def release(root: Path, *version: str, code: int = 0) -> str:
    command = [sys.executable, str(ROOT / "tools" / "release.py"), *version, "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_release_is_committed_tagged_built_and_told(clone: Path) -> None:
    before = (clone / "CHANGELOG.md").read_text()
    said = release(clone, "7.8.9")
    assert "nothing is published" in said
    part = (clone / "dist" / "NOTES.md").read_text()
    assert part.startswith("## 7.8.9 (2")
    assert part.split("\n", 1)[1] == (
        "\n### Added\n- Things are\n  said in two lines\n- Another\n\n### Fixed\n- One\n- Two\n"
    )
    start = before.index("<!-- towncrier")
    changelog = (clone / "CHANGELOG.md").read_text()
    assert changelog.startswith(before[:start]) and part.strip() in changelog
    assert not (clone / FRAGMENT).exists()
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "log", "-1", "--format=%s %D").startswith("Release 7.8.9 HEAD -> main, tag: v7.8.9")
    assert git(clone, "cat-file", "-t", "v7.8.9").strip() == "tag"
    wheel = next((clone / "dist").glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        assert b'__version__ = "7.8.9"' in archive.read("inferstack/__init__.py")
        for name in ("build", "runtime"):  # in git, not only in this folder
            assert f"inferstack/_shipped/tools/node/{name}/package-lock.json" in archive.namelist()

    assert "is there already" in release(clone, "7.8.9", code=1)
    assert "7.8.9rc1 is older than 7.8.9" in release(clone, "7.8.9rc1", code=1)
    assert "nothing to release" in release(clone, "7.9.0", code=1)
    assert git(clone, "status", "--porcelain") == ""


def test_a_dirty_tree_is_refused_and_left_alone(clone: Path) -> None:
    (clone / "README.md").write_text("mine\n")
    (clone / "new.txt").write_text("mine, too\n")
    said = release(clone, "7.8.9", code=1)
    assert "the tree is dirty" in said and "README.md" in said and "new.txt" in said
    assert (clone / "README.md").read_text() == "mine\n"
    assert (clone / FRAGMENT).read_text() == SAY + "\n"


@pytest.mark.parametrize("version", [[], ["1.2"], ["v1.2.3"], ["1.2.3-rc.1"]])
def test_what_is_no_version_is_refused(clone: Path, version: list[str]) -> None:
    assert "fix: " in release(clone, *version, code=1)
    assert git(clone, "tag") == ""


def test_a_fragment_with_a_wrong_name_ends_it(clone: Path) -> None:
    (clone / "changelog.d" / "a.feature.md").write_text("A\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "A fragment")
    assert "a.feature.md" in release(clone, "7.8.9", code=1)
    assert (clone / FRAGMENT).is_file()


def test_what_fails_is_put_back(clone: Path) -> None:
    makefile = clone / "Makefile"
    makefile.write_text(makefile.read_text().replace("@rm -rf dist &&", "@echo no disk >&2; false &&"))
    git(clone, "commit", "--quiet", "--all", "-m", "A wheel that cannot be built")
    said = release(clone, "7.8.9", code=1)
    assert "`make wheel` failed" in said and "no disk" in said
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "tag") == ""
    assert (clone / FRAGMENT).is_file()
