"""A snapshot that cannot be written or read back: told by its file, nothing is changed, and the local Cloudflare goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from tests.cli.test_command_line import inferstack


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Path]:
    """A project whose local Cloudflare runs."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    state = tmp_path / ".inferstack" / "local"
    local.ensure(local.Settings(folder=state, port=0, api_port=0))
    yield tmp_path
    local.stop(state)


def running(root: Path) -> int:
    found = local.find(root / ".inferstack" / "local")
    assert found is not None
    return found.pid


def test_where_nothing_can_be_written_nothing_stops(there: Path) -> None:
    (there / ".inferstack" / "snapshots").write_text("")
    before = running(there)
    said = inferstack("local", "snapshot", "save", "one", cwd=there, code=1)
    assert "error: " in said and ".inferstack/snapshots" in said and "\n  fix: " in said
    assert running(there) == before


def test_a_file_that_cannot_be_copied_is_named(there: Path) -> None:
    state = there / ".inferstack"
    (state / "secrets").mkdir()
    (state / "secrets" / "gone").symlink_to(there / "nowhere")
    said = inferstack("local", "snapshot", "save", "one", cwd=there, code=1)
    assert f"error: {state / 'secrets' / 'gone'} cannot be copied: " in said and "nothing was changed" in said
    assert list((state / "snapshots").iterdir()) == []
    running(there)


def test_a_snapshot_that_cannot_be_read_takes_nothing_away(there: Path) -> None:
    state = there / ".inferstack"
    (state / "secrets").mkdir()
    inferstack("local", "snapshot", "save", "one", cwd=there)
    (state / "secrets" / "mine").write_text("kept")
    (state / "snapshots" / "one" / "secrets" / "gone").symlink_to(there / "nowhere")
    said = inferstack("local", "snapshot", "load", "one", cwd=there, code=1)
    assert "cannot be copied: " in said and "nothing was changed" in said
    assert (state / "secrets" / "mine").read_text() == "kept"
    assert list(state.glob("*.new")) == []
    running(there)
