"""`inferstack seed` with odd files: what KV would refuse, or take silently for something else, is told by its line first."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("seeded") / "prj ü x")
    (project.root / "stacks" / "dev.yaml").write_text(
        "environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\nnamespaces: { flags: {} }\n"
    )
    project.run("up", "dev")
    yield project
    local.stop(project.root / ".inferstack" / "local")


LONG = "ü" * 257
ODD = {
    "deep.json": ("[" * 100_000, "nested too deeply"),
    "nan.json": ('{"a": NaN}', "NaN is no JSON"),
    "far.json": ('{"a": 1e999}', "beyond the range of numbers"),
    "long.json": ('{"a": 1' + "0" * 400 + "}", "beyond the range of numbers"),
    "half.json": ('{"a": "\\ud800"}', "\\ud800 is half a character"),
    "broken.json": ('{\n"a": 1,\n"b" 2}', "broken.json:3:5: "),
    "last.jsonl": ('{"key": "a", "value": 1}\r\n\r\n{"key":', "last.jsonl:3:8: "),
    "again.jsonl": ('{"key": "a", "value": 1}\n\n{"key": "a", "value": 2}', "again.jsonl:3: the key `a` has a value"),
    "key.json": (json.dumps({LONG: "v"}), "has 514 bytes"),
    "dots.json": ('{"..": 1}', "cannot be a key"),
    "soon.json": ('[{"key": "a", "value": "v", "expiration_ttl": "soon"}]', "no whole number of seconds"),
    "base.json": ('[{"key": "a", "value": "!!", "base64": true}]', "is not base64"),
    "yes.json": ('[{"key": "a", "value": "", "base64": "yes"}]', "neither true nor false"),
    "metdata.json": ('[{"key": "a", "value": "", "metdata": {}}]', "did you mean `metadata`?"),
    "nothing.json": ("[]", "holds no keys"),
    "nothing.jsonl": ("\n", "holds no keys"),
    "empty.json": ("", "empty.json:1:1: "),
}


@pytest.mark.parametrize("name", ODD)
def test_nothing_is_written_of_an_odd_file(there: Project, name: str) -> None:
    text, word = ODD[name]
    (there.root / name).write_bytes(text.encode())
    said = there.run("seed", "dev", "flags", name, code=2)
    assert word in said
    assert "\n  fix: " in said
    assert "Traceback" not in said
    assert "written" not in said


def test_values_are_those_of_the_file(there: Project) -> None:
    """A line's end is its line feed alone: U+2028 and U+0085 may stand in JSON's texts. Numbers are as written."""
    lines = [
        '{"key": "ends", "value": "a\u2028b\u0085c"}',
        '{"key": "price", "value": 1.50}',
        '{"key": "id", "value": 12345678901234567890123}',
    ]
    (there.root / "right.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert "3 pairs are in `flags`" in there.run("seed", "dev", "flags", "right.jsonl")
    [namespace] = there.api("GET", "/storage/kv/namespaces")
    asked = {"keys": ["ends", "price", "id"]}
    found = there.api("POST", f"/storage/kv/namespaces/{namespace['id']}/bulk/get", json=asked)["values"]
    assert found == {"ends": "a\u2028b\u0085c", "price": "1.50", "id": "12345678901234567890123"}
