"""Folders of Markdown as documents: their ids, titles and topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.errors import UserError
from inferstack.live.rag import read_documents
from tests.conftest import ROOT


def put(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_files_of_one_name_are_documents_of_their_own(tmp_path: Path) -> None:
    for name in ("a/index.md", "b/index.md", "b/c/index.md", "top.md"):
        put(tmp_path, name, "---\ntitle: T\ntopic: x\n---\nText.\n")
    assert [document["id"] for document in read_documents(tmp_path)] == ["a/index", "b/c/index", "b/index", "top"]


def test_a_flat_folder_keeps_its_ids() -> None:
    documents = read_documents(ROOT / "examples" / "handbook")
    assert documents[0]["id"] == "accident-dogs"
    assert (documents[0]["title"], documents[0]["topic"]) == ("Dogs", "safety")
    assert not [document["id"] for document in documents if "/" in document["id"]]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The handbook\n\nText.\n", "The handbook"),
        ("Text first.\n\n## Later ##\n", "Later"),
        ("```sh\n# no heading\n```\n\n# A heading\n", "A heading"),
        ("Text alone.\n", "file"),
        ("Text.\n\n---\n\nMore text.\n", "file"),
        ("---\n\nTwo rules.\n\n---\n\nMore.\n", "file"),
        ("---\ntopic: x\n---\n# Heading\n", "Heading"),
        ("---\ntitle: 2026\n---\n# Heading\n", "2026"),
        ("\ufeff---\ntitle: Marked\n---\nText.\n", "Marked"),
        ("---\ntitle:\n---\nText.\n", "file"),
    ],
)
def test_a_title_is_found(tmp_path: Path, text: str, title: str) -> None:
    put(tmp_path, "file.md", text)
    [document] = read_documents(tmp_path)
    assert document["title"] == title
    assert ("topic" in document) == ("topic: x" in text)


def test_without_a_front_matter_all_of_the_text_is_kept(tmp_path: Path) -> None:
    put(tmp_path, "file.md", "# A\n\nText.\n\n---\n\nMore.\n")
    assert read_documents(tmp_path)[0]["text"] == "# A\n\nText.\n\n---\n\nMore."


def test_a_wrong_front_matter_is_told_with_its_file(tmp_path: Path) -> None:
    put(tmp_path, "file.md", "---\ntitle: 'open\n---\nText.\n")
    with pytest.raises(UserError, match=r"file\.md is no YAML"):
        read_documents(tmp_path)


def test_a_folder_without_text_is_told(tmp_path: Path) -> None:
    put(tmp_path, "empty.md", "\n")
    with pytest.raises(UserError, match="no Markdown file"):
        read_documents(tmp_path)


def test_another_encoding_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(UserError, match=r"old\.md is no text in UTF-8"):
        read_documents(tmp_path)


@pytest.mark.parametrize(
    ("front", "why"),
    [("title: 2026-13-45", "month must be in"), ("t: " + "[" * 5000, "nests more than 60 levels")],
    ids=["no day", "deep"],
)
def test_a_front_matter_that_python_cannot_hold_is_told_too(tmp_path: Path, front: str, why: str) -> None:
    put(tmp_path, "file.md", f"---\n{front}\n---\nText.\n")
    with pytest.raises(UserError, match=why):
        read_documents(tmp_path)
