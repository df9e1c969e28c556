"""Values that do not fit: each kind of it by its code and words; defaults and what follows from what is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferstack import config
from inferstack.author.check import check
from inferstack.config import StackSpec
from inferstack.config.own_models import OwnModel
from inferstack.config.rollout_models import RolloutSpec, parse_seconds, seconds
from inferstack.errors import ConfigError

ACCOUNT = "0123456789abcdef0123456789abcdef"


def said(root: Path, stack: dict[str, Any]) -> list[str]:
    (root / "stacks").mkdir(exist_ok=True)
    text = yaml.safe_dump({"environment": "x", "target": "local", **stack}, sort_keys=False)
    (root / "stacks" / "s.yaml").write_text(text)
    entries = json.loads(check(["s"], root).show("json"))
    return [f"{entry['code']} {entry['message']} → {entry['fix']}" for entry in entries]


def spec(**stack: Any) -> StackSpec:
    return StackSpec.model_validate({"environment": "x", **stack})


def worker(**parts: Any) -> dict[str, Any]:
    return {"workers": {"w": {"template": "chat", "compatibility_date": "2026-06-01", **parts}}}


NAMES = "use 1 to 42 lower-case letters, digits and dashes, no dash at either end"
REFERENCE = "write `env:NAME`, `file:path`, `command:words`, `config:name` or `store:name`, and keep the value there"
KINDS = (
    "one of: ai, index, database, bucket, namespace, queue, hyperdrive, dispatch_namespace, search, search_namespace, service, "
    "prompt, rate_limit, version_metadata, email, analytics"
)
SECRET = "is not a reference to a secret (its text is not shown)"
GIVE = "give a value of that kind"
NO_ORIGIN = "a Worker has a `template`, a `source` of its own, or static `assets`"
ORIGIN = "a Worker has either a `template` or a `source` of its own"
SPEND = {"usd": 1, "interval": 60}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prefix": 5}, "IS023 `prefix` is a number; it must be text → give text"),
    ({"prefix": 5.5}, "IS023 `prefix` is a number; it must be text → give text"),
    ({"prefix": True}, "IS023 `prefix` is true or false; it must be text → give text"),
    ({"prefix": ["a"]}, "IS023 `prefix` is a list; it must be text → give text"),
    ({"prefix": {"a": 1}}, "IS023 `prefix` is a mapping; it must be text → give text"),
    ({"production": "x"}, "IS023 `production` is text; it must be true or false → give true or false"),
    ({"tags": "x"}, "IS023 `tags` is text; it must be a list → give a list"),
    ({"models": "x"}, "IS023 `models` is text; it must be a mapping → give a mapping"),
    ({"buckets": {"b": "x"}}, "IS023 `buckets.b` is text; it must be a mapping → give a mapping"),
    ({"budget": "x"}, "IS023 `budget` is text; it must be a mapping → give a mapping"),
    ({"local": {"port": "x"}}, "IS023 `local.port` is text; it must be a whole number → give a whole number"),
    ({"local": {"port": 1.5}}, "IS023 `local.port` is a number; it must be a whole number → give a whole number"),
    ({"budget": {"monthly_usd": "x"}}, "IS023 `budget.monthly_usd` is text; it must be a number → give a number"),
    (
        {"expect": {"buckets": {"b": {"reads": float("inf")}}}},
        "IS023 `expect.buckets.b.reads` is a number; it must be a finite number → give a finite number",
    ),
    ({"tags": [None]}, "IS023 `tags.0` is empty; it must be text → give text"),
    ({"target": "lokal"}, "IS024 `target` cannot be `lokal`; did you mean `local`? → one of: local, cloudflare"),
    ({"gateways": {"g": {"cache_ttl": -1}}}, "IS025 `gateways.g.cache_ttl` is `-1`; it must be at least 0 → give at least 0"),
    (
        {"gateways": {"g": {"spend_limits": [{**SPEND, "usd": 0}]}}},
        "IS025 `gateways.g.spend_limits.0.usd` is `0`; it must be more than 0.0 → give more than 0.0",
    ),
    ({"local": {"port": 65536}}, "IS026 `local.port` is `65536`; it must be at most 65535 → give at most 65535"),
    ({"buckets": {"A_b": {}}}, f"IS027 `A_b` is no name → {NAMES}"),
    (worker(vars={"A": None}), f"IS031 `workers.w.vars.A`: a variable has a value → {GIVE}"),
    (worker(vars={"A": [float("nan")]}), f"IS031 `workers.w.vars.A`: no number of JSON is like this → {GIVE}"),
    (worker(vars={"1A": "x"}), "IS027 `1A` is no name → use letters, digits and underscores, no digit first"),
    ({"prefix": "A"}, "IS027 `prefix` is `A`, which does not fit → text of the form ^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"),
    (
        {"account": "a" * 56},
        f"IS027 `account` is `{'a' * 56}`, which does not fit → text of the form ^[0-9a-f]{{32}}$",
    ),
    ({"account": "a" * 59}, f"IS027 `account` is `{'a' * 56}…`, which does not fit → text of the form ^[0-9a-f]{{32}}$"),
    ({"gateways": {"g": {"dlp": {"profiles": []}}}}, "IS028 `gateways.g.dlp.profiles` is empty → give at least one entry"),
    (worker(source="", template=None), "IS028 `workers.w.source` is empty → give at least one entry"),
    (worker(bindings={"B": {}}), f"IS029 `workers.w.bindings.B` must name exactly one kind → {KINDS}"),
    (worker(secrets={"T": "x"}), f"IS030 `workers.w.secrets.T` {SECRET} → {REFERENCE}"),
    (worker(secrets={"T": 5}), f"IS030 `workers.w.secrets.T` {SECRET} → {REFERENCE}"),
    ({"secrets_store": {"t": "x"}}, f"IS030 `secrets_store.t` {SECRET} → {REFERENCE}"),
    ({"gateways": {"g": {"keys": {"openai": {"secret": 5}}}}}, f"IS030 `gateways.g.keys.openai.secret` {SECRET} → {REFERENCE}"),
    (worker(template=None), f"IS031 `workers.w`: {NO_ORIGIN} → {GIVE}"),
    (worker(source="w.js"), f"IS031 `workers.w`: {ORIGIN} → {GIVE}"),
    (
        worker(compatibility_date="2026-02-30"),
        f"IS031 `workers.w.compatibility_date`: there is no day 2026-02-30 → {GIVE}",
    ),
    (
        {"indexes": {"i": {}}},
        f"IS031 `indexes.i`: an index needs a `model`, or the `dimensions` of vectors that you make yourself → {GIVE}",
    ),
    (
        {"databases": {"d": {"location": "weur", "jurisdiction": "eu"}}},
        f"IS031 `databases.d`: a database has a `location` hint or a `jurisdiction`, not both → {GIVE}",
    ),
    (
        {"models": {"m": {"model": "x", "system": "a", "system_file": "b"}}},
        f"IS031 `models.m`: the system message stands in one of `system`, `system_file` and `prompt` → {GIVE}",
    ),
    (
        {"gateways": {"g": {"routes": {"r": {"models": ["m"], "limits": [{"by": "a", "interval": 1}]}}}}},
        f"IS031 `gateways.g.routes.r.limits.0`: a limit counts either `requests` or `usd` → {GIVE}",
    ),
    (
        worker(rollout={"steps": [5, 5, 100]}),
        f"IS031 `workers.w.rollout.steps`: steps rise and end with 100, not 5, 5, 100 → {GIVE}",
    ),
    (
        worker(rollout={"steps": [5, 99]}),
        f"IS031 `workers.w.rollout.steps`: steps rise and end with 100, not 5, 99 → {GIVE}",
    ),
    (worker(rollout={"hold": "25h"}), f"IS031 `workers.w.rollout.hold`: a step is held for at most 24h → {GIVE}"),
    ({"workers": {"w": {"template": "chat"}}}, "IS022 `workers.w.compatibility_date` is missing → add `compatibility_date:`"),
]  # fmt: skip


@pytest.mark.parametrize(("stack", "wanted"), WRONG, ids=[wanted[:60] for _, wanted in WRONG])
def test_what_does_not_fit_is_said_in_words(tmp_path: Path, stack: dict[str, Any], wanted: str) -> None:
    assert said(tmp_path, stack) == [wanted]


@pytest.mark.parametrize(
    ("stack", "key", "near", "first"),
    [
        ({"indexs": {}}, "indexs", "indexes", "environment"),
        ({"local": {"prt": 1}}, "prt", "port", "port"),
        ({"buckets": {"b": {"loction": "weur"}}}, "loction", "location", "location"),
        (worker(sorce="x"), "sorce", "source", "template"),
        (worker(rollout={"chekcs": []}), "chekcs", "checks", "steps"),
        (worker(smoke=[{"request": "GET /", "tken": "x"}]), "tken", "token", "request"),
        (worker(bindings={"B": {"rate_limit": {"requests": 1, "secnds": 10}}}), "secnds", "seconds", "requests"),
        ({"gateways": {"g": {"routes": {"r": {"models": ["m"], "splt": []}}}}}, "splt", "split", "models"),
        ({"gateways": {"g": {"rate_limit": {"limit": 1, "interval": 1, "techniqe": "x"}}}}, "techniqe", "technique", "limit"),
        ({"catalog": {"m": {"task": "Translation", "visin": True}}}, "visin", "vision", "task"),
        ({"expect": {"buckets": {"b": {"red": 1}}}}, "red", "reads", "writes"),
        ({"policies": {"exceptons": []}}, "exceptons", "exceptions", "severity"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_told_the_known_ones(
    tmp_path: Path, stack: dict[str, Any], key: str, near: str, first: str
) -> None:
    [shown] = said(tmp_path, stack)
    assert shown.startswith(f"IS021 unknown key `{key}`; did you mean `{near}`? → one of: {first}, ")


@pytest.mark.parametrize(
    ("text", "length"), [("500ms", 0.5), ("30s", 30), ("10m", 600), ("24h", 86400), ("7d", 604800), ("0s", 0)]
)
def test_lengths_of_time(text: str, length: float) -> None:
    assert seconds(text) == parse_seconds(text) == length


@pytest.mark.parametrize("text", ["", "10", "m", "10w", "1234567s", "10m ", "-1s", "1.5h"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_seconds(text)
    assert str(raised.value) == f"`{text}` is no length of time\n  fix: such as 30s, 10m, 24h or 7d"


def test_a_long_wrong_length_of_time_is_cut() -> None:
    with pytest.raises(ConfigError, match=r"^`x{40}` is no length"):
        parse_seconds("x" * 50)


@pytest.mark.parametrize(
    ("given", "steps", "length"),
    [
        ({}, [5, 25, 100], 1200),
        ({"steps": [100]}, [100], 0),
        ({"steps": [1, 2, 3, 100], "hold": "24h"}, [1, 2, 3, 100], 3 * 86400),
    ],
)
def test_the_last_step_of_a_rollout_is_not_held(given: dict[str, Any], steps: list[int], length: float) -> None:
    rollout = RolloutSpec.model_validate(given)
    assert (rollout.steps, rollout.seconds) == (steps, length)


def test_a_model_of_one_s_own_is_one_of_the_catalogue() -> None:
    own = OwnModel.model_validate(
        {"task": "Text Generation", "context_window": 8, "vision": True, "prices": {"per step": 2}}
    )
    model = own.as_model("@me/m")
    assert (model.name, model.status, model.source, model.removed) == ("@me/m", "live", "this project", False)
    assert (model.task, model.context_window, model.vision, model.batch) == ("Text Generation", 8, True, False)
    assert model.price("step") == 2
    assert model.price("tile") is None


@pytest.mark.parametrize(
    "task",
    [
        "Automatic Speech Recognition",
        "Image Classification",
        "Image-to-Text",
        "Object Detection",
        "Summarization",
        "Text Classification",
        "Text Embeddings",
        "Text Generation",
        "Text-to-Image",
        "Text-to-Speech",
        "Translation",
    ],
)
@pytest.mark.parametrize("mode", ["bare", "envelope", "guided_json", "none"])
def test_a_model_of_one_s_own_does_a_task_of_cloudflare_s(task: str, mode: str) -> None:
    model = OwnModel.model_validate({"task": task, "json_mode": mode}).as_model("m")
    assert (model.task, model.json_mode, model.takes_json_schema) == (task, mode, mode != "none")


def test_a_model_of_one_s_own_comes_before_cloudflare_s() -> None:
    name = "@cf/meta/llama-3.2-3b-instruct"
    stack = spec(catalog={name: {"task": "Translation"}}, models={"a": {"model": name}, "b": {"model": "@me/none"}})
    found, cloudflare_s = stack.model_of("a"), spec(models={"a": {"model": name}}).model_of("a")
    assert found is not None
    assert found.task == "Translation"
    assert cloudflare_s is not None
    assert cloudflare_s.task == "Text Generation"
    assert stack.model_of("b") is None
    assert stack.model_of("none") is None


@pytest.mark.parametrize(
    ("production", "protect", "protected"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_production_is_protected_unless_it_says_otherwise(
    production: bool, protect: bool | None, protected: bool
) -> None:
    assert spec(production=production, protect=protect).protected is protected


def test_names_on_cloudflare() -> None:
    plain, prefixed = spec(), spec(prefix="team", providers={"llm": {"base_url": "https://llm.example.com"}})
    assert plain.physical("docs") == "docs-x"
    assert prefixed.physical("docs") == "team-docs-x"
    entries = {"a": {"name": "Mine_1"}, "b": {}}
    named = spec(prefix="team", buckets=entries, queues=entries, databases=entries, namespaces=entries)
    for section in ("buckets", "queues", "databases", "namespaces"):
        assert (named.name_of(section, "a"), named.name_of(section, "b")) == ("Mine_1", "team-b-x")
    assert spec(**worker(name="mine")).name_of("workers", "w") == "mine"
    assert prefixed.provider_name("llm") == "custom-team-llm-x"
    assert prefixed.provider_name("openai") == "openai"


def test_generations_of_an_index_have_names_of_their_own() -> None:
    stack = spec(indexes={"a": {"dimensions": 3}, "b": {"dimensions": 3, "generation": 2}})
    assert stack.index_name("a") == "a-x"
    assert stack.index_name("b") == "b-2-x"
    assert (stack.index_key("a", 1), stack.index_key("a", 3)) == ("a", "a-3")


def test_a_worker_is_given_the_names_of_what_it_calls() -> None:
    bindings = {"DOCS": {"index": "docs"}, "MORE": {"index": "more"}, "AI": {"ai": True}, "GONE": {"index": "gone"}}
    stack = spec(
        **worker(models={"chat": "a"}, vars={"MINE": "1"}, bindings=bindings),
        models={
            "a": {"model": "m", "gateway": "my-gate", "fallbacks": ["b"]},
            "b": {"model": "m", "provider": "my-llm", "gateway": "other"},
            "c": {"model": "m", "gateway": "unused"},
        },
        gateways={"my-gate": {}, "other": {}, "unused": {}},
        providers={"my-llm": {"base_url": "https://llm.example.com"}},
        indexes={"docs": {"model": "e", "beside": {"model": "e", "generation": 2}}, "more": {"model": "e"}},
    )
    assert stack.besides("w") == {"DOCS": "docs"}
    assert stack.variables_of("w") == {
        "GATEWAY_MY_GATE": "my-gate-x",
        "GATEWAY_OTHER": "other-x",
        "PROVIDER_MY_LLM": "custom-my-llm-x",
        "BESIDE_INDEX": "docs-2-x",
        "MINE": "1",
    }
    own = spec(**worker(template=None, source="w.js", vars={"MINE": "1"}, bindings=bindings))
    assert own.variables_of("w") == {"MINE": "1"}
    values = {"TEXT": "5", "NUMBER": 5, "RATE": 0.5, "OFF": False, "LIST": [1, {"a": None}], "DEEP": {"a": {"b": []}}}
    assert spec(**worker(template=None, source="w.js", vars=values)).variables_of("w") == values


def test_secrets_are_listed_with_where_they_stand_and_come_from() -> None:
    stack = spec(
        **worker(secrets={"A": "env:A", "B": "store:b", "C": "store:c"}),
        gateways={"g": {"keys": {"openai": {"secret": "file:key"}}}},
        secrets_store={"b": "command:pass b"},
    )
    assert list(stack.secret_references()) == [
        (("workers", "w", "secrets", "A"), "env:A"),
        (("workers", "w", "secrets", "B"), "store:b"),
        (("workers", "w", "secrets", "C"), "store:c"),
        (("gateways", "g", "keys", "openai", "secret"), "file:key"),
        (("secrets_store", "b"), "command:pass b"),
    ]
    assert stack.stored_secrets() == {"b", "c"}
    assert [stack.source_of(one) for one in ("env:A", "store:b", "store:c")] == ["env:A", "command:pass b", None]


@pytest.mark.parametrize(
    ("template", "options", "public"),
    [
        ("chat", {}, False),
        ("chat", {"auth": "key"}, False),
        ("chat", {"auth": "none"}, True),
        ("chat", {"public_questions": True}, False),
        ("rag", {}, True),
        ("rag", {"public_questions": False}, False),
        ("rag", {"public_questions": False, "auth": "none"}, True),
    ],
)
def test_who_answers_everybody(template: str, options: dict[str, Any], public: bool) -> None:
    assert spec(**worker(template=template, options=options)).workers["w"].public is public


@pytest.mark.parametrize(
    ("jwt", "tenants"), [(None, False), ("org", False), ({}, False), ({"tenant_claim": ""}, False), ({"tenant_claim": "o"}, True)]
)  # fmt: skip
def test_who_has_tenants(jwt: Any, tenants: bool) -> None:
    assert spec(**worker(options={"jwt": jwt})).workers["w"].has_tenants is tenants


def test_the_places_of_a_route_s_models() -> None:
    route = {
        "models": ["a", "b"],
        "conditions": [{"metadata": {"k": "v"}, "models": ["c"]}],
        "limits": [{"by": "k", "interval": 1, "usd": "0.5", "models": ["d"]}],
        "split": [{"percent": 1, "model": "e"}],
    }
    assert spec(gateways={"g": {"routes": {"r": route}}}).gateways["g"].routes["r"].aliases() == [
        (("conditions", 0, "models", 0), "c"),
        (("limits", 0, "models", 0), "d"),
        (("models", 0), "a"),
        (("models", 1), "b"),
        (("split", 0, "model"), "e"),
    ]


def test_the_door_has_what_it_names() -> None:
    assert [name for name in config.__all__ if not hasattr(config, name)] == []


def test_pydantic_looks_for_no_plugins() -> None:
    code = "import os, inferstack.config; print(os.environ['PYDANTIC_DISABLE_PLUGINS'])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYDANTIC")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "__all__\n"
