"""The checks of a template's options at their edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.asking import JWT, PLAIN, codes, template, worker

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
