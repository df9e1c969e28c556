"""Values on their way to the engine and back: secrets stay secret, what is not known yet stays so, numbers stay exact."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2

from inferstack.plugin.properties import (
    UNKNOWN,
    Secret,
    conceal,
    from_struct,
    has_unknown,
    reveal,
    secret_texts,
    to_struct,
)

# What pulumi's SDKs write: sdk/go/common/resource/sig and plugin/rpc.go.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

VALUES: dict[str, Any] = {
    "nothing": None,
    "a text": "x",
    "an empty text": "",
    "true": True,
    "false": False,
    "zero": 0,
    "a number": 7,
    "a fraction": 0.25,
    "below zero": -3,
    "an empty list": [],
    "an empty mapping": {},
    "a list": [1, "x", None, True, [2], {"a": 1}],
    "a mapping": {"a": {"b": [{"c": "d"}]}},
    "a secret": Secret("x"),
    "a secret list": Secret([1, "x"]),
    "a secret mapping": Secret({"a": 1}),
    "secrets inside": {"a": [Secret("x"), "y"]},
    "unknown": UNKNOWN,
    "unknown inside": [{"a": UNKNOWN}],
    "an unknown secret": Secret(UNKNOWN),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_survives_the_way(value: Any) -> None:
    back = from_struct(to_struct({"value": value}))
    assert back == {"value": value}
    assert type(back["value"]) is type(value)


def test_whole_numbers_are_whole_and_truths_are_no_numbers() -> None:
    back = from_struct(to_struct({"whole": 3.0, "part": 2.5, "truth": True}))
    assert {key: type(value) for key, value in back.items()} == {"whole": int, "part": float, "truth": bool}


def test_the_words_are_those_of_the_engine() -> None:
    struct = to_struct({"s": Secret("x"), "u": UNKNOWN})
    mark = struct.fields["s"].struct_value
    assert mark.fields[SIGNATURE].string_value == SECRET
    assert mark.fields["value"].string_value == "x"
    assert struct.fields["u"].string_value == UNKNOWN_TEXT


def test_another_signature_is_no_secret() -> None:
    struct = struct_pb2.Struct()
    struct.update({"asset": {SIGNATURE: ASSET, "value": "x"}, "plain": {"value": SECRET}})
    assert from_struct(struct) == {"asset": {SIGNATURE: ASSET, "value": "x"}, "plain": {"value": SECRET}}


def test_secrets_and_unknowns_show_nothing() -> None:
    assert repr(Secret("hunter2")) == "[secret]"
    assert repr(UNKNOWN) == "UNKNOWN"
    assert f"{ {'a': [Secret('hunter2')]} }" == "{'a': [[secret]]}"


def test_marks_are_taken_off_at_every_depth() -> None:
    value = {"a": Secret({"b": Secret("x")}), "l": [Secret(1), [Secret(2)]], "n": None}
    assert reveal(value) == {"a": {"b": "x"}, "l": [1, [2]], "n": None}
    assert reveal(Secret(Secret("x"))) == "x"


CONCEALED: dict[str, tuple[Any, Any, Any]] = {
    "no mark": ("x", "y", "x"),
    "a mark": ("x", Secret("y"), Secret("x")),
    "marked already": (Secret("x"), Secret("y"), Secret("x")),
    "marked here only": (Secret("x"), "y", Secret("x")),
    "in a mapping": ({"a": "x", "b": "x"}, {"a": Secret("y"), "b": "y"}, {"a": Secret("x"), "b": "x"}),
    "a key that the other lacks": ({"a": "x", "b": "x"}, {"a": Secret("y")}, {"a": Secret("x"), "b": "x"}),
    "a key that only the other has": ({"a": "x"}, {"a": "y", "b": Secret("y")}, {"a": "x"}),
    "deep": ({"a": {"b": ["x"]}}, {"a": {"b": [Secret("y")]}}, {"a": {"b": [Secret("x")]}}),
    "in a list": (["x", "x"], ["y", Secret("y")], ["x", Secret("x")]),
    "all of a mapping": ({"a": "x"}, Secret({"a": "y"}), Secret({"a": "x"})),
    "a text where a mapping was": ("x", {"a": "y"}, "x"),
    "a mapping where a text was": ({"a": "x"}, "y", {"a": "x"}),
}


@pytest.mark.parametrize(("value", "like", "wanted"), CONCEALED.values(), ids=CONCEALED)
def test_marks_are_put_where_the_other_has_them(value: Any, like: Any, wanted: Any) -> None:
    assert conceal(value, like) == wanted


UNKNOWNS: dict[str, tuple[Any, bool]] = {
    "a text": ("x", False),
    "nothing": (None, False),
    "itself": (UNKNOWN, True),
    "a secret": (Secret(UNKNOWN), True),
    "a known secret": (Secret("x"), False),
    "one of a mapping": ({"a": 1, "b": UNKNOWN}, True),
    "none of a mapping": ({"a": 1, "b": 2}, False),
    "one of a list": ([1, [UNKNOWN]], True),
    "none of a list": ([1, [2]], False),
    "nothing in it": ([], False),
}


@pytest.mark.parametrize(("value", "wanted"), UNKNOWNS.values(), ids=UNKNOWNS)
def test_whether_something_is_known_later(value: Any, wanted: bool) -> None:
    assert has_unknown(value) is wanted


TEXTS: dict[str, tuple[Any, set[str]]] = {
    "no secret": ({"a": "hunter2"}, set()),
    "a secret": (Secret("hunter2"), {"hunter2"}),
    "of four letters": (Secret("abcd"), {"abcd"}),
    "too short to look for": (Secret("abc"), set()),
    "a number": (Secret(12345), set()),
    "inside": ({"a": [Secret("first"), "plain"], "b": Secret("second")}, {"first", "second"}),
    "everything under a mark": (Secret({"a": "first", "b": ["second", {"c": "third"}]}), {"first", "second", "third"}),
    "after a mark": ([Secret("first"), "plain text"], {"first"}),
    "a mark in a mark": (Secret([Secret("first")]), {"first"}),
}


@pytest.mark.parametrize(("value", "wanted"), TEXTS.values(), ids=TEXTS)
def test_the_texts_to_keep_out_of_messages(value: Any, wanted: set[str]) -> None:
    assert secret_texts(value) == wanted
