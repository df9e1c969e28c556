"""What KV takes: keys, values, metadata and times, with the texts that Workers see (source: miniflare's KV, facts)."""

from __future__ import annotations

import json
import math
import time

from inferstack.local._bytes import ascii_json, read_json
from inferstack.local._envelope import ApiError

LONGEST_KEY, LONGEST_METADATA, LARGEST_VALUE = 512, 1024, 25 * 1024 * 1024
SHORTEST = 60  # seconds
SHORTEST_CACHE = 30  # of Cloudflare's simulator, which is newer than the page (facts `limits.json`: 60)
MOST_KEYS = 100  # in one bulk get
MOST_LISTED = 1000


def check_key(key: object) -> str:
    if not isinstance(key, str) or not key:
        raise ApiError(400, 10012, "Key name cannot be empty.")
    if key in (".", ".."):
        raise ApiError(400, 10012, f'"{key}" is not allowed as a key name.')
    size = len(key.encode())
    if size > LONGEST_KEY:
        raise ApiError(414, 10030, f"UTF-8 encoded length of {size} exceeds key length limit of {LONGEST_KEY}.")
    return key


def wrong_key(key: str) -> tuple[int, str] | None:
    """What a Worker is told of a key that workerd lets through: the status, and the words of Cloudflare's simulator."""
    if key == "":
        return 400, "Key names must not be empty"
    if key in (".", ".."):
        return 400, f'Illegal key name "{key}". Please use a different name.'
    return too_long(key)


def too_long(key: str) -> tuple[int, str] | None:
    size = len(key.encode("utf-8", "replace"))
    text = f"UTF-8 encoded length of {size} exceeds key length limit of {LONGEST_KEY}."
    return (414, text) if size > LONGEST_KEY else None


def check_value(value: bytes) -> bytes:
    if len(value) > LARGEST_VALUE:
        raise ApiError(413, 10033, f"Value length of {len(value)} exceeds limit of {LARGEST_VALUE}.")
    return value


def check_metadata(text: str | None) -> str | None:
    """Metadata as one line of JSON in ASCII, whatever form it came in; it is counted as compact UTF-8."""
    if text is None or text == "":
        return None
    try:
        value = read_json(text)
    except ValueError:
        raise ApiError(400, 10012, "Metadata must be valid JSON.") from None
    kept = ascii_json(value)
    size = len(kept) if kept.isascii() and "\\u" not in kept else len(_compact(value))
    if size > LONGEST_METADATA:
        raise ApiError(413, 10031, f"Metadata length of {size} exceeds limit of {LONGEST_METADATA}.")
    return kept


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def check_times(expiration: object, ttl: object) -> tuple[str | None, str | None]:
    at = _seconds("expiration", expiration, "the current number of seconds since the UNIX epoch")
    wait = _seconds("expiration_ttl", ttl, "0")
    if wait is not None and wait < SHORTEST:
        text = f"Invalid expiration_ttl of {wait}. Expiration TTL must be at least {SHORTEST}."
        raise ApiError(400, 10034, text)
    if at is not None and at <= time.time():
        text = "Please specify integer greater than the current number of seconds since the UNIX epoch."
        raise ApiError(400, 10035, f"Invalid expiration of {at}. {text}")
    if at is not None and at < time.time() + SHORTEST:
        text = f"Expiration times must be at least {SHORTEST} seconds in the future."
        raise ApiError(400, 10035, f"Invalid expiration of {at}. {text}")
    return (str(at) if at is not None else None), (str(wait) if wait is not None else None)


def short_cache(given: object) -> str | None:
    """What is wrong with how long a value may be taken from the cache."""
    if given is None or (str(given).isdecimal() and int(str(given)) >= SHORTEST_CACHE):
        return None
    return f"Invalid cache_ttl of {str(given)[:40]}. Cache TTL must be at least {SHORTEST_CACHE}."


def _seconds(name: str, given: object, than: str) -> int | None:
    if given is None or given == "":
        return None
    text = f"Invalid {name} of {str(given)[:40]}. Please specify integer greater than {than}."
    try:
        value = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not 0 < value < 1e11:  # some thousand years: whole numbers there are exact, and SQLite holds them
        raise ApiError(400, 10034 if name.endswith("ttl") else 10035, text)
    return int(value)
