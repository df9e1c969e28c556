"""docs/licences.md names all that is installed with the package or by it, as the lock files have it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

from tests.conftest import ROOT

ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", re.M)
LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+) \\\n((?:    .*\n)+)", re.M)
KNOWN = "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause CC0-1.0 ISC MIT MIT-0 MPL-2.0 PSF-2.0 Zlib"


def rows(text: str) -> dict[str, tuple[str, str, str, str]]:
    return {
        name: (takes.strip(), version, licence, about) for name, takes, version, licence, about in ROW.findall(text)
    }


SHOWN = rows((ROOT / "docs" / "licences.md").read_text())


def locked() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Versions of requirements.lock, and who needs each."""
    versions, by = {}, {}
    for name, version, body in LOCKED.findall((ROOT / "requirements.lock").read_text()):
        versions[name] = version
        by[name] = set(re.findall(r"#\s+(?:via )?([a-z0-9.-]+)", body)) - {"via"}
    return versions, by


def runtime() -> set[str]:
    """What pyproject.toml asks for outside of its development extras, and what that needs, by requirements.lock alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    found = {re.split(r"[^\w.-]", text)[0] for text in asked}
    by = locked()[1]
    while more := {name for name, needers in by.items() if needers & found} - found:
        found |= more
    return found


def test_no_python_package_is_missing() -> None:
    versions = locked()[0]
    assert len(runtime()) > 50
    missing = {name: versions[name] for name in sorted(runtime()) if SHOWN.get(name, ("",) * 4)[1] != versions[name]}
    assert missing == {}


def test_no_npm_package_is_missing() -> None:
    locks = list((ROOT / "tools" / "node").glob("*/package-lock.json"))
    assert len(locks) == len(list((ROOT / "tools" / "node").iterdir())) >= 2
    for lock in locks:
        for path, entry in json.loads(lock.read_text())["packages"].items():
            name = entry.get("name", path.rpartition("node_modules/")[2])
            shown = [row for pattern, row in SHOWN.items() if fnmatchcase(name, pattern)]
            assert not path or [(row[1], row[2]) for row in shown] == [(entry["version"], entry["license"])], name


def test_the_pulumi_cli_is_the_one_that_is_built() -> None:
    module = "github.com/pulumi/pulumi/pkg/v3"
    assert f"require {module} v{SHOWN[module][1]}\n" in (ROOT / "tools" / "pulumi" / "go.mod").read_text()


def test_each_has_a_licence_that_is_known_and_a_reason() -> None:
    for name, (_, _, licence, about) in SHOWN.items():
        apart = {"GPL-3.0-or-later"} if name.startswith("piper-tts ") else set()  # a program of its own, never imported
        assert set(re.split(r" AND | OR ", licence)) <= set(KNOWN.split()) | apart, name
        assert about, name


def make(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "licences.py"), "--root", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copied(root: Path) -> Path:
    for name in ("pyproject.toml", "requirements.lock", "tools/pulumi/go.mod"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "tools" / "node", root / "tools" / "node")
    (root / "docs").mkdir()
    return root


def test_the_page_is_what_make_licences_writes(tmp_path: Path) -> None:
    done = make(copied(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "docs" / "licences.md").read_text() == (ROOT / "docs" / "licences.md").read_text()


def test_what_tells_no_licence_is_said(tmp_path: Path) -> None:
    lock = copied(tmp_path) / "tools" / "node" / "runtime" / "package-lock.json"
    lock.write_text(lock.read_text().replace('"license": "Apache-2.0"', '"license": ""'))
    done = make(tmp_path)
    assert done.returncode == 1
    assert "tells no licence" in done.stderr and "Traceback" not in done.stderr
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"croniter>=2,<7"', '"not-installed>=2"'))
    done = make(tmp_path)
    assert "not-installed is not installed" in done.stderr and "Traceback" not in done.stderr
