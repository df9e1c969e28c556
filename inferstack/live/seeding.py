"""`inferstack seed`: a large file of keys and values into a KV namespace of a stack, once, by bulk writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, load_stack
from inferstack.engine.account import Account
from inferstack.engine.holdings import held
from inferstack.engine.runs import open_stack
from inferstack.errors import ConfigError
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
        known = ", ".join(spec.namespaces) or "none"
        raise ConfigError(f"stack `{stack}` has no namespace `{namespace}`\n  fix: name one of `namespaces:`: {known}")
    for each in held(open_stack(stack, spec, root, quiet=True)):
        if each.type == official.WorkersKvNamespace.token and each.name == namespace:
            return str(each.values["id"])
    raise ConfigError(f"namespace `{namespace}` is not deployed\n  fix: inferstack up {stack}")


def _pairs(file: Path) -> Iterator[Pair]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}\n  fix: name {FORMS}") from None
    try:
        if file.suffix in (".jsonl", ".ndjson"):
            found: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            found = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{file} is no JSON: {error}\n  fix: name {FORMS}") from None
    if isinstance(found, dict):
        found = [{"key": key, "value": value} for key, value in found.items()]
    if not isinstance(found, list):
        raise ConfigError(f"{file} is neither an object nor a list\n  fix: name {FORMS}")
    for place, pair in enumerate(found, 1):
        if not isinstance(pair, dict) or not isinstance(pair.get("key"), str) or "value" not in pair:
            raise ConfigError(f"{file}, entry {place}: it needs a `key` and a `value`\n  fix: name {FORMS}")
        strange = sorted(set(pair) - FIELDS)
        if strange:
            fix = f"an entry has {', '.join(sorted(FIELDS))}"
            raise ConfigError(f"{file}, entry {place}: KV knows no `{strange[0]}`\n  fix: {fix}")
        value = pair["value"]
        yield {**pair, "value": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


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
