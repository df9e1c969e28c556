"""Data loss prevention: policies of a gateway over Cloudflare's predefined profiles, by patterns that are public knowledge.

Codes, header and order: https://developers.cloudflare.com/ai-gateway/features/dlp/ and its page "Set up DLP" (2026-11-27).
A profile of the account's own is on Cloudflare alone; it matches nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from inferstack.catalog import find_dlp_profile
from inferstack.local._store import Document

Check = Literal["REQUEST", "RESPONSE"]
BOTH: tuple[Check, Check] = ("REQUEST", "RESPONSE")


@dataclass(frozen=True, slots=True)
class Policy:
    """`id` is empty for a gateway that has profiles without policies."""

    id: str
    action: str
    checks: tuple[str, ...]
    profiles: tuple[str, ...]


def policies_of(gateway: Document, check: Check) -> list[Policy]:
    """Those that are on for this direction."""
    dlp = gateway.get("dlp") or {}
    if not dlp.get("enabled"):
        return []
    listed = dlp.get("policies")
    if listed is None:
        return [Policy("", dlp.get("action", "BLOCK"), BOTH, tuple(dlp.get("profiles") or ()))]
    made = [
        Policy(each["id"], each["action"], tuple(each.get("check") or BOTH), tuple(each["profiles"]))
        for each in listed
        if each.get("enabled", True)
    ]
    return [policy for policy in made if check in policy.checks]


def scan(policies: list[Policy], text: str, check: Check) -> tuple[str, list[Document]]:
    """The action (`BLOCK`, `FLAG`, or empty) and the findings, as the header `cf-aig-dlp` has them."""
    findings: list[Document] = []
    actions: set[str] = set()
    for profile_id in dict.fromkeys(name for policy in policies for name in policy.profiles):
        matched = list(_matched(profile_id, text))
        if not matched:
            continue
        its_own = [policy for policy in policies if profile_id in policy.profiles]
        actions |= {policy.action for policy in its_own}
        profile = {"context": {}, "entry_ids": matched, "profile_id": profile_id}
        ids = [policy.id for policy in its_own if policy.id]
        findings.append({"profile": profile, "policy_ids": ids, "check": check})
    return "BLOCK" if "BLOCK" in actions else "FLAG" if actions else "", findings


def _matched(profile_id: str, text: str) -> Iterator[str]:
    profile = find_dlp_profile(profile_id)
    for name, identifier in profile.entries.items() if profile else ():
        pattern, holds = PATTERNS[name]
        if any(holds(found.group()) for found in pattern.finditer(text)):
            yield identifier


def _luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _iban(text: str) -> bool:
    """ISO 13616: the number modulo 97."""
    packed = re.sub(r"\s", "", text).upper()
    return int("".join(str(int(sign, 36)) for sign in packed[4:] + packed[:4])) % 97 == 1


def _always(_: str) -> bool:
    return True


def _card(pattern: str) -> re.Pattern[str]:
    """Digits that stand alone, in groups or not."""
    return re.compile(rf"(?<![\d.-]){pattern}(?![\d-])")


Entry = tuple[re.Pattern[str], Callable[[str], bool]]
FOUR = r"[ -]?\d{4}"
PATTERNS: dict[str, Entry] = {
    "American Express Card Number": (_card(r"3[47]\d{2}[ -]?\d{6}[ -]?\d{5}"), _luhn),
    "Diners Club Card Number": (_card(r"3(?:0[0-5]|[68]\d)\d[ -]?\d{6}[ -]?\d{4}"), _luhn),
    "Mastercard Card Number": (_card(rf"(?:5[1-5]\d{{2}}|2[2-7]\d{{2}}){FOUR * 3}"), _luhn),
    "Union Pay Card Number": (_card(rf"62\d{{2}}{FOUR * 3}(?:\d{{1,3}})?"), _luhn),
    "Visa Card Number": (_card(rf"4\d{{3}}{FOUR * 3}"), _luhn),
    "IBAN": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban),
    # Not 000, 666 or 9xx, not 00, not 0000: https://www.ssa.gov/employer/randomization.html
    "United States SSN": (_card(r"(?!000|666|9)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}"), _always),
    "Canada Social Insurance Number": (_card(r"[1-79]\d{2}[- ]\d{3}[- ]\d{3}"), _luhn),
    "United Kingdom National Insurance Number": (
        re.compile(r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d{2} ?){3}[A-D]\b"),
        _always,
    ),
    "Amazon AWS Access Key ID": (re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"), _always),
    "Amazon AWS Secret Access Key": (
        re.compile(r"(?i:aws.{0,20}secret.{0,20}?)[\s:=\"']{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
        _always,
    ),
    "Google GCP API Key": (re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"), _always),
    "Microsoft Azure Client Secret": (
        re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"),
        _always,
    ),
    "SSH Private Key": (re.compile(r"-----BEGIN (?:OPENSSH|RSA|DSA|EC) PRIVATE KEY-----"), _always),
}


def not_found_here(gateway: Document) -> list[Any]:
    """Profiles of a gateway that nothing here can find."""
    named = [name for check in BOTH for policy in policies_of(gateway, check) for name in policy.profiles]
    return [name for name in dict.fromkeys(named) if not getattr(find_dlp_profile(name), "entries", None)]
