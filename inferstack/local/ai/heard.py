"""What a recognition of speech gives, whoever made it, and its forms: Whisper's, that of its turbo model, Deepgram's.

Forms: `model-schemas.json` of 2026-11-23 (Whisper, Nova-3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WORDS_IN_A_CUE = 8
TURBO = ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word; start and end in seconds; `sure` from 0 to 1."""

    text: str
    start: float
    end: float
    sure: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What was said in one go. `more` are figures of the model that the turbo model tells."""

    text: str
    start: float
    end: float
    words: list[Word]
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Seconds, and the language with how sure it is."""

    seconds: float
    segments: list[Segment]
    language: str = "en"
    sure: float = 1.0
    spoken: float | None = None  # seconds that hold speech

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> list[Word]:
        return [word for segment in self.segments for word in segment.words]


def as_whisper(heard: Heard) -> dict[str, Any]:
    words = heard.words
    timed = [{"word": word.text, "start": word.start, "end": word.end} for word in words]
    return {"text": heard.text, "word_count": len(words), "vtt": _vtt(words), "words": timed}


def as_turbo(heard: Heard) -> dict[str, Any]:
    info = {
        "language": heard.language,
        "language_probability": heard.sure,
        "duration": heard.seconds,
        "duration_after_vad": heard.seconds if heard.spoken is None else heard.spoken,
    }
    segments = [
        {
            "start": segment.start,
            "end": segment.end,
            "text": segment.text,
            **{name: segment.more[name] for name in TURBO if name in segment.more},
            "words": [{"word": word.text, "start": word.start, "end": word.end} for word in segment.words],
        }
        for segment in heard.segments
    ]
    words = heard.words
    head = {"transcription_info": info, "segments": segments}
    return {"text": heard.text, "word_count": len(words), "vtt": _vtt(words), **head}


def as_nova(heard: Heard) -> dict[str, Any]:
    """Nova writes words without marks, in small letters."""
    words = [
        {"word": word.text.lower().strip(".,!?;:\"'"), "start": word.start, "end": word.end, "confidence": word.sure}
        for word in heard.words
    ]
    sure = sum(word.sure for word in heard.words) / len(words) if words else 0.0
    said = {"transcript": heard.text, "confidence": sure, "words": words}
    return {"results": {"channels": [{"alternatives": [said]}]}}


def _vtt(words: list[Word]) -> str:
    lines = ["WEBVTT", ""]
    for place in range(0, len(words), WORDS_IN_A_CUE):
        part = words[place : place + WORDS_IN_A_CUE]
        span = f"{_clock(part[0].start)} --> {_clock(part[-1].end)}"
        lines += [span, " ".join(word.text for word in part), ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:06.3f}"
