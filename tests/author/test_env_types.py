"""`inferstack types`: what code of one's own is told of `env`."""

from __future__ import annotations

from pathlib import Path

from inferstack.author.env_types import write_types

STACK = """environment: dev
target: local
workers:
  own:
    source: own
    compatibility_date: "2026-06-01"
    bindings: { CALLS: { analytics: model_calls } }
    workflows: { RUN: { class_name: Ingest, name: docs } }
    vars: { NAME: x, LIMIT: 5, ON: true, PLANS: [free, 1], NONE: [], DEEP: { a-b: { c: [true] } } }
"""


def test_variables_have_the_types_of_their_values(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "index.ts").write_text("export class Ingest {}\nexport default {};\n")
    (tmp_path / "stacks" / "dev.yaml").write_text(STACK)
    [file] = write_types("dev", tmp_path, None)
    text = Path(file).read_text()
    assert text[text.index("{\n") :].splitlines()[1:-1] == [
        "  CALLS: AnalyticsEngineDataset;",
        '  RUN: Workflow<Parameters<import("./index").Ingest["run"]>[0]["payload"]>; // docs',
        '  DEEP: { "a-b": { "c": (boolean)[]; }; };',
        "  LIMIT: number;",
        "  NAME: string;",
        "  NONE: (unknown)[];",
        "  ON: boolean;",
        "  PLANS: (number | string)[];",
    ]
