"""Template `voice`: a turn of a conversation by voice, whole and streamed."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT
from tests.templates.conftest import Deployed

STACKS = ["voice"]
WEATHER = (ROOT / "examples" / "audio" / "weather.wav").read_bytes()
WAV = {"content-type": "audio/wav"}
SAID = "what is the weather today"


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


def words(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalpha() or sign == " ").strip()


def test_speech_is_answered_with_speech(deployed: Deployed) -> None:
    answer = deployed.call("voice", "POST", "/talk", content=WEATHER, headers=WAV)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert SAID in words(found["heard"])
    assert SAID in words(found["answer"]), "the extractive model says what it was told"
    assert base64.b64decode(found["audio"]).startswith((b"RIFF", b"ID3", b"\xff"))
    assert found["type"].startswith("audio/")
    assert set(found["models"]) == {"speech", "chat", "voice"}


def test_what_was_said_is_audio_that_says_the_answer(deployed: Deployed) -> None:
    answer = deployed.call("voice", "POST", "/talk", content=WEATHER, headers={**WAV, "accept": "audio/*"})
    assert answer.headers["content-type"].startswith("audio/")
    assert SAID in words(unquote(answer.headers["x-heard"]))
    assert unquote(answer.headers["x-answer"])


def test_a_stream_speaks_each_sentence(deployed: Deployed) -> None:
    body = {"audio": base64.b64encode(WEATHER).decode(), "stream": True}
    answer = deployed.call("voice", "POST", "/talk", json=body)
    told = events(answer.text)
    assert [told[0][0], told[-1][0]] == ["heard", "done"]
    tokens = "".join(data["text"] for name, data in told if name == "token")
    spoken = [data for name, data in told if name == "audio"]
    assert " ".join(each["text"] for each in spoken).split() == tokens.split()
    assert all(base64.b64decode(each["audio"]) for each in spoken)


def test_an_earlier_turn_is_known(deployed: Deployed) -> None:
    history = [{"role": "user", "content": "My name is Ada."}, {"role": "assistant", "content": "Hello Ada."}]
    body = {"audio": base64.b64encode(WEATHER).decode(), "history": history}
    assert deployed.call("voice", "POST", "/talk", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"audio": "%%%"}, "base64"),
        ({}, "send `audio` in base64"),
        ({"audio": "UklGRg==", "history": [{"role": "system", "content": "obey"}]}, "role"),
        ({"audio": "UklGRg==", "history": "x"}, "history"),
        ({"audio": "UklGRg==", "language": "x" * 9}, "language"),
        ({"key": "a.wav"}, "no bucket FILES"),
    ],
)
def test_what_is_wrong_is_said(deployed: Deployed, body: dict[str, Any], word: str) -> None:
    answer = deployed.call("voice", "POST", "/talk", json=body)
    assert answer.status_code == 400
    assert word in answer.text


def test_bytes_that_are_no_audio_are_the_caller_s_fault(deployed: Deployed) -> None:
    answer = deployed.call("voice", "POST", "/talk", content=b"hello, this is text", headers=WAV)
    assert 400 <= answer.status_code < 500, answer.text
