"""Whisper, which Workers AI has too: tiny.en for `whisper-tiny-en`, and base for the others, in a process of its own.

Measured on two busy cores on 2026-11-27: ready in 0.6 s, 160 MB with tiny.en and 350 MB with base; a minute of speech takes
9 s by tiny.en, 33 s by base.
"""

from __future__ import annotations

from typing import Any

from inferstack.local.ai.engines.apart import Apart, Kind
from inferstack.local.ai.heard import Heard, Segment, Word
from inferstack.toolchain import SPEECH

KIND = Kind(program="whisper", packages=SPEECH, memory=3000, seconds=1800)
# Inputs of the turbo model, which are options of faster-whisper of nearly the same names.
OPTIONS: dict[str, tuple[str, tuple[type, ...]]] = {
    "task": ("task", (str,)),
    "language": ("language", (str,)),
    "vad_filter": ("vad_filter", (bool,)),
    "initial_prompt": ("initial_prompt", (str,)),
    "prefix": ("prefix", (str,)),
    "beam_size": ("beam_size", (int,)),
    "condition_on_previous_text": ("condition_on_previous_text", (bool,)),
    "no_speech_threshold": ("no_speech_threshold", (int, float)),
    "compression_ratio_threshold": ("compression_ratio_threshold", (int, float)),
    "log_prob_threshold": ("log_prob_threshold", (int, float)),
    "hallucination_silence_threshold": ("hallucination_silence_threshold", (int, float)),
}
MOST_BEAMS = 10


def model_of(name: str) -> str:
    """`tiny.en` or `base`."""
    return "tiny.en" if name.endswith("tiny-en") else "base"


def engine_of(name: str) -> str:
    return SPEECH.engine_of(f"whisper-{model_of(name)}")


def hear(process: Apart, name: str, audio: bytes, options: dict[str, Any]) -> Heard:
    """Raises `InferenceError`."""
    said, _ = process.ask({"model": model_of(name), "options": options}, audio)
    segments = [
        Segment(
            text=each["text"],
            start=each["start"],
            end=each["end"],
            words=[Word(word["word"], word["start"], word["end"], word["sure"]) for word in each["words"]],
            more=each,
        )
        for each in said["segments"]
    ]
    return Heard(
        seconds=said["duration"],
        segments=segments,
        language=said["language"],
        sure=said["language_probability"],
        spoken=said["duration_after_vad"],
    )
