"""Options of templates: what is nested is checked like everything else; callers are never told apart by nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config.templates import template_names
from tests.conftest import ROOT

HEAD = "environment: test\ntarget: cloudflare\naccount: 0123456789abcdef0123456789abcdef\n"
JWT = "jwks_url: 'https://id.example/jwks', issuer: 'https://id.example', audience: w"
NAMES = [name for name in template_names(ROOT) if name != "gitops"]


def codes(root: Path, template: str, options: str, head: str = HEAD) -> dict[str, str]:
    """Severity by code, of the findings about the options."""
    (root / "stacks").mkdir(exist_ok=True)
    text = f"{head}workers:\n  w:\n    template: {template}\n    compatibility_date: '2026-06-01'\n    options: {{ {options} }}\n"
    (root / "stacks" / "s.yaml").write_text(text)
    found = json.loads(check(["s"], root).show("json"))
    return {f["code"]: f["severity"] for f in found if f["line"] == text.count("\n") and f["column"] > 4}


@pytest.mark.parametrize("production", ["", "production: true\n"], ids=["", "production"])
@pytest.mark.parametrize("template", NAMES)
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("auth: jwt", "IS101"),
        ("auth: jwt, jwt: {}", "IS022"),
        ("auth: jwt, jwt: { jwks: 'https://id.example/jwks' }", "IS021"),
        ("auth: jwt, jwt: { jwks: 'https://id.example/jwks' }", "IS022"),
        ("auth: jwt, jwt: text", "IS023"),
        ("auth: jwt, jwt: [a]", "IS023"),
        ("auth: jwt, jwt: { jwks_url: 5 }", "IS023"),
        ("auth: jwt, jwt: { jwks_url: '' }", "IS028"),
        (f"auth: jwt, jwt: {{ {JWT}, tenant_claim: [org] }}", "IS023"),
        (f"auth: jwt, jwt: {{ {JWT}, algorithms: [none] }}", "IS021"),
        ("auth: jwt, jwt: { jwks_url: 'http://id.example/jwks', issuer: a, audience: b }", "IS103"),
        ("auth: jwt, jwt: { jwks_url: 'http://localhost.evil.example/jwks', issuer: a, audience: b }", "IS103"),
        ("auth: jwt, jwt: { jwks_url: 'data:application/json,{}', issuer: a, audience: b }", "IS103"),
        ("auth: jwt, jwt: { jwks_url: 'https://', issuer: a, audience: b }", "IS103"),
        ("auth: JWT", "IS024"),
        ("auth: [jwt]", "IS024"),
        ("cors: [5]", "IS023"),
        ("max_body_bytes: 0", "IS025"),
    ],
)
def test_options_that_would_leave_a_worker_open_or_broken_are_errors(
    tmp_path: Path, template: str, options: str, code: str, production: str
) -> None:
    assert codes(tmp_path, template, options, HEAD + production).get(code) == "error"


@pytest.mark.parametrize("missing", ["issuer", "audience"])
def test_production_demands_issuer_and_audience(tmp_path: Path, missing: str) -> None:
    given = ", ".join(part for part in JWT.split(", ") if not part.startswith(missing))
    assert codes(tmp_path, "chat", f"auth: jwt, jwt: {{ {given} }}") == {"IS102": "warning"}
    found = codes(tmp_path, "chat", f"auth: jwt, jwt: {{ {given} }}", HEAD + "production: true\n")
    assert found == {"IS102": "error"}


@pytest.mark.parametrize(
    ("template", "options"),
    [
        ("chat", f"auth: jwt, jwt: {{ {JWT} }}"),
        ("rag", f"auth: jwt, jwt: {{ {JWT}, tenant_claim: org }}, top_k: 1"),
        ("chat", "auth: jwt, jwt: { jwks_url: 'http://127.0.0.1:9/jwks', issuer: a, audience: b }"),
        ("classify", "labels: { lost: a parcel that is lost }"),
    ],
)
def test_what_is_right_is_left_alone(tmp_path: Path, template: str, options: str) -> None:
    assert codes(tmp_path, template, options) == {}


@pytest.mark.parametrize(
    ("template", "options", "code"),
    [
        ("batch", "slice: 0", "IS025"),
        ("batch", "slice: 1.5", "IS023"),
        ("rag", "cache_seconds: 5", "IS025"),
        ("rag", "top_k: .nan", "IS023"),
        ("classify", "labels: { lost: 5 }", "IS023"),
        ("tools", "tools: [{ name: a }]", "IS022"),
        ("tools", "tools: [{ name: 'a b', description: d, parameters: {} }]", "IS027"),
        ("tools", "tools: [{ name: a, description: d, parameters: {}, htpp: {} }]", "IS021"),
        ("tools", "tools: [{ name: a, description: d, parameters: {}, http: { url: 'https://{h}/x' } }]", "IS027"),
        (
            "tools",
            "tools: [{ name: a, description: d, parameters: {}, http: { url: 'https://h', method: get } }]",
            "IS024",
        ),
    ],
)
def test_nested_options_of_templates_are_checked(tmp_path: Path, template: str, options: str, code: str) -> None:
    assert codes(tmp_path, template, options).get(code) == "error"
