"""What a template is rendered with: models and how to call them, options, files; and what it says when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferstack import render
from inferstack.config import StackSpec, load_stack
from inferstack.errors import ConfigError
from inferstack.render import render_worker
from inferstack.render.worker_code import digest_of

WORKER: dict[str, Any] = {"template": "mine", "compatibility_date": "2026-06-01"}
CHAT = "@cf/meta/llama-3.2-3b-instruct"
EMBED = "@cf/baai/bge-base-en-v1.5"
SHOWN = '{{ {"models": models, "options": options, "chats": chats, "worker": worker} | tojson }}'


def load(
    root: Path, worker: dict[str, Any], template: str = "summary: mine\n", main: str = SHOWN, **more: Any
) -> StackSpec:
    """A stack with one Worker of a template of the project's own, which shows all that it is given."""
    (root / "stacks").mkdir(exist_ok=True)
    (root / "templates" / "mine").mkdir(parents=True, exist_ok=True)
    (root / "templates" / "mine" / "template.yaml").write_text(template)
    (root / "templates" / "mine" / "worker.js.j2").write_text(main)
    stack = {"environment": "x", "target": "local", "workers": {"w": {**WORKER, **worker}}, **more}
    (root / "stacks" / "s.yaml").write_text(yaml.safe_dump(stack))
    return load_stack("s", root)


def given(root: Path, worker: dict[str, Any], template: str = "accepts: { models: [a, b] }\n", **more: Any) -> Any:
    spec = load(root, worker, template, **more)
    return json.loads(render_worker(spec, "w", root).modules[0].text)


