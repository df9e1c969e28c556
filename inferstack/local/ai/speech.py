"""Speech: recognition by pocketsphinx, whose wheel ships its US English model; synthesis by espeak-ng where there is one.

Recognition reads WAV. Without espeak-ng, synthesis gives a WAV of tones, one for each word. Where `engines` has real ones,
Whisper recognises, any format, and Piper speaks.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import threading
import wave
from functools import cache
from typing import Any

import numpy as np

from inferstack.local.ai.engines import Engines, piper, whisper
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.heard import Heard, Segment, Word, as_nova, as_turbo, as_whisper
from inferstack.local.ai.shapes import Answer
from inferstack.local.ai.text_tasks import text_field
from inferstack.local.ai.wav import Samples, samples_of

RATE = 16_000  # Hz, what the acoustic model takes
FRAMES_PER_SECOND = 100
NAMES = {str: "a string", bool: "a boolean", int: "a whole number"}
NOISE = ("<", "[")  # pocketsphinx's own marks
ONE_AT_A_TIME = threading.Lock()


def transcribe(name: str, inputs: dict[str, Any], engines: Engines) -> dict[str, Any]:
    """In the form of the model. Raises `InferenceError`."""
    data = _audio(name, inputs.get("audio"))
    if "speech" in engines.real:
        options = _options(name, inputs)
        heard = engines.ask("speech", lambda process: whisper.hear(process, name, data, options))
    else:
        samples = samples_of(data, RATE)
        words = _recognise(samples)
        whole = Segment(text=" ".join(w.text for w in words), start=0, end=len(samples) / RATE, words=words)
        heard = Heard(seconds=len(samples) / RATE, segments=[whole] if words else [])
    if "deepgram" in name:
        return as_nova(heard)
    return as_turbo(heard) if name.endswith("turbo") else as_whisper(heard)


def _options(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the turbo model, or Nova's `language`, asks for."""
    found = {}
    for given, (option, kinds) in whisper.OPTIONS.items():
        value = inputs.get(given)
        if value is None or not (name.endswith("turbo") or ("deepgram" in name and given == "language")):
            continue
        if type(value) not in kinds or (given == "beam_size" and not 1 <= value <= whisper.MOST_BEAMS):
            most = f" from 1 to {whisper.MOST_BEAMS}" if given == "beam_size" else ""
            raise InferenceError(400, 5006, f"Error: '/{given}' must be {NAMES[kinds[0]]}{most}")
        found[option] = value.split("-")[0].lower() if given == "language" else value
    return {} if found.get("language") == "multi" else found


def _audio(name: str, audio: Any) -> bytes:
    """The turbo model takes base64, the others a list of bytes, and neither what the other takes; Nova takes both."""
    wanted: type = str if name.endswith("turbo") else list
    if isinstance(audio, dict):
        if "deepgram" in name and not isinstance(audio.get("contentType"), str):
            raise InferenceError(400, 5006, "Error: required properties at '/audio' are 'body,contentType'")
        audio = audio.get("body")
        wanted = str if "deepgram" in name and isinstance(audio, str) else wanted
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


def speak(name: str, inputs: dict[str, Any], engines: Engines, *, real: bool) -> Answer:
    """Bytes, or an object of models that answer in JSON. Raises `InferenceError`."""
    text = text_field(inputs, "prompt" if "melotts" in name else "text")
    if real:
        options = {} if "melotts" in name else inputs
        audio, kind = engines.ask("voice", lambda process: piper.speak(process, text, options))
    else:
        audio, kind = _espeak(text) or _tones(text), "audio/wav"
    if "melotts" in name:
        return Answer(value={"audio": base64.b64encode(audio).decode()})
    return Answer(data=audio, kind=kind)


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
