"""Schemas of every keyword, and what an independent reader of them says."""

from __future__ import annotations

from typing import Any

import jsonschema

TEXT = "Ann is 30. Her mail is ann@corp.example, her order AB-1234 of 2025-03-04 costs 19.99 in total."


def said(text: str = TEXT) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": text}]


def fits(schema: Any, value: Any) -> bool:
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return bool(checker.is_valid(value))


NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["name", "next", "children"],
}
SCHEMAS: dict[str, Any] = {
    "a reference": {"type": "object", "properties": {"r": {"$ref": "#/$defs/x~1y"}}, "$defs": {"x/y": {"const": 5}}},
    "a reference to the whole": {"type": "object", "properties": {"a": {"type": "integer"}, "again": {"$ref": "#"}}},
    "a reference with a percent sign": {"$ref": "#/$defs/a%25b", "$defs": {"a%b": {"const": 1}}},
    "a reference beside other words": {"$ref": "#/$defs/n", "minimum": 50, "$defs": {"n": {"type": "integer"}}},
    "a reference through a list": {"anyOf": [{"type": "null"}], "$defs": {"a": {"$ref": "#/anyOf/0"}}},
    "a name": {"$ref": "#number", "$defs": {"n": {"$anchor": "number", "type": "integer"}}},
    "recursion": {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    "a property called $ref": {"type": "object", "properties": {"$ref": {"type": "integer"}}, "required": ["$ref"]},
    "a property called default": {
        "type": "object",
        "properties": {"default": {"$ref": "#/$defs/x"}},
        "$defs": {"x": {"const": 1}},
    },
    "nullable": {"type": ["null", "integer"]},
    "any of": {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 3}, {"type": "boolean"}]},
    "one of, and only one": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
            {"properties": {"a": {"type": "integer", "minimum": 100}, "b": {"enum": ["x", "y"]}}, "required": ["b"]},
        ]
    },
    "all of, closed": {
        "allOf": [
            {"properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
            {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        ]
    },
    "all of three bounds": {"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 7}, {"multipleOf": 6}]},
    "all of several patterns": {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "^.b$"}]},
    "if, then": {
        "type": "object",
        "properties": {"kind": {"enum": ["mail", "post"]}, "city": {"type": "string"}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "mail"}}},
        "then": {"required": ["address"], "properties": {"address": {"type": "string", "format": "email"}}},
        "else": {"required": ["city"]},
    },
    "not a text": {"not": {"type": "string"}},
    "not with": {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"], "not": {"required": ["a"]}},
    "bounds that are not reached": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "a multiple": {"type": "integer", "minimum": 100, "multipleOf": 7},
    "a multiple below nought": {"type": "integer", "maximum": -1, "multipleOf": 4},
    "a multiple of cents": {"type": "number", "multipleOf": 0.05, "minimum": 20},
    "a large number": {"type": "integer", "minimum": 10**17},
    "a pattern": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "a pattern by ECMAScript": {"type": "string", "pattern": r"^\d{2}\/[^\s\d]+(?:\/|x)$"},
    "a pattern that looks ahead": {"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d)(?!.*\s).{8,}$"},
    "a pattern and a length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 12, "maxLength": 12},
    "a pattern anywhere, and a length": {"type": "string", "pattern": "colou?r", "minLength": 30},
    "a long text": {"type": "string", "minLength": 400},
    "a short text": {"type": "string", "maxLength": 3},
    "no text": {"type": "string", "maxLength": 0},
    "a list of few": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
    "an empty list": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    "no two the same": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    "fifty texts": {"type": "array", "items": {"type": "string"}, "minItems": 50, "uniqueItems": True},
    "fifty dates": {"type": "array", "items": {"format": "date", "type": "string"}, "minItems": 50, "uniqueItems": True},
    "both truths": {"type": "array", "items": {"type": ["boolean", "null"]}, "minItems": 3, "uniqueItems": True},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 2},
    "a tuple that goes on": {"prefixItems": [{"const": 1}], "items": {"type": "null"}, "minItems": 3, "type": "array"},
    "a list with something": {"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}, "minContains": 2},
    "only known keys": {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False},
    "keys of one's own": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    "keys like this": {
        "type": "object",
        "patternProperties": {"^x-[a-z]$": {"const": 1}},
        "minProperties": 2,
        "additionalProperties": False,
    },
    "names of keys": {"type": "object", "propertyNames": {"pattern": "^[a-z]{2}$"}, "minProperties": 3},
    "names out of a list": {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "minProperties": 2},
    "not too many keys": {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"], "maxProperties": 2},
    "keys that need others": {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"], "b": ["c"]}},
    "keys that need a form": {
        "type": "object",
        "properties": {"card": {"type": "integer"}},
        "required": ["card"],
        "dependentSchemas": {"card": {"required": ["name"], "properties": {"name": {"type": "string"}}}},
    },
    "a key that cannot be": {"type": "object", "properties": {"a": False, "b": {"minimum": 3, "maximum": 2, "type": "integer"}}},
    "a key that nobody describes": {"type": "object", "required": ["a"], "additionalProperties": {"type": "boolean"}},
    "a constant object": {"const": {"a": [1, None]}},
    "mixed values": {"enum": [None, 1, {"a": 2}]},
    "no type but words of one": {"properties": {"a": {"minimum": 4}}, "required": ["a"]},
    "anything": {},
    **{f"format {kind}": {"type": "string", "format": kind} for kind in (
        "date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid",
        "json-pointer", "regex",
    )},
}  # fmt: skip
