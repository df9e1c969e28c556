"""`hyperdrive` of a wrangler project: carried with an address that is never in a stack file."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.config import load_stack
from tests.wrangler.conftest import Import, notes

VARIABLE = "CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_DB"
ADDRESS = "postgres://me:s3cret@localhost:5432/orders"


def bound(address: str | None = None) -> dict[str, object]:
    local = {} if address is None else {"localConnectionString": address}
    return {"hyperdrive": [{"binding": "DB", "id": "0123456789abcdef0123456789abcdef", **local}]}


def url(root: Path, stack: str = "default") -> str:
    spec = load_stack(stack, root)
    assert spec.workers["shop"].bindings["DB"].hyperdrive == "db"
    return spec.hyperdrives["db"].url


def test_what_wrangler_s_file_says_lies_in_a_file_of_the_user_alone(bring: Import, tmp_path: Path) -> None:
    found = bring(bound(ADDRESS), target="local")
    assert (notes(found), found.wrong) == ([], False)
    kind, _, path = url(tmp_path).partition(":")
    kept = tmp_path / path
    assert (kind, kept.read_text(), kept.stat().st_mode & 0o777) == ("file", ADDRESS, 0o600)
    assert path.startswith(".inferstack/")  # which git ignores
    assert not any("s3cret" in text for text in (*found.files.values(), *found.notes, *found.files))


@pytest.mark.parametrize("file", [".dev.vars", ".env"])
def test_a_file_of_variables_is_read_where_it_lies(bring: Import, tmp_path: Path, file: str) -> None:
    bring(bound("postgres://other:other@localhost/x"), target="local", files={file: f"{VARIABLE}={ADDRESS}\n"})
    assert url(tmp_path) == f"file:app/{file}#{VARIABLE}"


def test_the_environment_is_read_as_wrangler_does(
    bring: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, ADDRESS)
    bring(bound(), target="local")
    assert url(tmp_path) == f"env:{VARIABLE}"


def test_for_cloudflare_it_is_the_environment_s(bring: Import, tmp_path: Path) -> None:
    found = bring(bound(ADDRESS), files={".dev.vars": f"{VARIABLE}={ADDRESS}\n"})
    assert url(tmp_path) == f"env:{VARIABLE}"
    assert notes(found) == [f"the address of `db` is read from {VARIABLE}: wrangler does not say it"]
    assert not list(tmp_path.glob(".inferstack/**/*address"))


@pytest.mark.parametrize("address", [None, "", "postgres://localhost/orders", "postgres://me@localhost", "http://[::1"])
def test_without_an_address_it_is_told_and_the_rest_comes_up(
    bring: Import, tmp_path: Path, address: str | None
) -> None:
    found = bring(bound(address), target="local")
    assert [note for note in notes(found) if VARIABLE in note] == notes(found) != []
    worker = load_stack("default", tmp_path).workers["shop"]
    assert ("DB" in worker.bindings, list(worker.unbound)) == (False, ["DB"])
    assert not found.wrong  # no code of it reads the name


def test_two_bindings_of_one_id_are_one_database(bring: Import, tmp_path: Path) -> None:
    one = {"id": "a", "localConnectionString": ADDRESS}
    bring({"hyperdrive": [{"binding": "DB", **one}, {"binding": "AGAIN", **one}]}, target="local")
    assert url(tmp_path).startswith("file:")
    assert load_stack("default", tmp_path).workers["shop"].bindings["AGAIN"].hyperdrive == "db"
