"""`inferstack load` ends when what it sent can be found, on a local Cloudflare that is as late as the real one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

LAG = 1.5


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("late"))
    project.run("up", "dev")
    project.run("local", "fault", "add", "--product", "vectorize", "--lag-ms", str(LAG * 1000))
    yield project
    local.stop(project.root / ".inferstack" / "local")


def vectors(project: Project, count: int, dimensions: int = 768, start: int = 0) -> str:
    file = project.root / "vectors.ndjson"
    rows = [{"id": f"v{start + n}", "values": [1.0] * dimensions, "metadata": {"topic": "t"}} for n in range(count)]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return file.name


def test_documents_can_be_asked_for_at_once(late: Project) -> None:
    started = time.monotonic()
    said = late.run("load", "dev", "examples/handbook")
    assert time.monotonic() - started > LAG
    assert "waiting until Vectorize shows them" in said
    assert "[1] " in late.run("ask", "dev", "What should I do when the bike does not switch on?")


def test_vectors_of_a_file_are_all_there(late: Project) -> None:
    said = late.run("load", "dev", vectors(late, 1), "--index", "docs", "--format", "json")
    before = json.loads(said[said.index("{") :])
    said = late.run("load", "dev", vectors(late, 2500), "--index", "docs")
    assert "2,500 of 2,500 vectors sent" in said
    assert f"2,500 vectors loaded; {before['index']} has {before['vectors'] + 2499:,}" in said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "this is not JSON"),
        ('{"values": [1]}', "needs an `id`"),
        ('{"id": "a"}', "no list of numbers"),
        ('{"id": "a", "values": [true]}', "no list of numbers"),
        ('{"id": "a", "values": [1, 2]}', "has 2 dimensions, the index 768"),
        ("[1]", "needs an `id`"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_sent(late: Project, text: str, word: str) -> None:
    file = late.root / vectors(late, 3, start=9000)
    file.write_text(file.read_text().rstrip() + "\n" + text + "\n")
    said = late.run("load", "dev", file.name, "--index", "docs", code=2)
    assert f"{file.name}:4: " in said
    assert word in said
    assert "sent" not in said


def test_what_is_not_there_is_said(late: Project) -> None:
    assert "has no index `dcos`; did you mean `docs`?" in late.run("load", "dev", "x", "--index", "dcos", code=2)
    assert "cannot be read" in late.run("load", "dev", "nowhere.ndjson", "--index", "docs", code=2)
    (late.root / "binary").write_bytes(b"\xff\xfe")
    assert "is no text in UTF-8" in late.run("load", "dev", "binary", "--index", "docs", code=2)


ODD_VECTORS = {
    "not a number": (f'{{"id": "a", "values": [NaN{", 1" * 767}]}}', "this is not JSON: unexpected character"),
    "beyond a double": (f'{{"id": "a", "values": [1e999{", 1" * 767}]}}', "number is infinity"),
    "nested": ('{"id": "a", "values": ' + "[" * 100_000 + "]" * 100_000 + "}", "depth limit exceeded"),
    "half a character": ('{"id": "\\ud800", "values": []}', "no low surrogate"),
    "a misspelt key": (json.dumps({"id": "a", "values": [1] * 768, "metdata": {}}), "did you mean `metadata`?"),
    "a long id": (json.dumps({"id": "ü" * 33, "values": [1] * 768}), "has 66 bytes"),
    "metadata as a list": (json.dumps({"id": "a", "values": [1] * 768, "metadata": [1]}), "is no object"),
    "much metadata": (json.dumps({"id": "a", "values": [1] * 768, "metadata": {"t": "x" * 11_000}}), "takes 10240"),
    "a dotted key": (json.dumps({"id": "a", "values": [1] * 768, "metadata": {"a.b": 1}}), "no metadata key `a.b`"),
    "a namespace of numbers": (json.dumps({"id": "a", "values": [1] * 768, "namespace": 4}), "at most 64 bytes"),
    "an id again": (json.dumps({"id": "v9000", "values": [1] * 768}), "stands on line 1 already"),
}


@pytest.mark.parametrize("case", ODD_VECTORS)
def test_what_vectorize_would_refuse_later_is_told_before_anything_is_sent(late: Project, case: str) -> None:
    text, word = ODD_VECTORS[case]
    file = late.root / vectors(late, 1200, start=9000)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().rstrip().replace(b"\n", b"\r\n") + f"\r\n{text}\r\n".encode())
    said = late.run("load", "dev", file.name, "--index", "docs", code=2)
    assert f"{file.name}:1201: " in said
    assert word in said
    assert "Traceback" not in said
    assert "sent" not in said


def test_a_file_without_vectors_is_no_success(late: Project) -> None:
    (late.root / "none.ndjson").write_text("\n \r\n")
    assert "holds no vectors" in late.run("load", "dev", "none.ndjson", "--index", "docs", code=2)
