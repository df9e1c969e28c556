"""`graph`: a stack's files as a picture; circles end, text is escaped, and each form says the same."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from inferstack.author.graph import picture_of
from inferstack.config import load_stack
from inferstack.picture import Edge, Node, Picture, as_dot, as_mermaid, as_svg

STACK = """environment: dev
target: local
models:
  chat: { model: "@cf/meta/llama-3.3-70b-instruct-fp8-fast", gateway: main, route: cheap }
  small: { model: "@cf/meta/llama-3.2-3b-instruct", gateway: main }
  embed: { model: "@cf/baai/bge-base-en-v1.5" }
gateways: { main: { routes: { cheap: { models: [small, chat] } } } }
indexes: { docs: { model: embed } }
databases: { content: {} }
buckets: { files: { events: [{ queue: jobs, of: [created] }, { queue: jobs, of: [deleted], prefix: a/ }] } }
queues:
  jobs: { consumer: { worker: own, dead_letter: dead } }
  dead: {}
workers:
  bot:
    template: chat
    compatibility_date: "2026-06-01"
    models: { chat: chat, embedding: embed }
    bindings: { AI: { ai: true } }
    options: { auth: none }
  own:
    source: own.js
    compatibility_date: "2026-06-01"
    crons: ["0 3 * * *"]
    objects: { ROOM: { class_name: Room } }
    workflows: { FLOW: { class_name: Flow } }
    bindings:
      DOCS: { index: docs }
      DB: { database: content }
      JOBS: { queue: jobs }
      BOT: { service: bot }
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "dev.yaml").write_text(STACK)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "own.js").write_text("export class Room {}\nexport class Flow {}\nexport default {};\n")
    return tmp_path


def test_all_that_is_declared_and_who_calls_whom(root: Path) -> None:
    picture = picture_of(load_stack("dev", root))
    edges = {(edge.source, edge.target) for edge in picture.edges}
    assert edges == {
        ("cron 0 3 * * *", "worker own"),
        ("worker own", "vectorize docs"),
        ("worker own", "d1 content"),
        ("worker own", "queue jobs"),
        ("worker own", "worker bot"),
        ("worker own", "object Room"),
        ("worker own", "workflow Flow"),
        ("r2 files", "queue jobs"),
        ("queue jobs", "worker own"),
        ("queue jobs", "queue dead"),
        ("worker bot", "gateway main"),
        ("gateway main", "route main/cheap"),
        ("route main/cheap", "model @cf/meta/llama-3.2-3b-instruct"),
        ("route main/cheap", "model @cf/meta/llama-3.3-70b-instruct-fp8-fast"),
        ("worker bot", "model @cf/baai/bge-base-en-v1.5"),
    }
    place = {node.id: column for column, nodes in enumerate(picture.columns()) for node in nodes}
    assert place["cron 0 3 * * *"] < place["worker own"] < place["worker bot"] < place["gateway main"]
    assert place["worker own"] < place["queue jobs"] < place["queue dead"]  # though it is called back


@pytest.mark.parametrize("form", ["svg", "mermaid", "dot"])
def test_each_form_has_each_thing(root: Path, form: str) -> None:
    command = [sys.executable, "-m", "inferstack.cli", "graph", "dev", "--format", form]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in (
        "own",
        "bot",
        "docs",
        "content",
        "jobs",
        "dead",
        "Room",
        "Flow",
        "cheap",
        "bge-base-en-v1.5",
        "0 3 * * *",
    ):
        assert name in said
    subprocess.run([*command, "-o", "picture"], cwd=root, check=True)
    assert (root / "picture").read_text() == said


def test_hostile_names_stay_names() -> None:
    name = '<script>"&\n'
    picture = Picture.of([Node("a", "worker", name), Node("b", "d1", "b")], [Edge("a", "b", name), Edge("a", "none")])
    drawn = ElementTree.fromstring(as_svg(picture))
    assert not [each for each in drawn.iter() if each.tag.endswith("script")]
    assert len(picture.edges) == 1
    assert '"' not in as_mermaid(picture).split('["')[1].split('"]')[0]
    assert r"\"&\n" in as_dot(picture)


def test_a_circle_and_a_long_chain_end() -> None:
    names = [str(number) for number in range(3000)]
    ring = [Edge(a, b) for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    columns = Picture.of([Node(name, "worker", name) for name in names], ring).columns()
    assert [len(column) for column in columns] == [1] * 3000
