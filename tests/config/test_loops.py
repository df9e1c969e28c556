"""`parameters` and `for_each`: what comes out, and where findings point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.author import configs
from inferstack.author.check import check
from inferstack.config import load_stack
from tests.conftest import ROOT

HEAD = "environment: test\ntarget: local\n"
TENANTS = "parameters:\n  tenants:\n    acme: { region: weur }\n    globex: {}\n  languages: [de, en]\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    return tmp_path


def put(root: Path, text: str, name: str = "s") -> None:
    (root / "stacks" / f"{name}.yaml").write_text(text)


def found(root: Path, text: str) -> list[dict[str, Any]]:
    put(root, HEAD + text)
    entries: list[dict[str, Any]] = json.loads(check(["s"], root).show("json"))
    return entries


def shown(root: Path, section: str) -> dict[str, Any]:
    prefix = f"{section}."
    values = configs.values("s", root)
    return {each["path"].removeprefix(prefix): each["value"] for each in values if each["path"].startswith(prefix)}


def test_an_entry_for_each_of_a_mapping(root: Path) -> None:
    text = "buckets:\n  b-${each.key}:\n    for_each: tenants\n    location: ${each.value.region:-eeur}\n"
    put(root, HEAD + TENANTS + text)
    buckets = load_stack("s", root).buckets
    assert {name: bucket.location for name, bucket in buckets.items()} == {"b-acme": "weur", "b-globex": "eeur"}


@pytest.mark.parametrize("source", ["languages", "[de, en]", "${param.languages}"])
def test_a_loop_goes_through_a_parameter_or_a_list(root: Path, source: str) -> None:
    put(root, HEAD + TENANTS + f"queues:\n  q-${{each.value}}:\n    for_each: {source}\n")
    assert list(load_stack("s", root).queues) == ["q-de", "q-en"]


def test_several_go_through_every_pair_in_order(root: Path) -> None:
    loop = "{ tenant: tenants, language: languages }"
    put(
        root,
        HEAD
        + TENANTS
        + f"queues:\n  a: {{}}\n  q-${{tenant.key}}-${{language.key}}: {{ for_each: {loop} }}\n  z: {{}}\n",
    )
    made = ["q-acme-de", "q-acme-en", "q-globex-de", "q-globex-en"]
    assert list(load_stack("s", root).queues) == ["a", *made, "z"]


def test_loops_stand_in_one_another_and_in_lists(root: Path) -> None:
    put(
        root,
        HEAD
        + TENANTS
        + """tags:
  - first
  - { for_each: languages, value: "lang-${each.key}" }
models: { c: { model: "@cf/meta/llama-3.2-3b-instruct" } }
workers:
  bot-${tenant.key}:
    for_each: { tenant: tenants }
    template: chat
    compatibility_date: "2026-06-01"
    models: { chat: c }
    bindings: { AI: { ai: true } }
    secrets: { API_TOKEN: env:TOKEN }
    vars:
      HELLO_${each.key}: { for_each: languages, value: "${tenant.key} in ${each.value}" }
