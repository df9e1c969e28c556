"""A snapshot can be used whatever happened to the state since it was saved."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Project
from tests.e2e.test_smoke import CODE, SECRET, STACK

pytestmark = pytest.mark.slow  # whole projects, again and again


@pytest.fixture
def saved(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A stack with a secret in its state, a snapshot of it, and everything reset."""
    monkeypatch.setenv("MINE_TOKEN", SECRET)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    project.run("up", "dev")
    project.run("local", "snapshot", "save", "one")
    project.run("local", "reset", "--yes")
    return project


def test_a_snapshot_is_loaded_after_a_reset(saved: Project) -> None:
    saved.run("local", "snapshot", "load", "one")
    saved.run("preview", "dev", "--expect-no-changes")
    saved.run("local", "reset", "--yes")
    (saved.root / ".inferstack" / "passphrase").unlink()  # with secrets in Pulumi.dev.yaml still under it
    saved.run("local", "snapshot", "load", "one")
    saved.run("preview", "dev", "--expect-no-changes")


def test_a_snapshot_brings_its_passphrase_and_takes_none_that_is_needed(saved: Project) -> None:
    passphrase = saved.root / ".inferstack" / "passphrase"
    passphrase.unlink()
    saved.run("up", "dev")  # makes another one
    saved.pulumi("config", "set", "--secret", "mine", "value", "-s", "dev")
    config, state, now = (
        saved.root / "Pulumi.dev.yaml",
        saved.pulumi("stack", "export", "-s", "dev"),
        passphrase.read_text(),
    )
    text = config.read_text()
    refused = saved.run("local", "snapshot", "load", "one", code=2)
    assert "Pulumi.dev.yaml holds secrets of another one; nothing was changed" in refused
    assert (config.read_text(), passphrase.read_text()) == (text, now)
    assert saved.pulumi("stack", "export", "-s", "dev") == state

    saved.pulumi("config", "rm", "mine", "-s", "dev")
    saved.run("local", "snapshot", "load", "one")
    assert passphrase.read_text() != now
    assert passphrase.stat().st_mode & 0o77 == 0
    saved.run("preview", "dev", "--expect-no-changes")
    saved.edit("mine.js", "all is fine", "fine again")
    assert "mine-smoke updated" in saved.run("up", "dev")
