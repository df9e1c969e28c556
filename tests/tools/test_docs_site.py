"""The site of the documentation: built from the checkout, whole in itself, and not at all when something in it is broken."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inferstack import cli
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```sh\n(.*?)```|((?:^    .*\n)+)", re.S | re.M)
COMMAND = re.compile(r"^(?:[A-Z]+=\$\()?(?:\.venv/bin/)?inferstack (.*)$")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the site is built from, with a room of its own."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("docs", "examples", "inferstack", "changelog.d"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    (root / "changelog.d" / "attic.added.md").write_text("An attic\n")
    (root / "inferstack" / "attic").mkdir()
    text = '"""Old things."""\n\ndef late() -> None:\n    from inferstack.render import module\n'
    (root / "inferstack" / "attic" / "__init__.py").write_text(text)
    return root


def build(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.docs_site", "--root", str(root)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_the_site_is_built_and_fetches_nothing(checkout: Path) -> None:
    done = build(checkout)
    assert done.returncode == 0, done.stderr
    pages = list((checkout / "site").rglob("*.html"))
    assert len(pages) > len(PAGES)
    fetched = re.compile(r'<(?:script|img|iframe)[^>]* src="?(?:https?:)?//|<link[^>]* href="?(?:https?:)?//[^>]*>')
    assert [page.name for page in pages if fetched.search(page.read_text())] == []
    assert (checkout / "site" / "examples" / "rag.yaml").is_file()
    assert '<h2 id="unreleased">' in (checkout / "site" / "changelog.html").read_text()
    assert "<li>An attic</li>" in (checkout / "site" / "changelog.html").read_text()


def test_language_models_find_every_page_and_its_text(checkout: Path) -> None:
    build(checkout)
    site = checkout / "site"
    listed = re.findall(r"^- \[[^\]]+\]\((\S+)\): \S", (site / "llms.txt").read_text(), re.M)
    assert set(listed) == {str(page.relative_to(site)) for page in site.rglob("*.md")}
    whole = (site / "llms-full.txt").read_text()
    assert "## What an agent cannot do" in whole
    assert "An attic" not in whole  # the changelog is named, not told


def test_the_picture_is_drawn_from_the_imports(checkout: Path) -> None:
    build(checkout)
    picture = (checkout / "site" / "architecture.svg").read_text()
    assert "<title>attic → render</title>" in picture
    assert "<title>attic → config</title>" not in picture
    assert "| `attic` | Old things. | render (1) |" in (checkout / "build" / "docs" / "architecture.md").read_text()


def test_rooms_that_import_each_other_share_a_box(checkout: Path, tmp_path: Path) -> None:
    root = tmp_path / "again"
    shutil.copytree(checkout, root)
    (root / "inferstack" / "catalog" / "odd.py").write_text("import inferstack.attic.things\n")
    assert build(root).returncode == 0
    assert ">attic, catalog, config, render</text>" in (root / "site" / "architecture.svg").read_text()


def test_what_leads_nowhere_ends_the_build(checkout: Path, tmp_path: Path) -> None:
    root = tmp_path / "broken"
    shutil.copytree(checkout, root)
    page = root / "docs" / "guides" / "rag.md"
    page.write_text(f"{page.read_text()}\n[a](gone.md) [b](../config.md#gone-too) [c](#not-here) ![d](gone.svg)\n")
    done = build(root)
    assert done.returncode == 1
    for lost in ("gone.md", "#gone-too", "#not-here", "gone.svg"):
        assert f"{lost}'" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_that_no_menu_has_ends_the_build(checkout: Path, tmp_path: Path) -> None:
    root = tmp_path / "lonely"
    shutil.copytree(checkout, root)
    (root / "docs" / "lonely.md").write_text("# Lonely\n")
    done = build(root)
    assert done.returncode == 1
    assert "lonely.md" in done.stderr


def commands() -> list[tuple[str, str]]:
    """Every line with `inferstack` that stands in a block of a page, by the page's name."""
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in "".join(block).splitlines():
                parts = [COMMAND.match(part) for part in re.split(r" && | \| |; ", line.strip())]
                found += [(page.name, match[1]) for match in parts if match]
    return found


def test_every_command_that_is_shown_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a project, a line that was understood says that there is none, or needs none; any other is a usage error."""
    shown = commands()
    assert len(shown) > 100
    for number, (page, line) in enumerate(shown):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        words = shlex.split(re.sub(r"\s[12]?>.*$", "", line.rstrip(")")), comments=True)
        if words[0] in ("setup", "doctor", "--install-completion"):  # they would look at this machine, or change it
            assert cli.main([*(word for word in words[:1] if not word.startswith("-")), "--help"]) == 0
            text = capsys.readouterr().out
            assert all(word in text for word in words if word.startswith("--")), (page, line)
            continue
        code = cli.main(words)
        said = capsys.readouterr().err
        assert code == 0 or "no inferstack project in" in said, f"{page}: inferstack {line}\n{said}"
