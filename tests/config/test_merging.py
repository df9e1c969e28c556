"""How files become one stack: bases, folders, lists, variables, Pulumi's overrides; and where each value came from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from inferstack.author import configs
from inferstack.author.check import check
from inferstack.config import load_stack, stack_names
from inferstack.errors import ConfigError
from tests.conftest import ROOT

GOOD = "environment: test\ntarget: local\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    return tmp_path


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_later_bases_win_and_the_file_wins_over_them(root: Path) -> None:
    put(root, "stacks/_a.yaml", "prefix: a\ntags: [a]\nlocal: { port: 1, api_port: 1 }\n")
    put(root, "stacks/_b.yaml", "prefix: b\nlocal: { port: 2 }\n")
    put(root, "stacks/s.yaml", "extends: [_a.yaml, _b.yaml]\nlocal: { port: 3 }\n" + GOOD)
    spec = load_stack("s", root)
    assert (spec.prefix, spec.tags, spec.local.port, spec.local.api_port) == ("b", ["a"], 3, 1)
    assert stack_names(root) == ["s"]


def test_a_list_replaces_unless_it_is_appended(root: Path) -> None:
    put(root, "stacks/base.yaml", "tags: [x]\n")
    put(root, "stacks/r.yaml", "extends: base.yaml\ntags: [z]\n" + GOOD)
    put(root, "stacks/s.yaml", "extends: base.yaml\ntags: !append [z]\n" + GOOD)
    assert load_stack("r", root).tags == ["z"]
    assert load_stack("s", root).tags == ["x", "z"]


@pytest.mark.parametrize(
    ("a", "b", "c", "tags"),
    [
        ("tags: [a]", "tags: !append [b]", "tags: !append [c]", ["a", "b", "c"]),
        ("tags: []", "tags: !append [b]", "tags: !append [c]", ["b", "c"]),
        ("{}", "tags: !append [b]", "tags: !append [c]", ["b", "c"]),
        ("tags: !append [a]", "tags: !append [b]", "tags: !append [c]", ["a", "b", "c"]),
        ("tags: [a]", "tags: !append [b]", "{}", ["a", "b"]),
        ("tags: [a]", "{}", "tags: !append [c]", ["a", "c"]),
        ("tags: !append [a]", "{}", "{}", ["a"]),
        ("tags: [a, a]", "tags: !append [same]", "tags: !append [same]", ["a", "a", "same", "same"]),
        ("tags: [a]", "tags: !append [b]", "tags: [c]", ["c"]),
        ("tags: [a]", "tags: [b]", "tags: !append [c]", ["a", "c"]),
    ],
)
def test_two_bases_of_one_base_each_append_once(root: Path, a: str, b: str, c: str, tags: list[str]) -> None:
    put(root, "stacks/_a.yaml", f"prefix: p\n{a}\n" if a != "{}" else "prefix: p\n")
    for name, text in (("_b", b), ("_c", c)):
        put(root, f"stacks/{name}.yaml", "extends: _a.yaml\n" + (text if text != "{}" else "protect: false") + "\n")
    put(root, "stacks/d.yaml", "extends: [_b.yaml, _c.yaml]\n" + GOOD)
    assert load_stack("d", root).tags == tags
    put(root, "stacks/e.yaml", "extends: d.yaml\ntags: !append [e]\n")
    assert load_stack("e", root).tags == [*tags, "e"]


def test_a_stack_may_be_a_folder(root: Path) -> None:
    put(root, "stacks/s/10-base.yaml", GOOD + "tags: [a]\n")
    put(root, "stacks/s/20-more.yaml", "tags: [b]\n")
    assert stack_names(root) == ["s"]
    assert load_stack("s", root).tags == ["b"]


def test_variables_keep_their_type_and_quotes_make_text(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    text = "local:\n  port: '${PORT:-1}'\n"
    put(root, "stacks/s.yaml", GOOD + text.replace("'", ""))
    assert load_stack("s", root).local.port == 9000
    put(root, "stacks/s.yaml", GOOD + text)
    with pytest.raises(ConfigError, match=r"`local\.port` is text"):
        load_stack("s", root)


def test_the_names_of_stack_and_environment_stand_for_themselves(root: Path) -> None:
    put(root, "stacks/s.yaml", GOOD + "tags: ['${stack}/${environment}', '$${plain}']\n")
    assert load_stack("s", root).tags == ["s/test", "${plain}"]


def test_pulumis_config_overrides_the_files_and_is_held_to_the_same_rules(root: Path) -> None:
    put(root, "stacks/s.yaml", GOOD + "local: { port: 1 }\n")
    put(root, "Pulumi.s.yaml", "config:\n  inferstack:overrides:\n    local:\n      port: 2\n  inferstack:other: x\n")
    assert load_stack("s", root).local.port == 2
    put(root, "Pulumi.s.yaml", "config:\n  inferstack:overrides:\n    local:\n      prot: 2\n")
    with pytest.raises(ConfigError, match=r"Pulumi\.s\.yaml:4:7: error\[IS021\].*did you mean `port`"):
        load_stack("s", root)


def test_each_value_is_shown_with_its_origin(root: Path) -> None:
    put(root, "stacks/base.yaml", "prefix: p\nlocal:\n  port: 1\n")
    put(root, "stacks/s.yaml", "extends: base.yaml\n" + GOOD)
    lines = configs.show("s", root, origin=True).splitlines()
    assert re.fullmatch(r'prefix: "p" +# stacks/base.yaml:1', lines[0])
    assert re.fullmatch(r"local\.port: 1 +# stacks/base.yaml:3", lines[1])
    assert re.fullmatch(r'environment: "test" +# stacks/s.yaml:2', lines[2])
    put(root, "stacks/again.yaml", configs.show("s", root))
    assert load_stack("again", root) == load_stack("s", root)


def test_two_stacks_are_compared_value_by_value(root: Path) -> None:
    put(root, "stacks/r.yaml", GOOD + "tags: [a]\n")
    put(root, "stacks/s.yaml", GOOD + "tags: [b]\nprefix: p\n")
    assert (
        configs.as_diff("r", "s", configs.differences("r", "s", root))
        == '--- r\n+++ s\n+ prefix: "p"\n- tags[0]: "a"\n+ tags[0]: "b"'
    )
    assert configs.as_diff("s", "s", configs.differences("s", "s", root)) == "`s` and `s` say the same"


def test_the_stacks_of_the_guide_are_right(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "config.md").read_text(), re.DOTALL)
    monkeypatch.setenv("RAG_API_TOKEN", "x")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef0123456789abcdef")
    shutil.copytree(ROOT / "migrations", root / "migrations")
    put(root, "workers/mine/index.js", "export default {};\n")
    put(root, "workers/rooms.js", "export class ChatRoom {}\nexport class Tally {}\nexport default {};\n")
    put(root, "workers/visitors.js", "export default {};\n")
    put(root, "workers/ingest.js", "export class Ingest {}\nexport class Reindex {}\nexport default {};\n")
    put(root, "workers/uploads.js", "export default {};\n")
    put(root, "prompts/greeting.md", "You work for {{company}}.\n")
    put(root, "front.js", "export default {};\n")
    put(root, "own.js", "export default {};\n")
    put(root, "workers/search.js", "export default {};\n")
    put(root, "dist/index.html", "<h1>hello</h1>\n")
    put(root, "stacks/dev.yaml", blocks[0])
    assert check(["dev"], root).show("text") == "dev: ok"
    put(root, "stacks/base.yaml", blocks[0])
    put(root, "stacks/prod.yaml", blocks[1].replace("environment: prod", "environment: prod\ntarget: cloudflare"))
    found = check(["prod"], root)
    assert "`ingest` is not declared under `queues:`" in found.show("text")  # taken back, and still bound
    for block in blocks[2:]:
        put(root, "stacks/more.yaml", "extends: dev.yaml\n" + block)
        assert not check(["more"], root).wrong
