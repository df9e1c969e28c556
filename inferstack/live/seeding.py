"""`inferstack seed`: a large file of keys and values into a KV namespace of a stack, once, by bulk writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, closest, lacking, load_stack, text_given, wrong_key
from inferstack.engine.account import Account
from inferstack.engine.holdings import held
from inferstack.engine.runs import open_stack
from inferstack.errors import ConfigError
from inferstack.json_text import Written, json_lines, read_json
from inferstack.resources import official

MOST_PAIRS, MOST_BYTES = 10_000, 90_000_000  # of one bulk write; Cloudflare takes 10,000 and 100 MB
FIELDS = {"key", "value", "metadata", "expiration", "expiration_ttl", "base64"}  # as wrangler's bulk files have them
FORMS = 'a JSON object of keys and values, a JSON list of {"key", "value", …}, or one such object a line (.jsonl)'
Pair = dict[str, Any]


def seed(stack: str, root: Path, namespace: str, file: Path, follow: Callable[[int, int], None]) -> int:
    """How many pairs were written; `follow` is told that, and of how many, after each request.

    Raises `ConfigError` for a file or a namespace that is not there, before anything is written.
    """
    spec = load_stack(stack, root)
    identity = _identity(stack, spec, root, namespace)
    pairs = list(_pairs(file))
    account, written = Account(spec, root), 0
    for batch in _batches(pairs):
        answer = account.call("PUT", f"/storage/kv/namespaces/{identity}/bulk", batch)
        refused = (answer or {}).get("unsuccessful_keys") or []
        if refused:
            text = f"{len(refused)} keys were not written, {written} before them were; the first is `{refused[0]}`"
            raise ConfigError(f"{text}\n  fix: run it again: what is written is written once more")
        written += len(batch)
        follow(written, len(pairs))
    return written


def _identity(stack: str, spec: StackSpec, root: Path, namespace: str) -> str:
    """Of the namespace that this stack's state holds."""
    if namespace not in spec.namespaces:
        raise ConfigError(lacking(f"stack `{stack}`", "namespace", namespace, spec.namespaces))
    for each in held(open_stack(stack, spec, root, quiet=True)):
        if each.type == official.WorkersKvNamespace.token and each.name == namespace:
            return str(each.values["id"])
    raise ConfigError(f"namespace `{namespace}` is not deployed\n  fix: inferstack up {stack}")


def _pairs(file: Path) -> Iterator[Pair]:
    """As KV takes them; all are looked at before any is sent. A key that comes again would silently win."""
    seen: dict[str, str] = {}
    for place, pair in _entries(file):
        wrong = _wrong(pair)
        if wrong:
            raise ConfigError(f"{place}: {wrong}")
        if pair["key"] in seen:
            text = f"{place}: the key `{pair['key']}` has a value already, at {seen[pair['key']]}"
            raise ConfigError(f"{text}\n  fix: keep one of them")
        seen[pair["key"]] = place
        yield {**pair, "value": _text(pair["value"])}
    if not seen:
        raise ConfigError(f"{file} holds no keys\n  fix: name {FORMS}")


def _entries(file: Path) -> Iterator[tuple[str, Any]]:
    """With their places. In an object a key that stands twice has one value: that is how JSON is read everywhere."""
    text = text_given(file, f"name {FORMS}")
    if file.suffix in (".jsonl", ".ndjson"):
        yield from ((f"{file}:{number}", _read(line, file, number - 1)) for number, line in json_lines(text))
        return
    found = _read(text, file)
    if isinstance(found, dict):
        found = [{"key": key, "value": value} for key, value in found.items()]
    if not isinstance(found, list):
        raise ConfigError(f"{file} is neither an object nor a list\n  fix: name {FORMS}")
    yield from ((f"{file}, entry {place}", pair) for place, pair in enumerate(found, 1))


def _read(text: str, file: Path, lines_before: int = 0) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        place = f"{file}:{lines_before + getattr(error, 'lineno', 1)}:{getattr(error, 'colno', 1)}"
        raise ConfigError(f"{place}: this is no JSON: {getattr(error, 'msg', error)}\n  fix: name {FORMS}") from None


def _text(value: Any) -> str:
    """Text as it stands, a number as it is written, anything else as JSON: as `seed:` of a stack has it."""
    if isinstance(value, str):
        return value
    return value.text if isinstance(value, Written) else json.dumps(value, ensure_ascii=False)


def _wrong(pair: Any) -> str:
    """What is wrong with an entry, and the way out; nothing when KV takes it."""
    if not isinstance(pair, dict) or not isinstance(pair.get("key"), str) or "value" not in pair:
        return f"it needs a `key` and a `value`\n  fix: name {FORMS}"
    strange = sorted(set(pair) - FIELDS)
    if strange:
        known = ", ".join(sorted(FIELDS))
        return f"KV knows no `{strange[0]}`{closest(strange[0], FIELDS)}\n  fix: an entry has {known}"
    if (wrong := wrong_key(pair["key"])) is not None:
        return f"{wrong}\n  fix: give it another name"
    return _wrong_options(pair)


def _wrong_options(pair: Pair) -> str:
    for name in ("expiration", "expiration_ttl"):
        if name in pair and type(pair[name]) is not int:
            return f"`{name}` is no whole number of seconds\n  fix: write such as 3600"
    if type(pair.get("base64", False)) is not bool:
        return "`base64` is neither true nor false\n  fix: write `true` when the value is in base64"
    if not pair.get("base64"):
        return ""
    try:
        base64.b64decode(pair["value"], validate=True)
    except (ValueError, TypeError):
        return f"the value of `{pair['key']}` is not base64\n  fix: encode it, or leave `base64` out"
    return ""


def _batches(pairs: list[Pair]) -> Iterator[list[Pair]]:
    batch, size = list[Pair](), 0
    for pair in pairs:
        length = len(json.dumps(pair))
        if batch and (len(batch) == MOST_PAIRS or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(pair)
        size += length
    if batch:
        yield batch
