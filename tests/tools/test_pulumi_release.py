"""Pulumi's own release is taken when it is what its list of sums says, and not otherwise."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from inferstack.toolchain import pulumi_cli
from inferstack.versions import PULUMI

PROGRAM = b"#!/bin/sh\necho v9\n"


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address where it is served as Pulumi serves its releases."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def publish(folder: Path, digest: str | None = None) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in ("pulumi/pulumi", "../../outside"):
            entry = tarfile.TarInfo(name)
            entry.size = len(PROGRAM)
            archive.addfile(entry, io.BytesIO(PROGRAM))
    name = pulumi_cli.release_name()
    assert name is not None
    (folder / name).write_bytes(data.getvalue())
    listed = digest or hashlib.sha256(data.getvalue()).hexdigest()
    (folder / f"pulumi-{PULUMI}-checksums.txt").write_text(f"0000  other.tar.gz\n{listed}  {name}\n")


def test_a_release_that_fits_its_sum_is_installed(releases: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = releases
    publish(folder)
    target = tmp_path / "cache" / "installer"
    assert pulumi_cli.install_official(target, address)
    assert (target / "bin" / "pulumi").read_bytes() == PROGRAM
    assert not list(tmp_path.glob("outside")) and not list(tmp_path.glob("*/outside"))


@pytest.mark.parametrize("digest", ["0" * 64, "none"])
def test_a_release_that_does_not_fit_is_not_installed(
    releases: tuple[Path, str], tmp_path: Path, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, address = releases
    publish(folder, digest)
    assert not pulumi_cli.install_official(tmp_path / "installer", address)
    assert not (tmp_path / "installer").exists()
    assert "is not what the release's list of sums says" in capsys.readouterr().err


def test_where_there_is_none_the_build_takes_over(releases: tuple[Path, str], tmp_path: Path) -> None:
    assert not pulumi_cli.install_official(tmp_path / "installer", releases[1])
    assert not pulumi_cli.install_official(tmp_path / "installer", "http://127.0.0.1:9")
