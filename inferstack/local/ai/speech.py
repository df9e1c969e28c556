"""Speech: recognition by pocketsphinx, whose wheel ships its US English model; synthesis by espeak-ng where there is one.

Recognition reads WAV. Without espeak-ng, synthesis gives a WAV of tones, one for each word.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import threading
import wave
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.text_tasks import text_field
from inferstack.local.ai.wav import Samples, samples_of

RATE = 16_000  # Hz, what the acoustic model takes
FRAMES_PER_SECOND = 100
NOISE = ("<", "[")  # pocketsphinx's own marks
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word; start and end in seconds."""

    text: str
    start: float
    end: float


def transcribe(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    data = _audio(name, inputs.get("audio"))
    samples = samples_of(data, RATE)
    words = _recognise(samples)
    text, seconds = " ".join(word.text for word in words), len(samples) / RATE
    if name.endswith("turbo"):
        info = {"language": "en", "language_probability": 1, "duration": seconds, "duration_after_vad": seconds}
        timed = [{"word": word.text, "start": word.start, "end": word.end} for word in words]
        whole = {"start": 0, "end": seconds, "text": text, "words": timed}
        body: dict[str, Any] = {"transcription_info": info, "segments": [whole] if words else []}
    else:
        body = {"words": [{"word": word.text, "start": word.start, "end": word.end} for word in words]}
    return {"text": text, "word_count": len(words), "vtt": _vtt(words), **body}


def _audio(name: str, audio: Any) -> bytes:
    """The turbo model takes base64, the others a list of bytes, and neither what the other takes."""
    wanted: type = str if name.endswith("turbo") else list
    audio = audio.get("body") if isinstance(audio, dict) else audio
    if not audio:
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'audio'")
    if not isinstance(audio, str | list) or not isinstance(audio, wanted):
        kinds = {str: "string", list: "array", bool: "boolean", int: "number", float: "number", dict: "object"}
        text = f"Error: Type mismatch of '/audio', '{kinds.get(type(audio), 'null')}' not in '{kinds[wanted]}'"
        raise InferenceError(400, 5006, text)
    try:
        return base64.b64decode(audio, validate=True) if isinstance(audio, str) else bytes(audio)
    except (TypeError, ValueError):
        problem = "'audio' is not base64" if wanted is str else "'audio' holds other things than bytes"
        raise InferenceError(400, 5006, f"Error: {problem}") from None


@cache
def _decoder() -> Any:
    from pocketsphinx import Decoder  # loads a model of 40 MB

    return Decoder(samprate=RATE, loglevel="FATAL")


def _recognise(samples: Samples) -> list[Word]:
    with ONE_AT_A_TIME:
        decoder = _decoder()
        decoder.start_stream()  # forgets what the noise was like before
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        found = [segment for segment in decoder.seg() or () if not segment.word.startswith(NOISE)]
    return [
        Word(
            segment.word.split("(")[0],
            segment.start_frame / FRAMES_PER_SECOND,
            (segment.end_frame + 1) / FRAMES_PER_SECOND,
        )
        for segment in found
    ]


def _vtt(words: list[Word]) -> str:
    lines = ["WEBVTT", ""]
    for place in range(0, len(words), 8):
        part = words[place : place + 8]
        span = f"{_clock(part[0].start)} --> {_clock(part[-1].end)}"
        lines += [span, " ".join(word.text for word in part), ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:06.3f}"


def speak(name: str, inputs: dict[str, Any]) -> tuple[bytes | None, dict[str, Any] | None]:
    """(audio bytes, None), or (None, object) for models that answer in JSON."""
    text = text_field(inputs, "prompt" if "melotts" in name else "text")
    audio = _espeak(text) or _tones(text)
    if "melotts" in name:
        return None, {"audio": base64.b64encode(audio).decode()}
    return audio, None


def _espeak(text: str) -> bytes | None:
    program = shutil.which("espeak-ng")
    if program is None:
        return None
    done = subprocess.run(
        [program, "--stdin", "--stdout"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 and done.stdout.startswith(b"RIFF") else None


def _tones(text: str) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for word in text.split():
            at = np.arange(int(RATE * 0.06 * max(2, len(word)))) / RATE
            tone = np.sin(2 * np.pi * (220 + 20 * (sum(map(ord, word)) % 12)) * at) * 8000
            file.writeframes(np.concatenate([tone, np.zeros(RATE // 20)]).astype("<i2").tobytes())
    return out.getvalue()
