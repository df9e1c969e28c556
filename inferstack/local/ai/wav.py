"""WAV files as samples: whole numbers of 8 to 32 bits and floats, of any rate and number of channels.

Python's own `wave` reads no floats, and gives up on files whose length was not known when they were begun.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from inferstack.local.ai.faults import InferenceError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
OTHERS = {b"ID3": "MP3", b"\xff\xfb": "MP3", b"\xff\xf3": "MP3", b"\xff\xf2": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC"}
OTHERS |= {b"\x1aE\xdf\xa3": "WebM"}
Samples = np.ndarray[Any, np.dtype[np.int16]]
Levels = np.ndarray[Any, np.dtype[np.float64]]


def samples_of(data: bytes, rate: int) -> Samples:
    """One channel at `rate`. Raises `InferenceError`."""
    if data[:4] not in (b"RIFF", b"RIFX", b"RF64") or data[8:12] != b"WAVE":
        found = next((name for mark, name in OTHERS.items() if data.startswith(mark)), None)
        found = "MP4" if data[4:8] == b"ftyp" else found or "another format"
        raise _unread(f"reads audio as WAV; this is {found}")
    chunks = _chunks(data)
    form, sound = chunks.get(b"fmt ", b""), chunks.get(b"data")
    if len(form) < 16 or sound is None or data[:4] != b"RIFF":
        raise _unread("cannot read this WAV: a part of it is missing")
    kind, channels, given_rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack("<H", form[24:26])[0]
    if channels < 1 or given_rate < 1:
        raise _unread("cannot read this WAV: it names no channel or no rate")
    whole = sound[: len(sound) // (channels * max(1, bits // 8)) * channels * max(1, bits // 8)]
    mono = _levels(whole, kind, bits).reshape(-1, channels).mean(axis=1)
    if given_rate != rate and len(mono):
        places = np.arange(0, len(mono), given_rate / rate)
        mono = np.interp(places, np.arange(len(mono)), mono)
    return np.asarray(np.clip(mono * 32768, -32768, 32767), dtype=np.int16)


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """By name, the first of each. A length beyond the end is that of a stream: it goes to the end."""
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        found.setdefault(name, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return found


def _levels(data: bytes, kind: int, bits: int) -> Levels:
    """From -1 to 1."""
    if kind == FLOAT and bits in (32, 64):
        floats: Levels = np.nan_to_num(np.frombuffer(data, dtype=f"<f{bits // 8}").astype(np.float64))
        return floats
    if kind != PCM or bits not in (8, 16, 24, 32):
        raise _unread(f"reads WAV of whole numbers or floats; this one has form {kind} with {bits} bits")
    if bits == 8:
        return (np.frombuffer(data, dtype=np.uint8).astype(np.float64) - 128) / 128
    if bits == 24:
        parts = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        wide = np.zeros((len(parts), 4), dtype=np.uint8)
        wide[:, 1:] = parts
        deep: Levels = wide.reshape(-1).view("<i4").astype(np.float64) / 2**31
        return deep
    levels: Levels = np.frombuffer(data, dtype=f"<i{bits // 8}").astype(np.float64) / 2 ** (bits - 1)
    return levels


def _unread(why: str) -> InferenceError:
    return InferenceError(400, 5006, f"Error: the local Cloudflare {why}")
