"""The wheel in an empty environment outside any checkout: a project made, brought up, cloned, upgraded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferstack import __version__, local
from inferstack.toolchain import cache_folder
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NEWER = "99.0.0"


@dataclass
class Installed:
    """An environment with nothing but the wheel, and a home of its own."""

    root: Path
    path: list[str]

    @property
    def variables(self) -> dict[str, str]:
        places = [str(self.root / "env" / "bin"), *self.path, "/usr/bin", "/bin"]
        kept = {k: v for k, v in os.environ.items() if k.lower().startswith(("pip_", "npm_", "ssl_"))}
        home = {"HOME": str(self.root / "home"), "XDG_CACHE_HOME": str(self.root / "cache")}
        return {**kept, **home, "PATH": os.pathsep.join(places), "LANG": "C.UTF-8"}

    def run(self, folder: Path, command: str, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=folder,
            env=self.variables | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout


def wheel(folder: Path, source: Path = ROOT) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    root = tmp_path_factory.mktemp("installed")
    package = wheel(root / "dist")
    subprocess.run([sys.executable, "-m", "venv", root / "env"], check=True)
    pip = [str(root / "env" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{package}[local]"], check=True)
    (root / "home").mkdir()
    (root / "cache" / "inferstack").mkdir(parents=True)
    if (cache_folder() / "pulumi").is_dir():  # else it is fetched or built, as for anybody
        (root / "cache" / "inferstack" / "pulumi").symlink_to(cache_folder() / "pulumi")
    npm = shutil.which("npm")
    assert npm is not None
    tools = [str(Path(found).parent) for found in (npm, shutil.which("node"), shutil.which("go")) if found]
    made = Installed(root, tools)
    yield made
    for folder in root.glob("*/.inferstack/local"):
        local.stop(folder)


@pytest.fixture(scope="module")
def shop(installed: Installed) -> Path:
    """A project that is up."""
    folder = installed.root / "shop"
    assert "next:\n  cd shop\n  inferstack setup\n  inferstack up dev" in installed.run(
        installed.root, "inferstack init shop"
    )
    with (folder / "stacks" / "dev.yaml").open("a") as file:
        file.write("local: { port: 0, api_port: 0 }\n")
    said = installed.run(folder, "inferstack setup && inferstack setup --quiet && inferstack up dev")
    assert "ready: Pulumi from" in said
    assert re.search(r"\+ \d+ created", said)
    return folder


def test_the_wheel_passes_the_index_s_checks(installed: Installed) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, (installed.root / "dist").glob("*.whl"))]
    subprocess.run(command, check=True, capture_output=True)


def test_before_setup_each_lack_has_its_fix(installed: Installed, tmp_path: Path) -> None:
    empty = {"XDG_CACHE_HOME": str(tmp_path / "empty")}
    said = installed.run(tmp_path, "inferstack doctor", 1, **empty)
    assert re.findall(r"MISSING +(\w+)", said) == ["Pulumi", "workerd", "simulators", "esbuild"]
    assert said.count("fix: inferstack setup") >= 3
    installed.run(tmp_path, "inferstack init here", **empty)
    assert "is not installed\n  fix: inferstack setup" in installed.run(
        tmp_path / "here", "inferstack up dev", 1, **empty
    )
    without_node = {"PATH": f"{installed.root}/env/bin:/nowhere", **empty}
    said = installed.run(tmp_path, "inferstack setup", 1, **without_node)
    assert said.startswith("error: npm is not on PATH")
    assert "fix: install Node.js 20" in said
    (tmp_path / "file").write_text("x")
    said = installed.run(tmp_path, "inferstack setup", 1, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert "cannot be written" in said and "fix: set XDG_CACHE_HOME" in said
    assert "no inferstack project in" in installed.run(tmp_path, "inferstack check", 2)


def test_plain_pulumi_sees_no_change(installed: Installed, shop: Path) -> None:
    said = installed.run(shop, 'eval "$(inferstack env dev)" && pulumi preview -s dev --expect-no-changes')
    assert "unchanged" in said
    assert installed.run(shop, "inferstack status dev").count("100 %") == 1
    assert installed.run(shop, "inferstack check --format json") == "[]\n"


def test_a_clone_works_elsewhere(installed: Installed, shop: Path) -> None:
    git = "git -c user.name=n -c user.email=e"
    installed.run(shop, f"git init -q && git add -A && {git} commit -qm all && git clone -q . ../elsewhere/shop")
    clone = installed.root / "elsewhere" / "shop"
    try:
        assert "created" in installed.run(clone, "inferstack setup --quiet && inferstack up dev")
        assert "score 0.0" not in installed.run(clone, "inferstack quickstart dev | tail -1")
        installed.run(clone, "inferstack down dev --yes")
    finally:
        local.stop(clone / ".inferstack" / "local")


def test_an_upgrade_shows_what_changes_and_raises_the_pin(installed: Installed, shop: Path, tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if not name.startswith(("tests/", "bench/")) and (ROOT / name).is_file():
            (tmp_path / "newer" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / "newer" / name)
    for name, old, new in (
        ("inferstack/__init__.py", __version__, NEWER),
        ("worker_src/frame/errors.js", "// ", "// Newer. "),
    ):
        file = tmp_path / "newer" / name
        file.write_text(file.read_text().replace(old, new, 1))
    wheel(tmp_path / "dist", tmp_path / "newer")
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "dist")}
    before = (shop / "requirements.txt").read_text()
    said = installed.run(shop, "inferstack upgrade --dry-run", **index)
    assert f"inferstack {__version__} -> {NEWER}" in said
    assert "stack dev, Worker rag: deployed code changes with the next `up`" in said
    assert "+// Newer. " in said
    assert (shop / "requirements.txt").read_text() == before
    assert "cannot be fetched" in installed.run(shop, "inferstack upgrade --to 98.0.0", 1, **index)
    installed.run(shop, "inferstack upgrade", **index)
    assert (shop / "requirements.txt").read_text() == f"inferstack=={NEWER}\n"
    assert (shop / "requirements-dev.txt").read_text() == f"inferstack[local,mcp]=={NEWER}\n"