def refused(spec: StackSpec, root: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        render_worker(spec, "w", root)
    return str(raised.value)


def test_a_model_comes_with_all_that_calling_it_takes(tmp_path: Path) -> None:
    models = {"c": {"model": "@me/m", "system": "be brief", "max_tokens": 9, "temperature": 0.5, "fallbacks": ["e"]}}
    models["e"] = {"model": CHAT}
    catalog = {"@me/m": {"task": "Text Generation", "json_mode": "bare", "prices": {"per M output tokens": 2.5}}}
    shown = given(tmp_path, {"models": {"a": "c"}}, models=models, catalog=catalog)
    [fallback] = shown["models"]["a"].pop("fallbacks")
    assert shown["worker"] == "w"
    assert shown["models"] == {
        "a": {
            "name": "@me/m",
            "gateway": None,
            "compat": None,
            "price": {"input": 0, "output": 2.5},
            "json": "bare",
            "calls_a_minute": None,
            "system": "be brief",
            "max_tokens": 9,
            "temperature": 0.5,
        }
    }
    assert set(fallback) == {"name", "gateway", "compat", "price", "json", "calls_a_minute"}
    assert fallback["name"] == CHAT
    assert fallback["price"]["input"] > 0
    assert fallback["calls_a_minute"] == 300


@pytest.mark.parametrize(
    ("prices", "shown"),
    [
        ({}, None),
        ({"per M input tokens": 0.5}, {"input": 0.5, "output": 0}),
        ({"per M input tokens": 0.5, "per M output tokens": 1.5}, {"input": 0.5, "output": 1.5}),
        ({"per audio minute": 0.5}, None),
    ],
)
def test_a_price_is_told_when_any_part_is_known(tmp_path: Path, prices: dict[str, float], shown: object) -> None:
    catalog = {"@me/m": {"task": "Text Generation", "prices": prices}}
    found = given(tmp_path, {"models": {"a": "c"}}, models={"c": {"model": "@me/m"}}, catalog=catalog)
    assert found["models"]["a"]["price"] == shown


@pytest.mark.parametrize(("mode", "shown"), [("none", None), ("envelope", "envelope")])
def test_json_mode_is_told_where_there_is_one(tmp_path: Path, mode: str, shown: object) -> None:
    catalog = {"@me/m": {"task": "Text Generation", "json_mode": mode}}
    found = given(tmp_path, {"models": {"a": "c"}}, models={"c": {"model": "@me/m"}}, catalog=catalog)
    assert found["models"]["a"]["json"] == shown


@pytest.mark.parametrize(
    ("model", "gateway", "compat"),
    [
        ({"model": CHAT}, None, None),
        ({"model": CHAT, "gateway": "my-gate"}, "GATEWAY_MY_GATE", None),
        ({"model": CHAT, "gateway": "my-gate", "route": "way"}, "GATEWAY_MY_GATE", "dynamic/way"),
        ({"model": "gpt-x", "provider": "openai", "gateway": "my-gate"}, "GATEWAY_MY_GATE", "openai/gpt-x"),
        ({"model": "own", "provider": "my-llm", "gateway": "my-gate"}, "GATEWAY_MY_GATE", "{PROVIDER_MY_LLM}/own"),
        (
            {"model": "gpt-x", "provider": "openai", "gateway": "my-gate", "route": "way"},
            "GATEWAY_MY_GATE",
            "dynamic/way",
        ),
    ],
)
def test_where_calls_go(tmp_path: Path, model: dict[str, str], gateway: str | None, compat: str | None) -> None:
    gateways = {"my-gate": {"keys": {"openai": {"secret": "env:PATH"}}, "routes": {"way": {"models": ["plain"]}}}}
    found = given(
        tmp_path,
        {"models": {"a": "c"}},
        models={"c": model, "plain": {"model": CHAT}},
        gateways=gateways,
        providers={"my-llm": {"base_url": "https://llm.example.com/v1"}},
    )["models"]["a"]
    assert (found["name"], found["gateway"], found["compat"]) == (model["model"], gateway, compat)


def test_it_is_told_which_models_take_messages(tmp_path: Path) -> None:
    models = {
        "c": {"model": CHAT},
        "e": {"model": EMBED},
        "x": {"model": "gpt-x", "provider": "openai", "gateway": "g"},
    }
    gateways = {"g": {"keys": {"openai": {"secret": "env:PATH"}}}}
    roles = {"a": "c", "b": "e", "d": "x"}
    found = given(tmp_path, {"models": roles}, "accepts: { models: [a, b, d] }\n", models=models, gateways=gateways)
    assert found["chats"] == {"a": True, "b": False, "d": True}


def test_a_system_message_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "short.md").write_text("\nbe brief\nand kind\n\n")
    models = {"c": {"model": CHAT, "system_file": "prompts/short.md"}}
    found = given(tmp_path, {"models": {"a": "c"}}, models=models)
    assert found["models"]["a"]["system"] == "be brief\nand kind"


@pytest.mark.parametrize("reindexes", [True, False])
@pytest.mark.parametrize("beside", [{"model": "e2", "generation": 2}, None])
def test_the_model_of_a_generation_beside_comes_along_for_who_fills_it(
    tmp_path: Path, reindexes: bool, beside: dict[str, Any] | None
) -> None:
    template = "accepts: { models: [a], bindings: { DOCS: index } }\n" + ("reindexes: DOCS\n" if reindexes else "")
    models = {"c": {"model": CHAT}, "e": {"model": EMBED}, "e2": {"model": "@cf/baai/bge-small-en-v1.5"}}
    found = given(
        tmp_path,
        {"models": {"a": "c"}, "bindings": {"DOCS": {"index": "i"}}},
        template,
        models=models,
        indexes={"i": {"model": "e", **({"beside": beside} if beside else {})}},
    )["models"]
    assert set(found) == ({"a", "beside"} if reindexes and beside else {"a"})
    assert found["a"]["name"] == CHAT
    assert found.get("beside", {"name": models["e2"]["model"]})["name"] == models["e2"]["model"]


OPTIONS = "options: { words: { default: 4 }, tone: dry, table: { default: null } }\n"


