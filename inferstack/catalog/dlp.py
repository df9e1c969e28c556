"""Cloudflare's predefined profiles of data loss prevention: names, ids, and the entries that are found locally."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DlpProfile:
    """`entries`: name to id, of those that the local Cloudflare has patterns for."""

    id: str
    name: str
    entries: dict[str, str]


@cache
def dlp_profiles() -> tuple[DlpProfile, ...]:
    """All of them, as Cloudflare lists them for every account."""
    data = json.loads((Path(__file__).parent / "data" / "dlp_profiles.json").read_text())
    return tuple(
        DlpProfile(each["id"], each["name"], {entry["name"]: entry["id"] for entry in each["entries"]})
        for each in data["profiles"]
    )


def find_dlp_profile(named: str) -> DlpProfile | None:
    """By id or by name; None for one of the account's own."""
    return next((each for each in dlp_profiles() if named in (each.id, each.name)), None)
