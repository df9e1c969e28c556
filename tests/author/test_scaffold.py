"""`inferstack add stack`: what it writes passes `check`; what it refuses leaves nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.author.scaffold import init
from inferstack.config import load_stack
from inferstack.errors import ConfigError
from tests.conftest import ROOT

ACCOUNT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("stacks", "templates", "migrations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_local_stack_is_right_as_written(root: Path) -> None:
    assert init("try", root, "local", None, None) == "stacks/try.yaml"
    assert check(["try"], root).show("text") == "try: ok"
    assert load_stack("try", root).workers["rag"].secrets == {"API_TOKEN": "file:.inferstack/secrets/try-api-token"}


def test_a_stack_on_cloudflare_asks_only_for_its_secret(root: Path) -> None:
    init("staging", root, "cloudflare", ACCOUNT, "base.yaml")
    found = check(["staging"], root)
    assert [(f.code, f.severity) for f in found.stacks["staging"]] == [("IS075", "warning")]
    assert load_stack("staging", root).account == ACCOUNT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Big Name", "local", None, None), "cannot be the name of a stack"),
        (("dev", "local", None, None), "there is a stack `dev` already"),
        (("new", "cloudflare", "12", None), "is no account id"),
        (("new", "local", None, "bsae.yaml"), "there is no such file; did you mean `base.yaml`?"),
    ],
)
def test_what_it_refuses_leaves_nothing(
    root: Path, arguments: tuple[str, str, str | None, str | None], words: str
) -> None:
    before = sorted((root / "stacks").iterdir())
    name, target, account, base = arguments
    with pytest.raises(ConfigError) as raised:
        init(name, root, target, account, base)
    assert words in str(raised.value)
    assert sorted((root / "stacks").iterdir()) == before