def test_options_have_their_defaults_and_may_stand_in_files(tmp_path: Path) -> None:
    assert given(tmp_path, {}, OPTIONS)["options"] == {"words": 4, "tone": "dry", "table": None}
    (tmp_path / "table.yaml").write_text("one: [1, 2]\n")
    found = given(tmp_path, {"options": {"words": 5, "table_file": "table.yaml"}}, OPTIONS)
    assert found["options"] == {"words": 5, "tone": "dry", "table": {"one": [1, 2]}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "[Errno 2] No such file or directory"),
        (b"\xff", "'utf-8' codec can't decode byte"),
        (b"a: [", "line 2, column 1: it is no YAML"),
    ],
)
def test_a_file_that_became_unreadable_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    (tmp_path / "table.yaml").write_text("one: 1\n")
    spec = load(tmp_path, {"options": {"table_file": "table.yaml"}}, OPTIONS)
    (tmp_path / "table.yaml").unlink()
    if content is not None:
        (tmp_path / "table.yaml").write_bytes(content)
    shown = refused(spec, tmp_path)
    assert shown.startswith(f"option `table_file`: table.yaml cannot be read: {said}")
    assert "\n" not in shown


def test_blocks_leave_no_lines_behind_and_the_last_line_ends(tmp_path: Path) -> None:
    main = "let a = 1;\n  {% if worker %}\nlet b = {{ worker | tojson }};\n  {% endif %}\nlet c;\n"
    spec = load(tmp_path, {}, main=main)
    assert render_worker(spec, "w", tmp_path).modules[0].text == 'let a = 1;\nlet b = "w";\nlet c;\n'


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% if %}", "Expected an expression, got 'end of statement block'"),
        ("{{ worker.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe."),
    ],
)
def test_what_a_template_may_not_is_said_of_it_and_its_worker(tmp_path: Path, main: str, said: str) -> None:
    spec = load(tmp_path, {}, main=main)
    assert refused(spec, tmp_path) == f"template `mine` of worker `w`: {said}"


def test_what_a_template_lacks_is_named(tmp_path: Path) -> None:
    spec = load(tmp_path, {}, main='import { a } from "./nowhere.js";\n')
    assert refused(spec, tmp_path) == "there is no worker_src/nowhere.js, which index.js imports"
    (tmp_path / "templates" / "mine" / "worker.js.j2").unlink()
    assert refused(spec, tmp_path) == "worker `w`: template `mine` has no worker.js.j2 in this project"
    (tmp_path / "templates" / "mine" / "template.yaml").unlink()
    assert refused(spec, tmp_path) == "worker `w`: there is no template `mine`"


def test_a_worker_has_the_flags_of_its_template(tmp_path: Path) -> None:
    spec = load(tmp_path, {}, "flags: [nodejs_compat]\n")
    assert render_worker(spec, "w", tmp_path).flags == ("nodejs_compat",)
    (tmp_path / "own.js").write_text("export default {};\n")
    spec = load(tmp_path, {"template": None, "source": "own.js"})
    assert render_worker(spec, "w", tmp_path).flags == ()


def test_the_door_has_what_it_names() -> None:
    assert [name for name in render.__all__ if not hasattr(render, name)] == []


def test_the_digest_is_that_of_names_and_code_alone(tmp_path: Path) -> None:
    code = {"index.js": b"one", "b.js": b"two"}
    (tmp_path / "own.js").write_text("export default {};\n")
    spec = load(tmp_path, {"template": None, "source": "own.js"})
    assert render_worker(spec, "w", tmp_path).digest == digest_of({"own.js": b"export default {};\n"})
    assert digest_of(code) == digest_of(dict(reversed(code.items())))
    others = [{"index.js": b"two", "b.js": b"one"}, {"index.js": b"one"}, {"index.js": b"onetw", "b.js": b"o"}]
    assert len({digest_of(other) for other in [code, *others]}) == 4
    assert len(digest_of({})) == 64
