"""What `caches` reaches: the storage process, or for Workers of older dates a Worker before it that makes addresses right.

workerd hands an address to the cache as the code wrote it where `fetch_standard_url` is off (on since 2024-06-03; seen in
workerd 1.20260426, 2026-11), and a space ends the address in a line of HTTP.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferstack.local.runtime.literals import literal

CODE = Path(__file__).parent / "cache_urls.js"
ON, OFF, SINCE = "fetch_standard_url", "fetch_legacy_url", "2024-06-03"
DATE = "2026-06-01"


def cache_of(account: str, version: dict[str, Any]) -> str:
    """The service that a version's `caches` reaches."""
    return f"cache-older-{account}" if writes_old(version) else f"cache-{account}"


def writes_old(version: dict[str, Any]) -> bool:
    """Whether its addresses go out as the code wrote them."""
    flags = version.get("compatibility_flags") or []
    old = (version.get("compatibility_date") or "") < SINCE
    return OFF in flags or (old and ON not in flags)


def older(account: str, folder: Path) -> str:
    """The service before `cache-<account>`; its code goes into the folder of the configuration."""
    (folder / CODE.name).write_bytes(CODE.read_bytes())
    return (
        f"(name = {literal(f'cache-older-{account}')}, worker = (compatibilityDate = {literal(DATE)}, "
        f"modules = [(name = {literal(CODE.name)}, esModule = embed {literal(CODE.name)})], "
        f'bindings = [(name = "CACHE", service = {literal(f"cache-{account}")})]))'
    )
