"""What a template says of itself in its template.yaml, and whose templates and modules are found."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.paths import TOOL
from inferstack.config.templates import Needs, Option, find_file, find_template, template_names
from tests.config.test_files import put


def test_a_template_says_nothing_by_default(tmp_path: Path) -> None:
    put(tmp_path, "templates/mine/template.yaml", text="{}\n")
    found = find_template("mine", tmp_path)
    assert found is not None
    assert (found.name, found.summary, found.any_models, found.reindexes) == ("mine", "", None, None)
    assert (found.streams, found.consumes, found.service) == (False, False, False)
    assert (found.models, found.secrets, found.optional_models, found.flags, found.samples) == ((), (), (), (), ())
    assert (found.bindings, found.optional_bindings, found.options) == ({}, {}, {})
    assert (found.abilities, found.abilities_if) == ({}, {})


FULL = """
summary: all of it
service: true
streams: true
consumes: true
reindexes: DOCS
any_models: Text Generation
flags: [nodejs_compat]
needs: { models: [chat], bindings: { DOCS: index }, objects: { ROOM: Room }, secrets: [KEY] }
needs_if: { much: { "True": { models: [embedding], bindings: { MORE: bucket } } } }
accepts: { models: [guard], bindings: { CACHE: namespace }, any_bindings: [database] }
abilities: { chat: [tools] }
abilities_if: { much: { chat: [json, batch] } }
options:
  much: false
  words: { default: 4, about: How many., choices: [4, 5], schema: { type: integer } }
  cors: { default: [] }
  table: { rows: 1 }
  shared: { default: [], schema: rows }
try: [{ about: It, request: GET / }]
"""


def test_a_template_says_what_it_needs_and_takes(tmp_path: Path) -> None:
    put(tmp_path, "templates/mine/template.yaml", text=FULL)
    put(tmp_path, "templates/schemas/rows.yaml", text="type: array\n")
    found = find_template("mine", tmp_path)
    assert found is not None
    assert (found.summary, found.any_models, found.reindexes) == ("all of it", "Text Generation", "DOCS")
    assert (found.streams, found.consumes, found.service, found.flags) == (True, True, True, ("nodejs_compat",))
    assert (found.models, found.bindings, found.secrets) == (("chat",), {"DOCS": "index"}, ("KEY",))
    assert (found.objects, found.any_bindings) == ({"ROOM": "Room"}, ("database",))
    assert found.needed({}) == Needs(("chat",), {"DOCS": "index"})
    assert found.needed({"much": True}) == Needs(("chat", "embedding"), {"DOCS": "index", "MORE": "bucket"})
    assert found.optional_models == ("guard",)
    assert found.optional_bindings == {"CACHE": "namespace", "RATE_LIMITER": "rate_limit"}
    assert found.abilities == {"chat": ("tools",)}
    assert found.abilities_if == {"much": {"chat": ("json", "batch")}}
    assert found.samples == ({"about": "It", "request": "GET /"},)
    assert found.options["much"] == Option(False)
    assert found.options["words"] == Option(4, "How many.", (4, 5), {"type": "integer"})  # type: ignore[arg-type]
    assert found.options["table"] == Option({"rows": 1})
    assert found.options["shared"].schema == {"type": "array"}
    assert found.options["cors"] == Option([])  # its own comes before that of every service
    assert found.options["auth"].choices == ("key", "jwt", "none")
    assert (found.options["auth"].default, found.options["jwt"].default) == ("key", None)
    assert found.options["max_body_bytes"].default == 1024 * 1024
    taken = ("words", "words_file", "jwt_file", "words_file_file", "wordsfile", "file", "_file")
    assert [found.takes_option(name) for name in taken] == [True, True, True, False, False, False, False]


def test_a_template_that_changed_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, "templates/mine/template.yaml", text="summary: before\n")
    before = find_template("mine", tmp_path)
    put(tmp_path, "templates/mine/template.yaml", text="summary: after\n")
    after = find_template("mine", tmp_path)
    assert before is not None
    assert after is not None
    assert (before.summary, after.summary) == ("before", "after")


def test_a_project_s_own_templates_come_first(tmp_path: Path) -> None:
    put(tmp_path, "templates/chat/template.yaml", text="summary: mine\n")
    put(tmp_path, "templates/none/worker.js.j2", "templates/mine/template.yaml")
    chat, rag = find_template("chat", tmp_path), find_template("rag", tmp_path)
    assert chat is not None
    assert chat.summary == "mine"
    assert rag is not None
    assert rag.reindexes == "DOCS"
    assert find_template("none", tmp_path) is None
    names = template_names(tmp_path)
    assert {"chat", "mine", "rag"} <= set(names)
    assert "none" not in names
    assert names == sorted(set(names))


def test_a_file_behind_a_link_out_of_the_project_is_not_there(tmp_path: Path) -> None:
    put(tmp_path, "outside/own.js")
    (tmp_path / "project" / "worker_src").mkdir(parents=True)
    (tmp_path / "project" / "worker_src" / "own.js").symlink_to(tmp_path / "outside" / "own.js")
    assert find_file("worker_src/own.js", tmp_path / "project") is None
    assert (
        find_file("worker_src/frame/service.js", tmp_path / "project") == TOOL / "worker_src" / "frame" / "service.js"
    )
