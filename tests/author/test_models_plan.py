"""Which models of a stack go, what stands in for them, and the new names in the files: all of them, or none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inferstack import catalog
from inferstack.author.models_plan import plan
from tests.conftest import ROOT
from tests.cost.test_external_prices import HEAD, run

GONE = "@cf/meta/llama-2-7b-chat-fp16"
STACK = f"""{HEAD}models:
  # what answers; keep it small
  chat:   {{ model: '{GONE}', max_tokens: 100 }}   # since spring
  outside:
    provider: openai
    model: gpt-4o-mini   # dated
    gateway: g
  auto: {{ model: "openai/gpt-4o-mini" }}
  fine: {{ model: "@cf/meta/llama-3.2-3b-instruct" }}
gateways: {{ g: {{}} }}
expect:
  models: {{ chat: {{ requests: 1000, input_tokens: 1000 }}, outside: {{ requests: 1000, input_tokens: 1000 }} }}
"""


def steps(root: Path, text: str = STACK) -> dict[str, dict[str, Any]]:
    done = run(root, text, "models", "plan", "s", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {step["alias"]: step for step in json.loads(done.stdout)["steps"]}


def test_what_goes_when_and_what_stands_in_for_it(tmp_path: Path) -> None:
    found = steps(tmp_path, STACK)
    assert set(found) == {"chat", "outside", "auto"}
    chat, outside = found["chat"], found["outside"]
    assert chat["late"] is True
    by = catalog.find_model(chat["by"])
    assert by is not None
    assert (by.status, by.vision, by.task) == ("live", False, "Text Generation")
    # 30 M tokens a month; gpt-4o-mini 0.15, what OpenAI names after it by the same list
    assert (outside["gone"], outside["by"]) == ("2027-01-14", "gpt-6-luna")
    assert outside["usd"] == pytest.approx(30 * 0.15)
    after = catalog.find_external("openai", "gpt-6-luna")
    assert after is not None
    assert outside["usd_by"] == pytest.approx(30 * (after.price("M input tokens") or 0))
    assert any(difference.startswith("context window 128,000 → ") for difference in outside["differences"])


def test_people_read_it_as_a_table(tmp_path: Path) -> None:
    shown = run(tmp_path, STACK, "models", "plan", "s").stdout
    assert f"chat: {GONE}" in shown
    assert "2027-01-14" in shown
    assert "`inferstack models plan s --fix` writes 3 of them" in shown
    assert (
        "s: no model of it is announced to go"
        in run(
            tmp_path, HEAD + "models: { fine: { model: '@cf/meta/llama-3.2-3b-instruct' } }\n", "models", "plan", "s"
        ).stdout
    )


def test_the_names_alone_are_written(tmp_path: Path) -> None:
    by = steps(tmp_path, STACK)["chat"]["by"]
    done = run(tmp_path, STACK, "models", "plan", "s", "--fix")
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "stacks" / "s.yaml").read_text()
    wanted = STACK.replace(GONE, by).replace("    model: gpt-4o-mini ", "    model: gpt-6-luna ")
    assert written == wanted.replace("openai/gpt-4o-mini", "openai/gpt-6-luna")
    assert f"stacks/s.yaml:5: models.chat: {GONE} → {by}" in done.stdout
    again = run(tmp_path, written, "models", "plan", "s", "--fix")
    assert "nothing to write" in again.stdout


def test_windows_line_ends_and_rights_stay(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    text = STACK.replace("\n", "\r\n")
    file = tmp_path / "stacks" / "s.yaml"
    run(tmp_path, "", "models", "plan", "s")  # the project around it
    file.write_bytes(text.encode())
    file.chmod(0o640)
    from inferstack.author.models_fix import fix_models

    assert len(fix_models("s", tmp_path, plan("s", tmp_path))) == 3
    assert file.read_bytes().count(b"\r\n") == text.count("\r\n")
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            STACK.replace("    model: gpt-4o-mini   # dated", "    model: ${M:-gpt-4o-mini}"),
            "comes from a variable or an anchor",
        ),
        (
            STACK.replace("model: '" + GONE, "model: &old '" + GONE).replace(
                "model: gpt-4o-mini   # dated", "model: *old"
            ),
            "comes from a variable or an anchor",
        ),
    ],
    ids=["a variable", "an anchor"],
)
def test_what_a_person_must_change_leaves_every_file_as_it_was(text: str, said: str, tmp_path: Path) -> None:
    done = run(tmp_path, text, "models", "plan", "s", "--fix")
    assert (tmp_path / "stacks" / "s.yaml").read_text() == text
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_shared_file_is_written_and_one_of_two_that_fails_takes_the_other_back(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    base = tmp_path / "stacks" / "base.yaml"
    base.write_text(f"models:\n  old: {{ model: '{GONE}' }}\n")
    head = "extends: base.yaml\nenvironment: t\ntarget: local\n"
    assert run(tmp_path, head, "models", "plan", "s", "--fix").returncode == 0
    assert GONE not in base.read_text()
    base.write_text(f"models:\n  old: {{ model: '{GONE}' }}\n")
    text = head + "models: { m: { provider: openai, model: '${M:-gpt-4o-mini}', gateway: g } }\ngateways: { g: {} }\n"
    assert run(tmp_path, text, "models", "plan", "s", "--fix").returncode == 2
    assert GONE in base.read_text()


def test_vectors_of_another_model_are_for_a_person(tmp_path: Path) -> None:
    old = "catalog: { '@me/old': { task: Text Embeddings, dimensions: 768, planned_deprecation: '2026-12-31' } }\n"
    text = HEAD + old + "models: { e: { model: '@me/old' } }\nindexes: { i: { model: e } }\n"
    step = steps(tmp_path, text)["e"]
    assert "`inferstack reindex`" in step["by_hand"]
    assert catalog.find_model(step["by"]).dimensions == 768  # type: ignore[union-attr]
    assert "nothing to write" in run(tmp_path, text, "models", "plan", "s", "--fix").stdout


def test_a_name_that_another_model_shares_is_taken_back(tmp_path: Path) -> None:
    old = "catalog: { '@me/old': { task: Text Embeddings, dimensions: 768, planned_deprecation: '2026-12-31' } }\n"
    text = HEAD + old + "models: { e: &e { model: '@me/old' }, f: *e }\nindexes: { i: { model: e } }\n"
    done = run(tmp_path, text, "models", "plan", "s", "--fix")
    assert done.returncode == 2
    assert "the same text is the model of e, too; nothing was written" in done.stderr
    assert (tmp_path / "stacks" / "s.yaml").read_text() == text
    assert [file.name for file in (tmp_path / "stacks").iterdir()] == ["s.yaml"]


def test_what_a_template_asks_of_a_role_the_next_model_can(tmp_path: Path) -> None:
    """With `async_batch`, the template `batch` needs a model with that API; the cheapest of the same task has none."""
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    own = "task: Text Generation, streaming: true, batch: true, planned_deprecation: '2026-12-31'"
    text = (ROOT / "examples" / "batch.yaml").read_text().replace('"@cf/meta/llama-3.2-3b-instruct"', "'@me/old'")
    text += f"catalog: {{ '@me/old': {{ {own} }} }}\n"
    plain = catalog.find_model(steps(tmp_path, text)["small"]["by"])
    able = catalog.find_model(
        steps(tmp_path, text.replace("    secrets:", "    options: { async_batch: true }\n    secrets:"))["small"]["by"]
    )
    assert plain is not None
    assert able is not None
    assert (plain.batch, able.batch) == (False, True)


@pytest.mark.parametrize("words", [["plan"], ["@cf/x/y", "s"], ["--fix"]])
def test_words_that_do_not_go_together_are_refused(words: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, STACK, "models", *words)
    assert done.returncode == 2
    assert "`plan` takes a stack, and only it does" in done.stderr


def test_nobody_is_sent_from_chat_to_a_guard_a_decision_or_eyes() -> None:
    for model in catalog.builtin().all():
        for other in catalog.builtin().alternatives(model):
            assert other.task == model.task
            assert ("guard" in other.name) == ("guard" in model.name), (model.name, other.name)
            assert ("rerank" in other.name) == ("rerank" in model.name), (model.name, other.name)
            if model.task == "Text Generation":
                assert other.vision == model.vision
    assert {m.name for m in catalog.builtin().all() if m.task == "Decision"} == {
        "@cf/cloudflare/clef",
        "@cf/cloudflare/clef-flash",
        "@cf/cloudflare/clef-omni",
    }
