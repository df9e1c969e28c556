"""The checks of policies and of names that refer to something, at their edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.asking import CHAT, JWT, PLAIN, codes, found, said, template

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