""",
    )
    assert load_stack("s", root).tags == ["first", "lang-de", "lang-en"]
    worker = load_stack("s", root).workers["bot-globex"]
    assert worker.vars == {"HELLO_de": "globex in de", "HELLO_en": "globex in en"}


def test_a_parameter_alone_keeps_its_kind(root: Path) -> None:
    text = "parameters: { port: 1234, tags: [a, b], on: true, version: '1.10' }\nlocal:\n  api_port: ${param.port}\n"
    put(root, HEAD + text + "tags: ${param.tags}\nprotect: ${param.on}\nprefix: v${param.port}-${param.on}\n")
    spec = load_stack("s", root)
    assert (spec.local.api_port, spec.tags, spec.protect, spec.prefix) == (1234, ["a", "b"], True, "v1234-true")


def test_what_stands_under_the_name_itself_wins(root: Path) -> None:
    loop = "queues:\n  q-${each.key}: { for_each: [a, b, c], delivery_delay: 5 }\n"
    put(root, HEAD + loop, "base")
    put(root, "extends: base.yaml\nqueues:\n  q-a: { delivery_delay: 7 }\n  q-b: null\n")
    queues = load_stack("s", root).queues
    assert {name: queue.delivery_delay for name, queue in queues.items()} == {"q-a": 7, "q-c": 5}


def test_another_file_takes_a_tenant_away(root: Path) -> None:
    put(root, HEAD + TENANTS + "queues:\n  q-${each.key}: { for_each: tenants }\n", "base")
    put(root, "extends: base.yaml\nparameters: { tenants: { acme: null, initech: {} } }\n")
    assert list(load_stack("s", root).queues) == ["q-globex", "q-initech"]


def test_values_come_from_the_line_that_says_them(root: Path) -> None:
    put(
        root,
        HEAD
        + TENANTS
        + "buckets:\n  b-${each.key}:\n    for_each: tenants\n    location: ${each.value.region:-eeur}\n",
    )
    places = {each["path"]: each["line"] for each in configs.values("s", root)}
    assert (places["buckets.b-acme.location"], places["buckets.b-globex.location"]) == (5, 11)


def test_a_wrong_value_is_shown_where_it_stands(root: Path) -> None:
    text = "parameters:\n  t:\n    a: { region: weur }\n    b: { region: mars }\nbuckets:\n  b-${each.key}:\n    for_each: t\n"
    [finding] = found(root, text + "    location: ${each.value.region}\n")
    assert (finding["code"], finding["line"]) == ("IS024", 6)
    assert "buckets.b-b.location" in finding["message"]


def test_variables_of_the_environment_reach_parameters_and_stay_hidden(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION_OF_MINE", "a-secret-place")
    [finding] = found(root, "parameters:\n  region: ${REGION_OF_MINE}\nbuckets:\n  b:\n    location: ${param.region}\n")
    assert "a-secret-place" not in json.dumps(finding)
    assert "${REGION_OF_MINE}" in finding["message"]


def test_what_was_escaped_stays_so(root: Path) -> None:
    put(root, HEAD + 'parameters: { text: "$${HOME}" }\nprefix: p\ntags: ["${param.text}"]\n')
    assert load_stack("s", root).tags == ["${HOME}"]


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("parameters: [a]\n", "IS115", "is no mapping"),
        ("parameters: { n: 5 }\nqueues:\n  q-${each.key}: { for_each: n }\n", "IS115", "this is none"),
        ("queues:\n  q-${each.key}: { for_each: }\n", "IS115", "this is none"),
        ("queues:\n  q-${each.key}: { for_each: [[a]] }\n", "IS115", "is no text"),
        ("queues:\n  q-${stack.key}: { for_each: { stack: [a] } }\n", "IS115", "cannot be the name of a loop"),
        ("queues:\n  q-${each.key}: { for_each: nowhere }\n", "IS115", "there is no parameter `nowhere`"),
        ("queues:\n  q-x: { for_each: [a, b] }\n", "IS117", "two entries `q-x`"),
        ("prefix: ${each.key}\n", "IS116", "stands in no loop"),
        ("prefix: ${param.x}\n", "IS116", "`param` has no `x`"),
        ("parameters: { x: [a] }\nprefix: a${param.x}\n", "IS116", "list or a mapping"),
        ("queues:\n  q: { foreach: [a] }\n", "IS021", "did you mean `for_each`"),
        ("paramters: { a: b }\n", "IS021", "did you mean `parameters`"),
    ],
)
def test_what_is_wrong_is_said(root: Path, text: str, code: str, word: str) -> None:
    findings = found(root, text)
    assert (findings[0]["code"], word in findings[0]["message"]) == (code, True), findings


def test_a_loop_is_bounded(root: Path) -> None:
    hundred = ", ".join(f"v{n}" for n in range(100))
    loop = f"{{ a: [{hundred}], b: [{hundred}] }}"
    [finding] = found(root, f"queues:\n  q-${{a.key}}-${{b.key}}:\n    for_each: {loop}\n")
    assert "10,000 times; 1,000 is the most" in finding["message"]
    nested = "vars:\n"
    for depth in range(8):
        nested += "  " * (depth + 3) + f"V{depth}_${{each.key}}:\n" + "  " * (depth + 4) + f"for_each: [{hundred}]\n"
    head = "workers:\n  w:\n    template: chat\n    "
    assert "IS009" in {each["code"] for each in found(root, head + nested)}


@pytest.mark.parametrize(
    ("base", "more", "tags"),
    [
        ("parameters: { teams: [red] }\ntags: ${param.teams}\n", "tags: !append [blue]\n", ["red", "blue"]),
        ("parameters: { teams: [red] }\ntags: ${param.teams}\n", "tags: [blue]\n", ["blue"]),
        (
            "parameters: { teams: [red] }\ntags: ${param.teams}\n",
            "parameters: { teams: !append [blue] }\n",
            ["red", "blue"],
        ),
        ("tags: one\n", "tags: [blue]\n", ["blue"]),
        ("tags: [{ for_each: [a, b], value: 't-${each.value}' }]\n", "tags: !append [c]\n", ["t-a", "t-b", "c"]),
        ("parameters: { teams: [] }\ntags: ${param.teams}\n", "tags: !append [blue]\n", ["blue"]),
    ],
)
def test_append_goes_behind_a_parameter_s_list(root: Path, base: str, more: str, tags: list[str]) -> None:
    put(root, base, "_base")
    put(root, "extends: _base.yaml\n" + HEAD + more)
    assert load_stack("s", root).tags == tags


def test_append_over_append_over_a_parameter(root: Path) -> None:
    put(root, "parameters: { teams: [red] }\ntags: ${param.teams}\n", "_base")
    put(root, "extends: _base.yaml\ntags: !append [blue]\n", "_middle")
    put(root, "extends: _middle.yaml\n" + HEAD + "tags: !append [green]\n")
    assert load_stack("s", root).tags == ["red", "blue", "green"]


@pytest.mark.parametrize("old", ["one", "5", "{ a: b }", "${param.one}"])
def test_append_behind_what_is_no_list_is_told(root: Path, old: str) -> None:
    put(root, f"parameters: {{ one: text }}\ntags: {old}\n", "_base")
    put(root, "extends: _base.yaml\n" + HEAD + "tags: !append [two]\n")
    [said] = json.loads(check(["s"], root).show("json"))
    assert (said["code"], said["line"]) == ("IS147", 4)
    assert said["message"] == "`!append` goes behind a list, and _base.yaml:2 has none"


def test_append_behind_a_parameter_that_is_not_there_is_told_once(root: Path) -> None:
    put(root, "tags: ${param.teems}\n", "_base")
    put(root, "extends: _base.yaml\n" + HEAD + "tags: !append [two]\n")
    [said] = json.loads(check(["s"], root).show("json"))
    assert said["code"] == "IS116"
