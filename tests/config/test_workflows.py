"""Workflows in stack files: what is right, what `check` says of the rest, and the names that they get."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import load_stack

HEAD = "environment: dev\ntarget: local\nprefix: shop\nworkers:\n"
OTHER = "  other: { source: w.js, compatibility_date: '2026-06-01', workflows: { X: { class_name: Send } } }\n"
CODE = "export class Ingest {}\nexport default {};\n"


def write(root: Path, workflows: str, code: str = CODE, origin: str = "source: app.ts", more: str = OTHER) -> None:
    (root / "stacks").mkdir()
    worker = f"  w: {{ {origin}, compatibility_date: '2026-06-01', workflows: {workflows} }}\n"
    (root / "stacks" / "s.yaml").write_text(HEAD + worker + more)
    (root / "app.ts").write_text(code)
    (root / "w.js").write_text("export class Send {}\nexport default {};\n")


@pytest.mark.parametrize(
    ("workflows", "problem"),
    [
        ("{ A: { class_name: Ingest } }", "s: ok"),
        ("{ A: { class_name: Ingest }, B: { worker: other, class_name: Send } }", "s: ok"),
        (
            "{ A: { class_name: Ingst } }",
            "error[IS112]: `app.ts` does not export the class `Ingst`; did you mean `Ingest`",
        ),
        ("{ A: { worker: othr, class_name: Send } }", "`othr` is not declared under `workers:`; did you mean `other`?"),
        ("{ A: { worker: other, class_name: Snd } }", "error[IS113]: Worker `other` has no workflow of class `Snd`"),
        ("{ A: { worker: other, class_name: Send, steps: 5 } }", "`steps` is said where the class is"),
        ("{ A: { class_name: Ingest, steps: 25001 } }", "25000"),
        ("{ A: { class_name: Ingest, name: a.b } }", "error["),
        (
            "{ A: { class_name: Ingest, name: one }, B: { class_name: Ingest, name: one } }",
            "error[IS114]: `w.A` and `w.B`",
        ),
        (f"{{ {'A' * 60}: {{ class_name: Ingest }} }}", "error[IS114]: the name `shop-w-"),
        ("{ A: { class: Ingest } }", "unknown key `class`; did you mean `class_name`?"),
    ],
)
def test_what_does_not_fit_together_is_told(workflows: str, problem: str, tmp_path: Path) -> None:
    write(tmp_path, workflows)
    assert problem in check(["s"], tmp_path).show("text")


def test_two_of_one_class_cannot_be_told_apart_by_another_worker(tmp_path: Path) -> None:
    more = OTHER.replace("X: { class_name: Send }", "X: { class_name: Send }, Y: { class_name: Send }")
    write(tmp_path, "{ A: { worker: other, class_name: Send } }", more=more)
    assert "error[IS113]: Worker `other` has several workflows of class `Send`" in check(["s"], tmp_path).show("text")


def test_a_name_in_env_is_one_thing_and_bound_names_are_known(tmp_path: Path) -> None:
    code = "export class Ingest {}\nexport default { fetch: (r, env) => env.RUN.create() };\n"
    write(tmp_path, "{ RUN: { class_name: Ingest } }", code, "source: app.ts, vars: { RUN: x }")
    text = check(["s"], tmp_path).show("text")
    assert "`RUN` stands under `workflows` and under `vars`" in text
    assert "IS109" not in text


def test_static_assets_alone_run_no_workflow(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("a")
    write(tmp_path, "{ RUN: { class_name: Ingest } }", origin="assets: { directory: site }")
    assert "error[IS104]" in check(["s"], tmp_path).show("text")


def test_workflows_are_called_by_prefix_worker_binding_and_environment(tmp_path: Path) -> None:
    write(tmp_path, "{ RE_INDEX: { class_name: Ingest }, B: { worker: other, class_name: Send } }")
    spec = load_stack("s", tmp_path)
    assert spec.workflow_name("w", "RE_INDEX") == "shop-w-re-index-dev"
    assert spec.workflow_name("w", "B") == spec.workflow_name("other", "X") == "shop-other-x-dev"


def test_expectations_name_the_worker_with_the_class(tmp_path: Path) -> None:
    write(tmp_path, "{ A: { worker: other, class_name: Send } }")
    with (tmp_path / "stacks" / "s.yaml").open("a") as file:
        file.write("expect: { workflows: { w: { instances: 1 } } }\n")
    assert "error[IS076]: Worker `w` has no classes of its own under `workflows:`" in check(["s"], tmp_path).show(
        "text"
    )
