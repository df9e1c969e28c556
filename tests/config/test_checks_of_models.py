"""The checks of environments, traffic and models at their edges: what is just right, what is just wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferstack.config import load_stack
from tests.config.asking import ACCOUNT, CHAT, DATE, EMBED, PLAIN, codes, found, said, template, worker

# The environment


@pytest.mark.parametrize(
    ("section", "longest"), [("workers", 63), ("buckets", 63), ("queues", 63), ("indexes", 64), ("gateways", 64)]
)
def test_names_may_be_as_long_as_cloudflare_takes_them(root: Path, section: str, longest: int) -> None:
    entries: dict[str, Any] = {"workers": PLAIN, "indexes": {"dimensions": 3}, "queues": {"consumer": {"worker": "w"}}}
    prefix = "p" * (longest - len("-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-x"))
    stack = {"workers": {"w": {"template": "eats", "compatibility_date": DATE}}} if section == "queues" else {}
    stack[section] = {"b" * 30: entries.get(section, {})}
    assert codes(root, prefix=prefix, **stack) == []
    assert codes(root, prefix=prefix + "p", **stack) == ["IS062"]


@pytest.mark.parametrize(
    ("target", "account", "wanted"),
    [
        ("local", None, []),
        ("cloudflare", ACCOUNT, []),
        ("cloudflare", None, ["IS071"]),
        ("cloudflare", "0" * 32, ["IS071"]),
        ("local", "0" * 32, []),
    ],
)
def test_what_goes_to_cloudflare_says_to_which_account(
    root: Path, target: str, account: str | None, wanted: list[str]
) -> None:
    assert codes(root, target=target, **({"account": account} if account else {})) == wanted


@pytest.mark.parametrize(
    ("section", "plan", "most"),
    [
        ("workers", "free", 100),
        ("workers", "paid", 500),
        ("databases", "free", 10),
        ("indexes", "free", 100),
        ("gateways", "free", 10),
        ("gateways", "paid", 20),
    ],
)
def test_an_account_holds_so_many(root: Path, section: str, plan: str, most: int) -> None:
    entry = {"workers": PLAIN, "indexes": {"dimensions": 3}}.get(section, {})
    full = {f"n{number}": entry for number in range(most)}
    if most > 100:
        full = {f"n{number}": entry for number in range(most + 1)}
        assert codes(root, expect={"plan": plan}, **{section: full}) == ["IS074"]
        return
    assert codes(root, expect={"plan": plan}, **{section: full}) == []
    assert said(root, expect={"plan": plan}, **{section: {**full, "more": entry}}) == [
        f"IS074 {most + 1} {section}; an account on the {plan} plan has at most {most}"
        " → use several accounts, or ask Cloudflare for more"
    ]


def test_secrets_are_looked_for_where_they_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELD", "x")
    monkeypatch.setenv("EMPTY", "")
    (root / "key.txt").write_text("x")
    assert worker(root, secrets={"A": "env:HELD", "B": "file:key.txt", "C": "command:pass", "D": "config:d"}) == []
    assert worker(root, secrets={"A": "env:EMPTY"}) == [
        "IS075 the environment variable `EMPTY` is not set here → export EMPTY before `up`"
    ]
    missing = "IS075 there is no file `.inferstack/key` here → write the secret to that file, mode 600"
    assert worker(root, secrets={"A": "file:none.txt"}) == [missing.replace(".inferstack/key", "none.txt")]
    assert worker(root, secrets={"A": "file:.inferstack/key"}) == []  # the local Cloudflare makes it
    cloud = {"target": "cloudflare", "account": ACCOUNT}
    assert said(root, **cloud, workers={"w": {**PLAIN, "secrets": {"A": "file:.inferstack/key"}}}) == [missing]


def test_a_gateway_needs_a_value_that_can_be_read(root: Path) -> None:
    gateways = {"g": {"keys": {"openai": {"secret": "store:there"}}}}
    assert said(root, gateways=gateways) == [
        "IS099 the gateway needs the value of `there`, and only the account's Secrets Store has it"
        " → declare `there` under `secrets_store:`, or name its source"
    ]
    assert codes(root, gateways=gateways, secrets_store={"there": "env:PATH"}) == []
    assert worker(root, secrets={"A": "store:there"}) == []


# What is expected


@pytest.mark.parametrize(
    ("section", "traffic"),
    [
        ("workers", {"requests": 1}),
        ("models", {"requests": 1}),
        ("indexes", {"vectors": 1}),
        ("databases", {}),
        ("buckets", {}),
        ("namespaces", {}),
        ("queues", {"messages": 1}),
    ],
)
def test_traffic_is_expected_of_what_is_declared(root: Path, section: str, traffic: dict[str, int]) -> None:
    assert said(root, expect={section: {"none": traffic}}) == [
        f"IS076 `none` is not declared under `{section}:` → use a name that stands under `{section}:`"
    ]


@pytest.mark.parametrize(
    ("unit", "figures"),
    [
        ("per M input tokens", ["input_tokens"]),
        ("per 1k characters", ["characters"]),
        ("per audio minute", ["audio_minutes"]),
        ("per 512 by 512 tile", ["tiles"]),
        ("per step", ["steps"]),
        ("per MP", ["images"]),
    ],
)
def test_what_a_model_is_priced_by_must_be_expected(root: Path, unit: str, figures: list[str]) -> None:
    stack: dict[str, Any] = {
        "catalog": {"@me/m": {"task": "Text-to-Image", "prices": {unit: 1, "per cached input tokens": 1}}},
        "models": {"m": {"model": "@me/m"}},
        "workers": {"w": {"template": "anything", "compatibility_date": DATE, "models": {"image": "m"}}},
    }
    template(root, "anything", "summary: any\naccepts: { models: [image] }\n")
    other = "characters" if figures == ["input_tokens"] else "input_tokens"
    assert said(root, **stack, expect={"models": {"m": {"requests": 1, other: 1}}}) == [
        f"IS078 `m` is priced {unit}; no such figure is given → give {' and '.join(figures)}"
    ]
    assert said(root, **stack, expect={"models": {"m": {"requests": 1, figures[0]: 1}}}) == []


def test_any_one_figure_of_a_price_will_do(root: Path) -> None:
    template(root, "anything", "summary: any\naccepts: { models: [image] }\n")
    stack: dict[str, Any] = {
        "catalog": {"@me/m": {"task": "Text-to-Image", "prices": {"per step": 1, "per 512 by 512 tile": 1}}},
        "models": {"m": {"model": "@me/m"}},
        "workers": {"w": {"template": "anything", "compatibility_date": DATE, "models": {"image": "m"}}},
    }
    assert said(root, **stack, expect={"models": {"m": {"requests": 1}}}) == [
        "IS078 `m` is priced per step, per 512 by 512 tile; no such figure is given → give steps and tiles"
    ]
    assert said(root, **stack, expect={"models": {"m": {"requests": 1, "tiles": 4}}}) == []


# Models


def test_a_model_is_used_wherever_it_is_named(root: Path) -> None:
    own = {"task": "Text Generation"}
    models = {key: {"model": CHAT} for key in ("chat", "falls", "deep", "routed", "idle")}
    models["chat"]["fallbacks"] = ["falls"]  # type: ignore[assignment]
    models["falls"]["fallbacks"] = ["deep", "chat"]  # type: ignore[assignment]
    models |= {"indexed": {"model": EMBED}, "beside": {"model": EMBED}}
    assert said(
        root,
        catalog={"@me/m": own},
        models=models,
        gateways={"g": {"routes": {"r": {"models": ["routed"]}}}},
        indexes={"i": {"model": "indexed", "beside": {"model": "beside", "generation": 2}}},
        workers={"w": {"template": "talk", "compatibility_date": DATE, "models": {"chat": "chat"}}},
    ) == ["IS054 model `idle` is used nowhere → remove it, or use it in a Worker"]


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ({"gateway": "g", "route": "answer"}, []),
        ({"gateway": "g", "route": "answr"}, ["`answr` is no route of gateway `g`; did you mean `answer`?"]),
        ({"route": "answer"}, ["`route: answer` without a gateway"]),
    ],
)
def test_a_route_is_one_of_the_gateway(root: Path, model: dict[str, str], wanted: list[str]) -> None:
    models = {"c": {"model": CHAT, **model}, "d": {"model": CHAT}}
    gateways = {"g": {"routes": {"answer": {"models": ["d", "c"]}}}}
    fix = "name the gateway, and declare the route under its `routes:`"
    assert said(root, models=models, gateways=gateways) == [f"IS083 {text} → {fix}" for text in wanted]


@pytest.mark.parametrize(
    ("provider", "keys", "wanted"),
    [
        ("openai", {"openai": {"secret": "env:PATH"}}, []),
        ("mine", {}, []),
        ("workers-ai", {}, []),
        (
            "openai",
            {"anthropic": {"secret": "env:PATH"}},
            ["IS082 gateway `g` has no key for `openai` → add `keys: { openai: { secret: env:NAME } }` to it"],
        ),
    ],
)
def test_an_external_model_needs_a_key_of_its_provider(
    root: Path, provider: str, keys: dict[str, Any], wanted: list[str]
) -> None:
    models = {"c": {"model": CHAT, "provider": provider, "gateway": "g"}}
    gateways = {"g": {"keys": keys, "routes": {"r": {"models": ["c"]}}}}
    providers = {"mine": {"base_url": "https://llm.example.com/v1"}}
    assert said(root, models=models, gateways=gateways, providers=providers) == wanted


def test_a_fallback_does_the_same_task(root: Path) -> None:
    gateways = {"g": {"routes": {"r": {"models": ["c"]}}}}

    def of(fallbacks: list[str]) -> list[str]:
        models = {"c": {"model": CHAT, "fallbacks": fallbacks}, "d": {"model": CHAT}, "e": {"model": EMBED}}
        routes = {"g": {"routes": {"r": {"models": ["c", "d", "e"]}}}}
        return said(root, models=models, gateways=routes or gateways)

    assert of(["d"]) == []
    assert of(["d", "c"]) == ["IS085 `c` is its own fallback → name another model"]
    assert of(["e"]) == [
        "IS084 `e` does Text Embeddings, `c` Text Generation → choose a model of the task Text Generation"
    ]


@pytest.mark.parametrize(
    ("max_tokens", "system", "wanted"),
    [
        (3999, None, []),
        (4000, None, ["IS050"]),
        (3999, "1234", []),
        (3999, "12345678", ["IS051"]),
        (3998, "1234567", []),
    ],
)
def test_prompt_and_answer_fit_the_window(root: Path, max_tokens: int, system: str | None, wanted: list[str]) -> None:
    model = {"model": "@me/m", "max_tokens": max_tokens, **({"system": system} if system else {})}
    catalog = {"@me/m": {"task": "Text Generation", "context_window": 4000}}
    gateways = {"g": {"routes": {"r": {"models": ["m"]}}}}
    assert codes(root, catalog=catalog, models={"m": model}, gateways=gateways) == wanted


def test_the_window_is_that_of_text_generation(root: Path) -> None:
    catalog = {"@me/m": {"task": "Translation", "context_window": 100}}
    gateways = {"g": {"routes": {"r": {"models": ["m"]}}}}
    assert codes(root, catalog=catalog, models={"m": {"model": "@me/m"}}, gateways=gateways) == []


@pytest.mark.parametrize(
    ("of_model", "of_index", "wanted"),
    [
        (768, None, []),
        (768, 768, []),
        (768, 767, ["IS045"]),
        (None, 512, []),
        (None, None, ["IS079"]),
        (1536, None, []),
        (1537, None, ["IS046"]),
    ],
)
def test_an_index_is_as_long_as_its_model_s_vectors(
    root: Path, of_model: int | None, of_index: int | None, wanted: list[str]
) -> None:
    own = {"task": "Text Embeddings", **({"dimensions": of_model} if of_model else {})}
    index = {"model": "m", **({"dimensions": of_index} if of_index else {})}
    stack = {"catalog": {"@me/m": own}, "models": {"m": {"model": "@me/m"}}, "indexes": {"i": index}}
    assert codes(root, **stack) == wanted
    if not wanted:
        assert load_stack("s", root).dimensions_of("i") == (of_index or of_model)


def test_an_index_of_one_s_own_vectors_has_the_length_that_is_given(root: Path) -> None:
    assert codes(root, indexes={"i": {"dimensions": 5}}) == []
    assert load_stack("s", root).dimensions_of("i") == 5


def test_the_model_of_a_generation_beside_makes_embeddings_too(root: Path) -> None:
    models = {"e": {"model": EMBED}, "c": {"model": CHAT}}
    [entry] = found(root, models=models, indexes={"i": {"model": "e", "beside": {"model": "c", "generation": 2}}})
    assert entry["message"] == f"`{CHAT}` makes no embeddings, its task is Text Generation"
    assert (root / "stacks" / "s.yaml").read_text().splitlines()[entry["line"] - 1].strip() == "model: c"


@pytest.mark.parametrize(("fields", "wanted"), [(10, []), (11, ["IS070"])])
def test_ten_metadata_indexes_and_no_more(root: Path, fields: int, wanted: list[str]) -> None:
    metadata = {f"f{number}": "string" for number in range(fields)}
    assert codes(root, indexes={"i": {"dimensions": 3, "metadata": metadata}}) == wanted


@pytest.mark.parametrize(("plan", "wanted"), [("free", ["IS053"]), ("paid", [])])
def test_some_models_are_for_the_paid_plan(root: Path, plan: str, wanted: list[str]) -> None:
    catalog = {"@me/m": {"task": "Text Generation", "paid_plan_only": True}}
    gateways = {"g": {"routes": {"r": {"models": ["m"]}}}}
    stack = {"catalog": catalog, "models": {"m": {"model": "@me/m"}}, "gateways": gateways}
    assert codes(root, **stack, expect={"plan": plan}) == wanted


@pytest.mark.parametrize(
    ("target", "severity", "tail"),
    [("cloudflare", "error", ""), ("local", "warning", "; on the local Cloudflare it still runs")],
)
def test_a_removed_model_still_runs_on_the_local_cloudflare(root: Path, target: str, severity: str, tail: str) -> None:
    name = "@cf/meta/llama-3.1-8b-instruct"
    gateways = {"g": {"routes": {"r": {"models": ["m"]}}}}
    [entry] = found(root, target=target, account=ACCOUNT, models={"m": {"model": name}}, gateways=gateways)
    assert (entry["code"], entry["severity"]) == ("IS047", severity)
    assert entry["message"].startswith(f"Cloudflare removed `{name}` (")
    assert entry["message"].endswith(f"){tail}")
    assert entry["fix"].startswith("take a live model, such as `@cf/")
