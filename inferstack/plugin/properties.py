"""Property values between the engine's protobuf structs and Python: secrets and unknowns survive the way.

Signatures: pulumi `sdk/go/common/resource/sig` and `plugin/rpc.go`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class _Unknown:
    """A value that is known only after the update; one instance, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the engine keeps encrypted; its text form hides it."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _read(value) for key, value in struct.fields.items()}


def _read(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_VALUE else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return Secret(_read(fields["value"]))
        return from_struct(value.struct_value)
    return None


def to_struct(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    for key, value in values.items():
        _write(struct.fields[key], value)
    return struct


def _write(target: struct_pb2.Value, value: Any) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_VALUE
    elif isinstance(value, Secret):
        target.struct_value.fields[SIGNATURE].string_value = SECRET
        _write(target.struct_value.fields["value"], value.value)
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _write(target.struct_value.fields[key], item)
    else:
        target.list_value.SetInParent()
        for item in value:
            _write(target.list_value.values.add(), item)


def reveal(value: Any) -> Any:
    """The same value without its secret marks."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def conceal(value: Any, like: Any) -> Any:
    """`value` with a secret mark wherever `like` has one; all of it is secret where the two are not built alike."""
    if isinstance(like, Secret):
        return value if isinstance(value, Secret) else Secret(conceal(value, like.value))
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: conceal(item, like.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [conceal(item, other) for item, other in zip(value, like, strict=True)]
    empty = value is None or value == [] or value == {}
    return value if empty or not _has_secret(like) else Secret(value)


def _has_secret(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(_has_secret(item) for item in value.values())
    return isinstance(value, list) and any(_has_secret(item) for item in value)


def has_unknown(value: Any) -> bool:
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def secret_texts(value: Any, inside: bool = False) -> set[str]:
    """Every string that stands under a secret mark, to keep it out of messages."""
    if isinstance(value, Secret):
        return secret_texts(value.value, True)
    if isinstance(value, dict):
        return {text for item in value.values() for text in secret_texts(item, inside)}
    if isinstance(value, list):
        return {text for item in value for text in secret_texts(item, inside)}
    return {value} if inside and isinstance(value, str) and len(value) >= 4 else set()
