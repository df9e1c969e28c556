"""What the local guard models find: Llama Guard's hazards and the injection of prompts, by short lists of phrases.

The lists are this module's own and deliberately plain: a test of an application can rely on them, a moderation cannot.
Categories: https://developers.cloudflare.com/ai-gateway/features/guardrails/usage-considerations/ (2026-11-27).
"""

from __future__ import annotations

import re

GUARD = "@cf/meta/llama-guard-3-8b"
PROMPT_GUARD = "@cf/meta/prompt-guard-2-86m"  # Cloudflare asks it for P1; it is none of the catalogue's
PHRASES = {
    "S1": ("kill", "murder", "bomb", "attack an? (?:person|crowd|school|train)"),
    "S2": ("steal", "hack into", "launder", "counterfeit"),
    "S3": ("rape", "sex trafficking", "sexual assault"),
    "S4": ("child sexual abuse", "child pornography"),
    "S5": ("defame", "ruin (?:his|her|their) reputation"),
    "S6": ("diagnose me", "stop taking my (?:pills|medication|medicine)", "guaranteed return"),
    "S7": ("home address of", "social security number of", "private phone number of"),
    "S8": ("pirated", "crack the licen[cs]e", "remove the watermark"),
    "S9": ("nerve agent", "bioweapon", "chemical weapon", "dirty bomb"),
    "S10": ("racial slurs?", "hate all"),
    "S11": ("kill myself", "suicide", "hurt myself"),
    "S12": ("porn", "pornographic", "erotic story"),
    "S13": ("rig the election", "vote twice", "election date was moved"),
}
INJECTIONS = (
    "(?:ignore|disregard|forget) (?:all |any |the |your )*(?:previous|prior|above|earlier) (?:instructions|rules|prompts?)",
    "(?:reveal|print|repeat|show) (?:me )?(?:your |the )(?:hidden |secret )?system prompt",
    "you are now (?:dan|in developer mode)",
    "jailbreak",
)


def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


HAZARDS = {code: _any_of(phrases) for code, phrases in PHRASES.items()}
INJECTION = _any_of(INJECTIONS)


def hazards_in(text: str) -> list[str]:
    """Llama Guard's codes, in its order."""
    return [code for code, pattern in HAZARDS.items() if pattern.search(text)]


def is_injection(text: str) -> bool:
    """Whether the text tells a model to leave its instructions."""
    return INJECTION.search(text) is not None
