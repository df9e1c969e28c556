"""What a write carries: newline-delimited JSON vectors, checked before any of them is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError
from inferstack.local.vectorize.limits import (
    ID_BYTES,
    INDEXED_BYTES,
    LARGEST_NUMBER,
    METADATA_BYTES,
    NAMESPACE_BYTES,
    UPLOAD_BYTES,
)

UNREADABLE = (40023, "failed to parse upsert vectors request in json format")
NUMBERS = {int, float}
TURN, AWAKE_SECONDS = 25, 0.00005  # lines, 2 ms of work; what a thread takes to awake
PIECE = 262_144  # bytes that are split at once


@dataclass(frozen=True, slots=True)
class Item:
    """A vector to be stored; `indexed` goes by the key of its property's metadata index."""

    id: str
    namespace: str | None
    values: NDArray[np.float32]
    metadata: str | None
    indexed: dict[str, Any]


def read_lines(data: Sequence[bytes], dimensions: int, indexed: Mapping[str, str], most: int) -> list[Item]:
    """`data` in the pieces it came in: to join 50 MB, or to split them at once, keeps the interpreter for 40 to 100 ms.
    `indexed`: the keys of the metadata indexes by property. Raises what Vectorize answers on the first bad line."""
    size = sum(map(len, data))
    if size > UPLOAD_BYTES:
        raise ApiError(413, 10001, f"the upload has {size} bytes; max is {UPLOAD_BYTES}")
    lines = [line for line in _lines(data) if line and not line.isspace()]
    if len(lines) > most:
        raise ApiError(400, 40004, f"too many vectors in payload; max is {most}, got {len(lines)}")
    return list(_items(lines, dimensions, indexed))


def _items(lines: list[bytes], dimensions: int, indexed: Mapping[str, str]) -> Iterator[Item]:
    """Numpy lets go of the interpreter for each array of more than 500 numbers and has it back before a thread that waits
    is awake, whose 5 ms of patience begin anew each time: the event loop stood still for up to 300 ms (CPython 3.11)."""
    for number, line in enumerate(lines, 1):
        yield _item(line, dimensions, indexed)
        if number % TURN == 0:
            time.sleep(AWAKE_SECONDS)


def _lines(data: Sequence[bytes]) -> Iterator[bytes]:
    rest = b""
    for whole in data:
        for begin in range(0, len(whole), PIECE):
            *lines, rest = (rest + whole[begin : begin + PIECE]).split(b"\n")
            yield from lines
    yield rest


def _item(line: bytes, dimensions: int, indexed: Mapping[str, str]) -> Item:
    try:
        given = parsed(line)
        values, identifier = finite(given.get("values")), given.get("id")
    except (ValueError, AttributeError):
        raise ApiError(400, *UNREADABLE) from None
    if values is None or not isinstance(identifier, str) or not identifier:
        raise ApiError(400, *UNREADABLE)
    _check_fields(given.get("namespace"), given.get("metadata"))
    if len(identifier.encode()) > ID_BYTES:
        raise ApiError(400, 40008, f"id too long; max is {ID_BYTES} bytes, got {len(identifier.encode())} bytes")
    if values.shape != (dimensions,):
        text = (
            f'invalid vector for id="{identifier}", expected {dimensions} dimensions, and got {values.size} dimensions'
        )
        raise ApiError(400, 40012, text)
    metadata = given.get("metadata")
    found = {key: _indexable(_at(metadata, name)) for name, key in indexed.items()}
    kept = {key: value for key, value in found.items() if value is not None}
    note = orjson.dumps(metadata).decode() if metadata is not None else None
    return Item(identifier, given.get("namespace"), values, note, kept)


def parsed(data: bytes) -> Any:
    """As `read_json` reads it. That looks at each number of a vector; orjson takes a tenth of the time that even json does.
    What it refuses (half characters, and what is no JSON) `read_json` is asked about. Raises ValueError."""
    try:
        return orjson.loads(data)
    except ValueError:
        return read_json(data or b"null")


def finite(values: Any) -> NDArray[np.float32] | None:
    """As 32 bit floats; None for what is no list of numbers that these hold. JavaScript writes NaN and Infinity as null."""
    if not isinstance(values, list) or not set(map(type, values)) <= NUMBERS:
        return None
    try:
        wide = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    return wide.astype("<f4") if bool((np.abs(wide) <= LARGEST_NUMBER).all()) else None


def _check_fields(namespace: Any, metadata: Any) -> None:
    if namespace is not None and (not isinstance(namespace, str) or len(namespace.encode()) > NAMESPACE_BYTES):
        raise ApiError(400, 40010, f"invalid namespace: must be text of at most {NAMESPACE_BYTES} bytes")
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        raise ApiError(400, *UNREADABLE)
    try:
        size = len(orjson.dumps(metadata))
    except TypeError:  # nested deeper than 254 levels
        raise ApiError(400, *UNREADABLE) from None
    if size > METADATA_BYTES:
        raise ApiError(400, 40016, f"metadata too large; max is {METADATA_BYTES} bytes, got {size} bytes")
    for key in metadata:
        if not key or key.startswith("$") or "." in key or '"' in key:
            raise ApiError(400, 40017, f"invalid metadata key {key[:80]!r}: empty, or has $ first, a dot or a quote")


def _at(metadata: Any, path: str) -> Any:
    for part in path.split("."):
        metadata = metadata.get(part) if isinstance(metadata, dict) else None
    return metadata


def _indexable(value: Any) -> Any:
    """A text's first bytes, cut where a character ends."""
    return value.encode()[:INDEXED_BYTES].decode("utf-8", "ignore") if isinstance(value, str) else value
