"""Recordings of every form of WAV are heard alike; what is no WAV is refused by its name."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.wav import samples_of

RATE = 16_000
TONE = np.sin(np.arange(RATE // 2) / 9) * 0.5


def wav(
    kind: int, bits: int, rate: int = RATE, channels: int = 1, streamed: bool = False, extended: bool = False
) -> bytes:
    tone = np.interp(np.arange(0, len(TONE), RATE / rate), np.arange(len(TONE)), TONE)
    levels = np.repeat(tone, channels)
    if kind == 3:
        data = levels.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = (levels * 127 + 128).astype(np.uint8).tobytes()
    elif bits == 24:
        data = b"".join(struct.pack("<i", int(v * (2**31 - 1)))[1:] for v in levels)
    else:
        data = (levels * (2 ** (bits - 1) - 1)).astype(f"<i{bits // 8}").tobytes()
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extended else kind, channels, rate, rate * width, width, bits)
    form += struct.pack("<HHIH", 22, bits, 0, kind) + bytes(14) if extended else b""
    size = 0xFFFFFFFF if streamed else len(data)
    parts = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # of an odd length
    parts += b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", size if streamed else 4 + len(parts)) + b"WAVE" + parts


@pytest.mark.parametrize(
    "data",
    [
        wav(1, 8),
        wav(1, 16),
        wav(1, 24),
        wav(1, 32),
        wav(3, 32),
        wav(3, 64),
        wav(1, 16, rate=44_100, channels=2),
        wav(1, 24, rate=48_000),
        wav(3, 32, rate=22_050, channels=2),
        wav(1, 8, rate=8_000),
        wav(1, 16, streamed=True),
        wav(1, 24, extended=True),
        wav(1, 16)[:-1],
    ],
    ids=[
        "8",
        "16",
        "24",
        "32",
        "f32",
        "f64",
        "stereo",
        "48 kHz",
        "f32 stereo",
        "telephone",
        "stream",
        "extended",
        "cut",
    ],
)
def test_every_form_of_wav_is_heard_alike(data: bytes) -> None:
    heard = samples_of(data, RATE)
    expected = TONE * 32768
    assert abs(len(heard) - len(expected)) <= 3
    least = min(len(heard), len(expected)) - 200
    assert np.abs(heard[:least] - expected[:least]).mean() < 600  # 8 bits are coarse, and so is a rate of 8 kHz


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"ID3\x04rest", "reads audio as WAV; this is MP3"),
        (b"OggSrest", "this is Ogg"),
        (b"fLaCrest", "this is FLAC"),
        (b"\0\0\0\x20ftypM4A ", "this is MP4"),
        (b"\1\2\3\4", "this is another format"),
        (b"", "this is another format"),
        (wav(1, 16)[:20], "a part of it is missing"),
        (wav(2, 16), "has form 2 with 16 bits"),
        (
            wav(1, 16, channels=1).replace(struct.pack("<HHI", 1, 1, RATE), struct.pack("<HHI", 1, 0, RATE)),
            "no channel",
        ),
    ],
)
def test_what_is_no_wav_is_refused_by_its_name(data: bytes, why: str) -> None:
    with pytest.raises(InferenceError) as refused:
        samples_of(data, RATE)
    assert refused.value.code == 5006
    assert why in refused.value.message
