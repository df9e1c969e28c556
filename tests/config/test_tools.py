"""Tools of the template `mcp`: what would fail at each call is told at the check, and right ones are quiet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check

HEAD = """
models:
  c: {{ model: "@cf/meta/llama-3.3-70b-instruct-fp8-fast" }}
  e: {{ model: "@cf/baai/bge-base-en-v1.5" }}
indexes: {{ i: {{ model: e }} }}
databases: {{ d: {{ {migrations} }} }}
buckets: {{ b: {{}} }}
searches: {{ s: {{}} }}
workers:
  other:
    source: other.js
    compatibility_date: "2026-06-01"
  w:
    template: mcp
    compatibility_date: "2026-06-01"
    models: {{ chat: c, embedding: e }}
    bindings: {{ {bindings} }}
    secrets: {{ API_TOKEN: env:PATH, CRM: env:PATH }}
    options: {{ allow_hosts: [api.example.com, 10.0.0.7, "shop.internal", "api.example.com:8443"], {options} }}
"""
BINDINGS = (
    "AI: { ai: true }, DB: { database: d }, IX: { index: i }, B: { bucket: b }, S: { search: s }, O: { service: other }"
)
LOCAL, CLOUD = "target: local", "target: cloudflare\naccount: 0123456789abcdef0123456789abcdef"
WORDS = "input: { type: object, properties: { words: { type: string } }, required: [words] }"


def codes(
    root: Path, options: str, target: str = CLOUD, bindings: str = BINDINGS, migrations: str = "migrations: m"
) -> list[str]:
    """Of the findings within the options, with the severity of those that are warnings."""
    for folder in ("stacks", "m"):
        (root / folder).mkdir()
    (root / "m" / "0001_a.sql").write_text("CREATE TABLE orders (number INTEGER PRIMARY KEY, status TEXT NOT NULL);\n")
    (root / "other.js").write_text("export default { fetch: () => new Response() };\n")
    text = f"environment: test\n{target}\n" + HEAD.format(options=options, bindings=bindings, migrations=migrations)
    (root / "stacks" / "s.yaml").write_text(text)
    found = json.loads(check(["s"], root).show("json"))
    return [each["code"] for each in found if each["line"] == text.count("\n")]


def tools(*bodies: str) -> str:
    return "tools: [" + ", ".join(f"{{ name: t{n}, description: d, {body} }}" for n, body in enumerate(bodies)) + "]"


RIGHT = {
    "query": "d1: { binding: DB, query: \"SELECT ':no', status FROM orders WHERE status = :words -- :nor\" }, " + WORDS,
    "caller": "d1: { binding: DB, query: 'SELECT $tenant, $caller' }",
    "write": 'd1: { binding: DB, write: true, query: "UPDATE orders SET status = :words;" }, ' + WORDS,
    "table expression": "d1: { binding: DB, query: 'WITH a AS (SELECT 1 AS b) SELECT replace(b, 1, 2) FROM a' }",
    "vectorize": "vectorize: { binding: IX, query: words, filter: { topic: '{words}', year: { $gt: 2000 } } }, "
    + WORDS,
    "search": "search: { binding: S, query: words, filter: { folder: $tenant } }, " + WORDS,
    "http": "http: { url: 'https://api.example.com/{words}', headers: { authorization: 'Bearer {CRM}' } }, " + WORDS,
    "http with a port": "http: { url: 'https://api.example.com:8443/a', method: POST }, " + WORDS,
    "service": "service: { binding: O, path: /a }, " + WORDS,
    "model": "ai: { prompt: 'Sum up {words}' }, " + WORDS,
    "scope": "scope: read, d1: { binding: DB, query: SELECT 1 }",
}
TOKENS = "auth: jwt, jwt: { jwks_url: 'https://id.example/jwks', issuer: a, audience: b }, "


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_a_right_tool_is_quiet(tmp_path: Path, body: str) -> None:
    assert codes(tmp_path, (TOKENS if "scope" in body else "") + tools(body)) == []


WRONG = {
    "two kinds": ("d1: { binding: DB, query: SELECT 1 }, ai: { prompt: Hello }", "IS150"),
    "another kind of binding": ("d1: { binding: IX, query: SELECT 1 }", "IS151"),
    "no such secret": ("http: { url: 'https://api.example.com/', headers: { a: '{CMR}' } }", "IS151"),
    "no table": ("d1: { binding: DB, query: SELECT * FROM order_s }", "IS152"),
    "no SQL": ("d1: { binding: DB, query: Give me all }", "IS152"),
    "nothing": ("d1: { binding: DB, query: '-- later' }", "IS152"),
    "two statements": ("d1: { binding: DB, query: SELECT 1; SELECT 2 }", "IS152"),
    "a silent write": ("d1: { binding: DB, query: DELETE FROM orders }", "IS152"),
    "a hidden write": ("d1: { binding: DB, query: 'WITH a AS (SELECT 1) DELETE FROM orders' }", "IS152"),
    "what D1 forbids": ("d1: { binding: DB, write: true, query: \"ATTACH 'x' AS y\" }", "IS152"),
    "unknown caller": ("d1: { binding: DB, query: SELECT $user }", "IS153"),
    "unknown in a filter": (
        "vectorize: { binding: IX, query: words, filter: { a: { $in: '{b}' } } }, " + WORDS,
        "IS153",
    ),
    "unknown in an address": ("http: { url: 'https://api.example.com/{id}' }", "IS153"),
    "unknown in a prompt": ("ai: { prompt: '{text}' }", "IS153"),
    "unread": ("ai: { prompt: Hello }, " + WORDS, "IS154"),
    "another host": ("http: { url: 'https://api.example.org/' }", "IS155"),
    "no https": ("http: { url: 'http://api.example.com/' }", "IS155"),
    "a private number": ("http: { url: 'https://10.0.0.7/' }", "IS155"),
    "a private name": ("http: { url: 'https://shop.internal/' }", "IS155"),
    "a schema of a text": ("d1: { binding: DB, query: SELECT 1 }, input: { type: string }", "IS157"),
    "required and unknown": ("service: { binding: O, path: / }, input: { type: object, required: [a] }", "IS157"),
    "a schema that is none": (
        "service: { binding: O, path: / }, input: { type: object, properties: { a: 5 } }",
        "IS157",
    ),
    "approval by nobody": ("approve: true, d1: { binding: DB, query: SELECT 1 }", "IS158"),
    "scope for nobody": ("scope: read, d1: { binding: DB, query: SELECT 1 }", "IS158"),
}


@pytest.mark.parametrize(("body", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_one_is_told(tmp_path: Path, body: str, code: str) -> None:
    assert codes(tmp_path, tools(body)) == [code]


def test_tables_that_come_from_elsewhere_are_not_judged(tmp_path: Path) -> None:
    assert codes(tmp_path, tools("d1: { binding: DB, query: SELECT * FROM theirs }"), migrations="") == []


def test_a_model_s_tools_need_the_binding_of_models(tmp_path: Path) -> None:
    assert codes(tmp_path, tools("ai: { prompt: Hello }"), bindings="DB: { database: d }") == ["IS151"]


def test_private_hosts_are_for_the_local_cloudflare(tmp_path: Path) -> None:
    assert codes(tmp_path, tools("http: { url: 'http://10.0.0.7/' }"), LOCAL) == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("resources: [{ uri: 'a://b', name: b }]", "IS150"),
        ("resources: [{ uri: 'a://b', name: b, text: c, bucket: { binding: B, key: k } }]", "IS150"),
        ("resources: [{ uri: 'a://b', name: b, bucket: { binding: DB, key: k } }]", "IS151"),
        ("resources: [{ uri: 'a://b', name: b, text: c }, { uri: 'a://b', name: d, text: e }]", "IS156"),
        ("prompts: [{ name: a, text: 'To {whom}' }]", "IS153"),
    ],
)
def test_resources_and_prompts_are_checked_too(tmp_path: Path, options: str, code: str) -> None:
    assert codes(tmp_path, options) == [code]


@pytest.mark.parametrize(
    "options",
    [
        "tools: 5",
        "tools: [5, [], null, { }]",
        "tools: [{ name: 5, description: d, d1: { binding: 5, query: 5 }, input: 5 }]",
        "tools: [{ name: a, description: d, http: { url: 'https://[', headers: [5] } }]",
        "tools: [{ name: a, description: d, d1: { binding: DB, query: SELECT 1 }, input: { properties: 5, required: 5 } }]",
        "tools: [{ name: a, description: d, vectorize: { binding: IX, query: w, filter: 5 } }]",
        "resources: [{ uri: 5, bucket: 5 }]",
        "prompts: [{ name: 5, text: 5, arguments: 5 }]",
    ],
)
def test_what_is_of_no_right_form_is_told_without_a_crash(tmp_path: Path, options: str) -> None:
    assert codes(tmp_path, options)
