"""The checks at their edges: what is just right, what is just wrong, and the words that depend on the case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferstack.author.check import check
from inferstack.config import load_stack
from tests.config.cases import TEMPLATES

ACCOUNT = "0123456789abcdef0123456789abcdef"
DATE = "2026-06-01"
CHAT = "@cf/meta/llama-3.2-3b-instruct"
EMBED = "@cf/baai/bge-base-en-v1.5"
PLAIN = {"template": "plain", "compatibility_date": DATE}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    for name, text in TEMPLATES.items():
        (tmp_path / "templates" / name).mkdir(parents=True)
        (tmp_path / "templates" / name / "template.yaml").write_text(text)
    return tmp_path


def template(root: Path, name: str, text: str) -> None:
    (root / "templates" / name).mkdir(exist_ok=True)
    (root / "templates" / name / "template.yaml").write_text(text)


def found(root: Path, **stack: Any) -> list[dict[str, Any]]:
    (root / "stacks" / "s.yaml").write_text(
        yaml.safe_dump({"environment": "x", "target": "local", **stack}, sort_keys=False)
    )
    entries: list[dict[str, Any]] = json.loads(check(["s"], root).show("json"))
    return entries


def codes(root: Path, **stack: Any) -> list[str]:
    return [entry["code"] for entry in found(root, **stack)]


def said(root: Path, **stack: Any) -> list[str]:
    return [f"{entry['code']} {entry['message']} → {entry['fix']}" for entry in found(root, **stack)]


def worker(root: Path, **parts: Any) -> list[str]:
    """What is said of a stack with one Worker."""
    return said(root, workers={"w": {**PLAIN, **parts}})


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


# Gateways and queues


@pytest.mark.parametrize(("ttl", "wanted"), [(0, []), (1, ["IS069"]), (59, ["IS069"]), (60, [])])
def test_answers_are_kept_for_a_minute_at_least(root: Path, ttl: int, wanted: list[str]) -> None:
    assert codes(root, gateways={"g": {"cache_ttl": ttl}}) == wanted


@pytest.mark.parametrize(("share", "wanted"), [(49, []), (50, ["IS043"])])
def test_shares_leave_something_for_the_models(root: Path, share: int, wanted: list[str]) -> None:
    route = {"models": ["c"], "split": [{"percent": share, "model": "c"}, {"percent": 50, "model": "c"}]}
    assert codes(root, models={"c": {"model": CHAT}}, gateways={"g": {"routes": {"r": route}}}) == wanted


@pytest.mark.parametrize(
    ("target", "address", "wanted"),
    [
        ("cloudflare", "https://llm.example.com/v1", []),
        ("cloudflare", "http://llm.example.com/v1", ["IS100"]),
        ("local", "http://127.0.0.1:9/v1", []),
    ],
)
def test_cloudflare_calls_providers_over_https(root: Path, target: str, address: str, wanted: list[str]) -> None:
    assert codes(root, target=target, account=ACCOUNT, providers={"llm": {"base_url": address}}) == wanted


def test_dead_letters_end_somewhere(root: Path) -> None:
    reader = {"w": {"template": "eats", "compatibility_date": DATE}}

    def of(**after: str | None) -> list[str]:
        queues: dict[str, Any] = {
            key: {"consumer": {"worker": "w", **({"dead_letter": to} if to else {})}} for key, to in after.items()
        }
        queues["end"] = {}
        return codes(root, workers=reader, queues=queues)

    assert of(a="end") == []
    assert of(a="b", b="c", c="end") == []
    assert of(a="b", b="c", c="a", d="end") == ["IS067", "IS067", "IS067"]
    assert of(a="b", b="b", d="end") == ["IS066"]
    assert of(a=None) == ["IS065"]


def test_a_queue_goes_to_whoever_handles_it(root: Path) -> None:
    (root / "w.js").write_text("export default {};\n")
    queues = {"q": {"consumer": {"worker": "w"}}}
    assert said(root, workers={"w": PLAIN}, queues=queues) == [
        "IS068 template `plain` of Worker `w` handles no queue → name a Worker whose template does"
    ]
    assert said(root, workers={"w": {"source": "w.js", "compatibility_date": DATE}}, queues=queues) == []
    assert said(root, queues=queues) == ["IS040 `w` is not declared under `workers:` → declare it under `workers:`"]


# Workers


@pytest.mark.parametrize(("size", "wanted"), [(2500, []), (2501, ["IS063"])])
def test_a_variable_holds_so_many_bytes(root: Path, size: int, wanted: list[str]) -> None:
    assert codes(root, workers={"w": {**PLAIN, "vars": {"A": "é" * size}}}) == wanted


@pytest.mark.parametrize(("count", "wanted"), [(127, []), (128, ["IS064"])])
def test_a_worker_has_so_many_variables_and_secrets(root: Path, count: int, wanted: list[str]) -> None:
    names = {f"V{number}": "x" for number in range(count)}
    assert codes(root, workers={"w": {**PLAIN, "vars": names, "secrets": {"A": "env:PATH"}}}) == wanted


def test_a_name_of_env_is_taken_once(root: Path) -> None:
    taken = {"vars": {"A": "x"}, "secrets": {"A": "env:PATH"}}
    fix = "rename one of them"
    assert worker(root, **taken) == [f"IS055 `A` stands under `vars` and under `secrets`; both are `env.A` → {fix}"]
    template(root, "asked", "summary: asks\nneeds: { bindings: { A: ai } }\n")
    assert worker(root, template="asked", bindings={"A": {"ai": True}}, vars={"A": "x"}) == [
        f"IS055 `A` stands under `bindings` and under `vars`; both are `env.A` → {fix}"
    ]


def test_own_code_is_checked_for_its_entry_and_takes_no_template_s_keys(root: Path) -> None:
    (root / "code.js").write_text("export default {};\n")
    (root / "empty").mkdir()
    own = {"w": {"source": "code.js", "compatibility_date": DATE}}
    assert said(root, workers=own) == []
    models = {"c": {"model": CHAT}}
    tail = "goes into templates; this Worker has code of its own → use `vars` or `bindings`"
    assert said(root, models=models, workers={"w": {**own["w"], "models": {"chat": "c"}}}) == [f"IS087 `models` {tail}"]
    assert said(root, workers={"w": {**own["w"], "options": {"a": 1}}}) == [f"IS087 `options` {tail}"]
    assert said(root, workers={"w": {**own["w"], "source": "empty"}}) == [
        "IS086 `empty` holds no code that a Worker can start with → name the entry file, such as src/index.ts"
    ]
    assert said(root, workers={"w": {**own["w"], "source": "../code.js"}}) == [
        "IS017 the path `../code.js` leaves the project → name a path of the project"
    ]


def test_a_check_needs_a_token_whose_value_can_be_read(root: Path) -> None:
    def of(secret: str, **more: Any) -> list[str]:
        rollout = {"checks": [{"request": "GET /", "token": "KEY"}]}
        return said(root, workers={"w": {**PLAIN, "secrets": {"KEY": secret}, "rollout": rollout}}, **more)

    assert of("env:PATH") == []
    assert of("store:key", secrets_store={"key": "env:PATH"}) == []
    assert of("store:key") == [
        "IS099 the check needs the value of `KEY`, and only the account's Secrets Store has it"
        " → declare the secret under `secrets_store:`, or check a request that needs no token"
    ]
    smoke = [{"request": "GET /"}, {"request": "GET /", "token": "KYE"}]
    assert worker(root, secrets={"KEY": "env:PATH"}, smoke=smoke) == [
        "IS091 `KYE` is no secret of this Worker; did you mean `KEY`? → name one of its `secrets:`"
    ]


def test_a_rollout_of_own_code_says_what_it_must_answer(root: Path) -> None:
    (root / "w.js").write_text("export default {};\n")
    checks = [{"request": "GET /"}]

    def of(**parts: Any) -> list[str]:
        return codes(root, workers={"w": {"source": "w.js", "compatibility_date": DATE, **parts}})

    assert of(rollout={"hold": "1m"}) == ["IS092"]
    assert of(rollout={"hold": "1m", "checks": checks}) == []
    assert of(rollout={"hold": "1m"}, smoke=checks) == []
    assert codes(root, workers={"w": {**PLAIN, "rollout": {"hold": "1m"}}}) == []


def test_a_template_gets_what_it_needs_and_nothing_else(root: Path) -> None:
    template(
        root,
        "wants",
        "needs: { models: [chat], bindings: { AI: ai, DOCS: index }, secrets: [API_TOKEN, KEY] }\n"
        "accepts: { models: [guard], bindings: { CACHE: namespace } }\noptions: { auth: key }\n",
    )
    stack: dict[str, Any] = {
        "models": {"c": {"model": CHAT}},
        "gateways": {"g": {"routes": {"r": {"models": ["c"]}}}},
        "indexes": {"i": {"dimensions": 3}},
        "buckets": {"b": {}},
        "namespaces": {"n": {}},
    }
    full: dict[str, Any] = {
        "models": {"chat": "c"},
        "bindings": {"AI": {"ai": True}, "DOCS": {"index": "i"}},
        "secrets": {"API_TOKEN": "env:PATH", "KEY": "env:PATH"},
    }

    def of(**parts: Any) -> list[str]:
        return said(root, **stack, workers={"w": {**PLAIN, "template": "wants", **full, **parts}})

    of_wants = "template `wants`"
    assert of() == []
    assert of(models={"chat": "c", "guard": "c"}) == []
    assert of(models={}) == [
        f"IS056 {of_wants} needs a model for `chat` → add `models: {{ chat: <a name under models:> }}`"
    ]
    assert of(models={"chat": "c", "gard": "c"}) == [
        f"IS090 {of_wants} calls no model `gard`; did you mean `guard`? → one of: chat, guard"
    ]
    assert of(bindings={}) == [
        f"IS057 {of_wants} needs a binding `AI` of kind `ai` → add `AI: {{ ai: true }}` under its `bindings:`",
        f"IS057 {of_wants} needs a binding `DOCS` of kind `index` → add `DOCS: {{ index: … }}` under its `bindings:`",
    ]
    assert of(bindings={**full["bindings"], "DOCS": {"bucket": "b"}}) == [
        f"IS057 {of_wants} needs a binding `DOCS` of kind `index` → add `DOCS: {{ index: … }}` under its `bindings:`"
    ]
    assert of(bindings={**full["bindings"], "CACHE": {"namespace": "n"}}) == []
    assert of(bindings={**full["bindings"], "CACHE": {"bucket": "b"}}) == [
        f"IS057 {of_wants} reads `CACHE` as `namespace` → `namespace:`"
    ]
    assert of(bindings={**full["bindings"], "OTHER": {"bucket": "b"}}) == [
        f"IS060 {of_wants} does not read the binding `OTHER` → remove it"
    ]
    lacks = [
        f"IS058 {of_wants} needs the secret `{name}` → add `{name}: env:NAME` (or file:, config:) under its `secrets:`"
        for name in ("API_TOKEN", "KEY")
    ]
    assert of(secrets={}) == lacks
    assert of(secrets={}, options={"auth": "key"}) == lacks
    assert of(secrets={}, options={"auth": "none"}) == lacks[1:]


def test_roles_of_any_name_are_for_templates_that_take_them(root: Path) -> None:
    template(root, "open", "any_models: Text Generation\n")
    stack: dict[str, Any] = {"models": {"c": {"model": CHAT}, "e": {"model": EMBED}}}
    parts = {**PLAIN, "template": "open"}
    assert said(root, **stack, indexes={"i": {"model": "e"}}, workers={"w": {**parts, "models": {"mine": "c"}}}) == []
    assert said(root, **stack, workers={"w": {**parts, "models": {"mine": "c", "other": "e"}}}) == [
        f"IS049 the template calls `other` for Text Generation; `{EMBED}` does Text Embeddings"
        " → choose a model of the task Text Generation"
    ]
    assert said(root, models={"c": {"model": CHAT}}, workers={"w": {**PLAIN, "models": {"mine": "c"}}}) == [
        "IS090 template `plain` calls no model `mine` → one of: none"
    ]


@pytest.mark.parametrize(
    ("role", "task"),
    [
        ("chat", "Text Generation"),
        ("guard", "Text Generation"),
        ("embedding", "Text Embeddings"),
        ("reranker", "Text Classification"),
        ("classifier", "Text Classification"),
        ("image", "Text-to-Image"),
        ("vision", "Image-to-Text"),
        ("speech", "Automatic Speech Recognition"),
        ("voice", "Text-to-Speech"),
        ("translation", "Translation"),
        ("whatever", "Summarization"),
    ],
)
def test_a_role_is_played_by_a_model_of_its_task(root: Path, role: str, task: str) -> None:
    template(root, "roles", f"accepts: {{ models: [{role}] }}\n")
    workers = {"w": {**PLAIN, "template": "roles", "models": {role: "m"}}}

    def of(task: str, **more: bool) -> list[str]:
        return codes(root, catalog={"@me/m": {"task": task, **more}}, models={"m": {"model": "@me/m"}}, workers=workers)

    assert of(task) == []
    assert of("Object Detection") == ([] if role == "whatever" else ["IS049"])
    if role == "vision":  # a chat model that reads images will do, too
        assert of("Text Generation", vision=True) == []
        assert of("Text Generation", vision=False) == ["IS049"]


@pytest.mark.parametrize(
    ("word", "has", "words", "flag"),
    [
        ("json", {"json_mode": "bare"}, "answer in JSON that fits a schema", "--json-mode"),
        ("tools", {"function_calling": True}, "call functions", "--tools"),
        ("vision", {"vision": True}, "read images", "--vision"),
        ("batch", {"batch": True}, "run in asynchronous batches", "--batch"),
    ],
)
@pytest.mark.parametrize("conditional", [False, True])
def test_a_model_can_what_its_template_relies_on(
    root: Path, word: str, has: dict[str, Any], words: str, flag: str, conditional: bool
) -> None:
    abilities = f"{{ chat: [{word}] }}"
    text = f"abilities_if: {{ much: {abilities} }}\n" if conditional else f"abilities: {abilities}\n"
    template(root, "able", f"accepts: {{ models: [chat] }}\noptions: {{ much: {{ default: false }} }}\n{text}")

    def of(model: dict[str, Any], **options: bool) -> list[str]:
        workers = {"w": {**PLAIN, "template": "able", "models": {"chat": "m"}, "options": options}}
        catalog = {"@me/m": {"task": "Text Generation", **model}}
        return said(root, catalog=catalog, models={"m": {"model": "@me/m"}}, workers=workers)

    lacks = (
        f"IS089 `@me/m` is not known to {words}, which template `able` relies on"
        f" → choose one that can (`inferstack models {flag}`)"
    )
    assert of(has, much=True) == []
    assert of({}, much=True) == [lacks]
    assert of({}, much=False) == ([] if conditional else [lacks])


@pytest.mark.parametrize(("streams", "streaming", "wanted"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_who_streams_needs_a_model_that_does(root: Path, streams: bool, streaming: bool, wanted: int) -> None:
    template(root, "streaming", f"streams: {str(streams).lower()}\nneeds: {{ models: [chat, guard] }}\n")
    catalog = {"@me/m": {"task": "Text Generation", "streaming": streaming}}
    workers = {"w": {**PLAIN, "template": "streaming", "models": {"chat": "m", "guard": "m"}}}
    assert codes(root, catalog=catalog, models={"m": {"model": "@me/m"}}, workers=workers) == ["IS052"] * wanted


def test_a_circle_of_calls_is_found_and_a_chain_is_none(root: Path) -> None:
    def of(**calls: str) -> list[str]:
        workers: dict[str, Any] = {
            key: {"template": "calls", "compatibility_date": DATE, "bindings": {"NEXT": {"service": to}}}
            for key, to in calls.items()
        }
        return [entry["message"] for entry in found(root, workers={**workers, "end": PLAIN})]

    assert of(a="b", b="end") == []
    assert of(a="a") == ["Worker `a` calls `a`, which calls `a` again"]
    assert of(a="b", b="c", c="a", d="a") == [
        f"Worker `{one}` calls `{two}`, which calls `{one}` again" for one, two in ("ab", "bc", "ca")
    ]


OPTIONS = (
    "options: { words: { default: 4 }, share: { default: 0.5 }, tone: { default: dry, choices: [dry, warm] },"
    " loud: { default: true }, names: { default: [a] }, table: { default: {} }, free: { default: null } }\n"
)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"words": 5, "share": 1, "tone": "warm", "loud": False, "names": [], "table": {"a": 1}, "free": [1]}, []),
        ({"words": 5.5, "share": 0.1}, []),
        ({"words": "4"}, ["IS088 option `words` is a number → such as 4"]),
        ({"words": True}, ["IS088 option `words` is a number → such as 4"]),
        ({"share": "much"}, ["IS088 option `share` is a number → such as 0.5"]),
        ({"loud": 1}, ["IS088 option `loud` is true or false → such as True"]),
        ({"names": "a"}, ["IS088 option `names` is a list → such as ['a']"]),
        ({"table": []}, ["IS088 option `table` is a mapping → such as {}"]),
        ({"tone": "worm"}, ["IS024 `worm` is not one of dry, warm; did you mean `warm`? → choose one of them"]),
        ({"free_file": "there.json"}, []),
        ({"free_file": "none.json"}, ["IS080 there is no file `none.json` → create it, or correct the path"]),
        ({"free_file": "../x"}, ["IS017 the path `../x` leaves the project → name a file of the project"]),
        (
            {"wrods": 1},
            [
                "IS059 template `mine` has no option `wrods`; did you mean `words`?"
                " → one of: words, share, tone, loud, names, table, free"
            ],
        ),
    ],
)
def test_options_are_of_the_kind_of_their_defaults(root: Path, options: dict[str, Any], wanted: list[str]) -> None:
    template(root, "mine", OPTIONS)
    (root / "there.json").write_text("{}")
    assert worker(root, template="mine", options=options) == wanted


def test_a_text_s_kind_is_named_and_a_template_may_have_no_options(root: Path) -> None:
    template(root, "mine", "options: { tone: dry }\n")
    assert worker(root, template="mine", options={"tone": 5}) == ["IS088 option `tone` is text → such as 'dry'"]
    assert worker(root, options={"tone": 5}) == [
        "IS059 template `plain` has no option `tone` → remove it: the template has none"
    ]


SCHEMAS: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({"type": "string"}, "x", []),
    ({"type": "string"}, 5, ["IS023 option `a` must be text → give text"]),
    ({"type": "integer"}, 5, []),
    ({"type": "integer"}, 5.5, ["IS023 option `a` must be a whole number → give a whole number"]),
    ({"type": "integer"}, True, ["IS023 option `a` must be a whole number → give a whole number"]),
    ({"type": "number"}, 5.5, []),
    ({"type": "number"}, 5, []),
    ({"type": "number"}, float("inf"), ["IS023 option `a` must be a number → give a number"]),
    ({"type": "number"}, "5", ["IS023 option `a` must be a number → give a number"]),
    ({"type": "boolean"}, False, []),
    ({"type": "boolean"}, 0, ["IS023 option `a` must be true or false → give true or false"]),
    ({"type": "array"}, {}, ["IS023 option `a` must be a list → give a list"]),
    ({"type": "object"}, [], ["IS023 option `a` must be a mapping → give a mapping"]),
    ({"enum": ["dry", 5]}, 5, []),
    ({"enum": ["dry", 5]}, "dri", ["IS024 option `a` cannot be `dri`; did you mean `dry`? → one of: dry, 5"]),
    ({"items": {"type": "integer"}}, [1, "x"], ["IS023 option `a.1` must be a whole number → give a whole number"]),
    ({}, [1, "x"], []),
    ({"minLength": 2}, "xx", []),
    ({"minLength": 2}, "x ", ["IS028 option `a` is empty → give at least one sign"]),
    ({"pattern": "[a-z]+"}, "word", []),
    ({"pattern": "[a-z]+"}, "word5", ["IS027 option `a` is `word5`, which does not fit → text of the form [a-z]+"]),
    ({"pattern": "[a-z]+", "such": "letters"}, "5", ["IS027 option `a` is `5`, which does not fit → letters"]),
    ({"minimum": 2, "maximum": 4}, 2, []),
    ({"minimum": 2, "maximum": 4}, 4, []),
    ({"minimum": 2, "maximum": 4}, 1, ["IS025 option `a` is `1`; it must be at least 2 → give at least 2"]),
    ({"minimum": 2, "maximum": 4}, 4.5, ["IS026 option `a` is `4.5`; it must be at most 4 → give at most 4"]),
    ({"maximum": 0}, True, []),
    ({"properties": {"k": {"type": "string"}}}, {"k": "x", "other": 5}, []),
    ({"properties": {"k": {"type": "string"}}}, {"k": 5}, ["IS023 option `a.k` must be text → give text"]),
    ({"required": ["k"]}, {}, ["IS022 `a.k` is missing → add `k:` under `a:`"]),
    (
        {"properties": {"key": {}, "more": {}}, "additionalProperties": False},
        {"kye": 5},
        ["IS021 option `a` has no key `kye`; did you mean `key`? → one of: key, more"],
    ),
    (
        {"additionalProperties": {"minimum": 1}},
        {"x": 0},
        ["IS025 option `a.x` is `0`; it must be at least 1 → give at least 1"],
    ),
    ({"additionalProperties": True}, {"x": 0}, []),
]


@pytest.mark.parametrize(("schema", "value", "wanted"), SCHEMAS)
def test_an_option_fits_its_schema(root: Path, schema: dict[str, Any], value: Any, wanted: list[str]) -> None:
    template(root, "mine", yaml.safe_dump({"options": {"a": {"default": None, "schema": schema}}}))
    assert worker(root, template="mine", options={"a": value}) == wanted


JWT = {"jwks_url": "https://id.example/jwks", "issuer": "a", "audience": "b"}


@pytest.mark.parametrize(
    ("jwt", "wanted"),
    [
        (JWT, []),
        (None, ["IS101"]),
        ({**JWT, "jwks_url": "http://localhost:9/jwks"}, []),
        ({**JWT, "jwks_url": "http://127.0.0.1/jwks"}, []),
        ({**JWT, "jwks_url": "http://[::1]:9/jwks"}, []),
        ({**JWT, "jwks_url": "http://id.example/jwks"}, ["IS103"]),
        ({**JWT, "jwks_url": "ftp://localhost/jwks"}, ["IS103"]),
        ({**JWT, "jwks_url": "https:///jwks"}, ["IS103"]),
        ({**JWT, "jwks_url": "https://[::1/jwks"}, ["IS103"]),
        ({"jwks_url": JWT["jwks_url"], "issuer": "a"}, ["IS102"]),
        ({"jwks_url": JWT["jwks_url"]}, ["IS102", "IS102"]),
    ],
)
def test_tokens_are_those_of_one_issuer_for_this_worker(root: Path, jwt: Any, wanted: list[str]) -> None:
    options = {"auth": "jwt", **({"jwt": jwt} if jwt else {})}
    assert codes(root, workers={"w": {**PLAIN, "template": "framed", "options": options}}) == wanted


def test_what_is_good_without_issuer_or_audience_is_said(root: Path) -> None:
    options = {"auth": "jwt", "jwt": {"jwks_url": JWT["jwks_url"]}}
    assert worker(root, template="framed", options=options) == [
        "IS102 without `jwt.audience`, tokens made for any other service of the issuer are good here, too"
        " → add `audience:`, as the tokens' `aud` says",
        "IS102 without `jwt.issuer`, tokens made by any issuer with that key are good here, too"
        " → add `issuer:`, as the tokens' `iss` says",
    ]


# Policies


def test_a_rule_is_an_error_in_production_or_where_it_is_wished(root: Path) -> None:
    (root / "w.js").write_text("export default {};\n")
    public = {"w": {**PLAIN, "template": "framed", "options": {"auth": "none"}}}

    def of(**more: Any) -> list[tuple[str, str]]:
        return [(entry["code"], entry["severity"]) for entry in found(root, workers=public, **more)]

    assert of() == []
    assert of(production=True) == [("IS093", "error")]
    assert of(policies={"severity": {"public-worker": "warning"}}) == [("IS093", "warning")]
    assert of(production=True, policies={"severity": {"public-worker": "off"}}) == []
    excepted = {"resource": "workers.w", "owner": "ops", "reason": "a demonstration", "expires": "2999-01-01"}
    for rule, found_now in (("public-worker", []), ("protect", [("IS093", "error")])):
        assert of(production=True, policies={"exceptions": [{"rule": rule, **excepted}]}) == found_now
    other = {"rule": "public-worker", **excepted, "resource": "workers.other"}
    assert of(production=True, policies={"exceptions": [other]}) == [("IS093", "error")]


@pytest.mark.parametrize(
    ("rule", "resource", "code"),
    [
        ("public-worker", "workers.w", "IS093"),
        ("private-logs", "gateways.g", "IS094"),
        ("shared-cache", "gateways.g", "IS095"),
        ("pinned-model", "models.c", "IS096"),
        ("jurisdiction", "buckets.b", "IS097"),
        ("protect", "protect", "IS072"),
    ],
)
def test_one_resource_is_excepted_from_one_rule(root: Path, rule: str, resource: str, code: str) -> None:
    template(root, "rag", "service: true\nneeds: { models: [chat] }\n")
    options = {"auth": "jwt", "jwt": {**JWT, "tenant_claim": "org"}}
    stack: dict[str, Any] = {
        "production": True,
        "protect": False,
        "models": {"c": {"model": "gpt-4o", "provider": "openai", "gateway": "g"}},
        "gateways": {"g": {"cache_ttl": 60, "keys": {"openai": {"secret": "env:PATH"}}}},
        "buckets": {"b": {}},
        "workers": {"w": {**PLAIN, "template": "rag", "models": {"chat": "c"}, "options": options}},
    }
    wishes: dict[str, Any] = {"private_data": True, "jurisdiction": "eu"}
    exception = {"rule": rule, "resource": resource, "owner": "ops", "expires": "2999-01-01", "reason": "a test"}
    before = codes(root, **stack, policies=wishes)
    assert sorted(before) == ["IS072", "IS093", "IS094", "IS095", "IS096", "IS097"]
    after = codes(root, **stack, policies={**wishes, "exceptions": [exception]})
    assert after == [other for other in before if other != code]


def test_private_data_is_not_kept_in_logs(root: Path) -> None:
    for private, logs, wanted in ((True, True, ["IS094"]), (True, False, []), (False, True, [])):
        policies = {"private_data": private}
        assert codes(root, policies=policies, gateways={"g": {"collect_logs": logs}}) == wanted


@pytest.mark.parametrize("section", ["databases", "buckets"])
def test_data_stays_in_its_jurisdiction(root: Path, section: str) -> None:
    policies = {"jurisdiction": "eu"}
    assert codes(root, policies=policies, **{section: {"d": {"jurisdiction": "eu"}}}) == []
    for held in ({}, {"jurisdiction": "us"}):
        assert said(root, policies=policies, **{section: {"d": held}}) == [
            f"IS097 {section}.d is not bound to the jurisdiction `eu`"
            " → set `jurisdiction: eu`; an existing one must be made anew"
        ]


@pytest.mark.parametrize(
    ("section", "entry"), [("databases", {}), ("indexes", {"dimensions": 3}), ("buckets", {}), ("namespaces", {})]
)
def test_data_of_production_is_protected(root: Path, section: str, entry: dict[str, Any]) -> None:
    held = {section: {"d": entry}}
    assert codes(root, production=True, **held) == []
    assert said(root, production=True, protect=False, **held) == [
        f"IS072 {section}.d can be deleted by one command → remove `protect: false`, or set `protect: true`"
    ]
    assert codes(root, production=True, protect=False) == []


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("gpt-4o-2024-08-06", []),
        ("claude-20240620", []),
        ("gpt-4-0613", []),
        ("gemini-pro-001", []),
        ("llama@2", []),
        ("gpt-4o", ["IS096"]),
        ("gpt-4-06135", ["IS096"]),
    ],
)
def test_models_of_others_are_pinned_in_production(root: Path, model: str, wanted: list[str]) -> None:
    gateways = {"g": {"keys": {"openai": {"secret": "env:PATH"}}, "routes": {"r": {"models": ["m"]}}}}
    models = {"m": {"model": model, "provider": "openai", "gateway": "g"}}
    assert codes(root, production=True, models=models, gateways=gateways) == wanted


def test_tenants_share_no_cache(root: Path) -> None:
    template(root, "tenants", "service: true\nneeds: { models: [chat] }\n")

    def of(ttl: int = 60, claim: str = "org", gateway: str = "g") -> list[str]:
        models = {"c": {"model": CHAT, "gateway": gateway}}
        jwt = {**JWT, **({"tenant_claim": claim} if claim else {})}
        workers = {
            "w": {**PLAIN, "template": "tenants", "models": {"chat": "c"}, "options": {"auth": "jwt", "jwt": jwt}}
        }
        gateways = {"g": {"cache_ttl": ttl}, "h": {}}
        return said(root, production=True, models=models, gateways=gateways, workers=workers)

    assert of() == [
        "IS095 gateway `g` keeps answers for all tenants of Worker `w` together"
        " → set `cache_ttl: 0`: the gateway's key does not know tenants"
    ]
    assert of(ttl=0) == of(claim="") == of(gateway="h") == []


def test_an_exception_ends(root: Path) -> None:
    exception = {"rule": "protect", "resource": "protect", "owner": "ops", "reason": "a demonstration"}
    for day, wanted in (("2020-01-01", 1), ("2999-01-01", 0)):
        ended = "the exception of protect from protect ended on 2020-01-01 → mend it, or let ops renew it"
        policies = {"exceptions": [{**exception, "expires": day}]}
        assert said(root, policies=policies) == [f"IS098 {ended}"] * wanted


# References


def test_every_name_is_declared(root: Path) -> None:
    def of(**stack: Any) -> list[str]:
        return [entry["message"] for entry in found(root, **stack) if "not declared" in entry["message"]]

    models = {"c": {"model": CHAT}, "cc": {"model": CHAT}}
    route = {
        "models": ["m1"],
        "conditions": [{"metadata": {"a": "b"}, "models": ["c", "m2"]}],
        "limits": [{"by": "a", "interval": 1, "requests": 1, "models": ["m3"]}],
        "split": [{"percent": 1, "model": "m4"}],
    }
    none = "is not declared under"
    assert of(models=models, gateways={"g": {"routes": {"r": route}}}) == [
        f"`{name}` {none} `models:`" for name in ("m1", "m2", "m3", "m4")
    ]
    assert of(models={"c": {"model": CHAT, "fallbacks": ["c", "x"], "gateway": "y"}}) == [
        f"`x` {none} `models:`",
        f"`y` {none} `gateways:`",
    ]
    assert of(indexes={"i": {"model": "x", "beside": {"model": "y", "generation": 2}}}) == [
        f"`x` {none} `models:`",
        f"`y` {none} `models:`",
    ]
    assert of(queues={"q": {"consumer": {"worker": "x", "dead_letter": "y"}}}) == [
        f"`x` {none} `workers:`",
        f"`y` {none} `queues:`",
    ]
    kinds = {"index": "indexes", "database": "databases", "bucket": "buckets", "namespace": "namespaces"}
    for kind, section in {**kinds, "queue": "queues", "service": "workers"}.items():
        bound = {"w": {**PLAIN, "bindings": {"B": {kind: "x"}}}}
        assert of(workers=bound) == [f"`x` {none} `{section}:`"]
    assert of(workers={"w": {**PLAIN, "models": {"chat": "x"}}}) == [f"`x` {none} `models:`"]
    assert of(models=models, workers={"w": {**PLAIN, "models": {"chat": "c"}}}) == []


def test_a_model_of_workers_ai_is_in_the_catalogue(root: Path) -> None:
    gateways = {"g": {"keys": {"openai": {"secret": "env:PATH"}}, "routes": {"r": {"models": ["m"]}}}}
    near = "; did you mean `@me/model`? → name a model of the catalogue (`inferstack models`)"
    catalog = {"@me/model": {"task": "Text Generation"}}
    stack: dict[str, Any] = {"gateways": gateways, "catalog": catalog}
    assert said(root, **stack, models={"m": {"model": "@me/modle"}}) == [f"IS032 there is no model `@me/modle`{near}"]
    assert said(root, **stack, models={"m": {"model": "@me/model"}}) == []
    assert said(root, **stack, models={"m": {"model": "@me/modle", "provider": "openai", "gateway": "g"}}) == []


def test_paths_are_inside_the_project_and_there(root: Path) -> None:
    for name in ("there", "linked"):
        (root / name).mkdir()
    (root / "there" / "0001.sql").write_text("SELECT 1;\n")
    (root / "there" / "notes").symlink_to("/etc")
    (root / "linked" / "0001.sql").symlink_to("/etc/hostname")
    (root / "prompt.md").write_text("be brief")
    gateways = {"g": {"routes": {"r": {"models": ["m"]}}}}

    def of(system_file: str, migrations: str) -> list[str]:
        models = {"m": {"model": CHAT, "system_file": system_file}}
        return said(root, models=models, gateways=gateways, databases={"d": {"migrations": migrations}})

    assert of("prompt.md", "there") == []
    assert of("none.md", "none") == [
        "IS080 there is no file `none.md` → create it, or correct the path",
        "IS042 there is no folder `none` → create it, or correct the path",
    ]
    assert of("../prompt.md", "..") == [
        "IS017 the path `../prompt.md` leaves the project → name a file of the project",
        "IS017 the path `..` leaves the project → name a folder of the project",
    ]
    assert of("there", "linked") == [
        "IS080 there is no file `there` → create it, or correct the path",
        "IS017 the path `linked` leaves the project → name a folder of the project",
    ]
    assert of("prompt.md", "prompt.md") == ["IS042 there is no folder `prompt.md` → create it, or correct the path"]
