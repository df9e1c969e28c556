"""The checks of gateways, queues and Workers at their edges, and the words that depend on the case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.asking import ACCOUNT, CHAT, DATE, EMBED, PLAIN, codes, found, said, template, worker

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


WANTED: dict[str, Any] = {
    "models": {"chat": "c"},
    "bindings": {"AI": {"ai": True}, "DOCS": {"index": "i"}},
    "secrets": {"API_TOKEN": "env:PATH", "KEY": "env:PATH"},
}
OF_WANTS = "template `wants`"


def wanting(root: Path, **parts: Any) -> list[str]:
    """What is said of a Worker whose template wants a model, two bindings and two secrets."""
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
    return said(root, **stack, workers={"w": {**PLAIN, "template": "wants", **WANTED, **parts}})


def test_a_template_gets_the_models_it_needs_and_no_others(root: Path) -> None:
    assert wanting(root) == []
    assert wanting(root, models={"chat": "c", "guard": "c"}) == []
    assert wanting(root, models={}) == [
        f"IS056 {OF_WANTS} needs a model for `chat` → add `models: {{ chat: <a name under models:> }}`"
    ]
    assert wanting(root, models={"chat": "c", "gard": "c"}) == [
        f"IS090 {OF_WANTS} calls no model `gard`; did you mean `guard`? → one of: chat, guard"
    ]


def test_a_template_gets_the_bindings_it_needs_and_no_others(root: Path) -> None:
    bindings = WANTED["bindings"]
    docs = f"IS057 {OF_WANTS} needs a binding `DOCS` of kind `index` → add `DOCS: {{ index: … }}` under its `bindings:`"
    assert wanting(root, bindings={}) == [
        f"IS057 {OF_WANTS} needs a binding `AI` of kind `ai` → add `AI: {{ ai: true }}` under its `bindings:`",
        docs,
    ]
    assert wanting(root, bindings={**bindings, "DOCS": {"bucket": "b"}}) == [docs]
    assert wanting(root, bindings={**bindings, "CACHE": {"namespace": "n"}}) == []
    assert wanting(root, bindings={**bindings, "CACHE": {"bucket": "b"}}) == [
        f"IS057 {OF_WANTS} reads `CACHE` as `namespace` → `namespace:`"
    ]
    assert wanting(root, bindings={**bindings, "OTHER": {"bucket": "b"}}) == [
        f"IS060 {OF_WANTS} does not read the binding `OTHER` → remove it"
    ]


def test_a_template_gets_its_secrets_and_keys_where_it_asks_for_them(root: Path) -> None:
    lacks = [
        f"IS058 {OF_WANTS} needs the secret `{name}` → add `{name}: env:NAME` (or file:, config:) under its `secrets:`"
        for name in ("API_TOKEN", "KEY")
    ]
    assert wanting(root, secrets={}) == lacks
    assert wanting(root, secrets={}, options={"auth": "key"}) == lacks
    assert wanting(root, secrets={}, options={"auth": "none"}) == lacks[1:]


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
    assert of(a="a", b="a") == [], "itself a Worker finds when it runs"
    assert of(a="b", b="c", c="a", d="a") == [
        f"Worker `{one}` calls `{two}`, which calls `{one}` again" for one, two in ("ab", "bc", "ca")
    ]
