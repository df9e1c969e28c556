"""Templates `image`, `vision`, `transcribe` and `speak`."""

from __future__ import annotations

import base64
import io
import time
import wave
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import ROOT
from tests.templates.conftest import Deployed

STACKS = ["image", "vision", "transcribe", "speak"]
EXTRAS = """
models:
  sdxl: { model: "@cf/stabilityai/stable-diffusion-xl-base-1.0" }
  flux2: { model: "@cf/black-forest-labs/flux-2-dev" }
  melo: { model: "@cf/myshell-ai/melotts" }
  sees: { model: "@cf/meta/llama-4-scout-17b-16e-instruct", system: Look closely. }
  small-whisper: { model: "@cf/openai/whisper" }
workers:
  image: { options: { link_seconds: 2 } }
  transcribe: { options: { part_seconds: 20 } }
""" + "".join(
    f"""
  {name}:
    template: {template}
    compatibility_date: "2026-06-01"
    models: {{ {role}: {model} }}
    bindings: {{ AI: {{ ai: true }}{more} }}
    secrets: {{ API_TOKEN: file:.inferstack/secrets/sample-api-token{secret} }}
"""
    for name, template, role, model, more, secret in (
        ("sdxl", "image", "image", "sdxl", ", IMAGES: { bucket: images }", ", LINK_SECRET: file:.inferstack/secrets/x"),
        (
            "flux2",
            "image",
            "image",
            "flux2",
            ", IMAGES: { bucket: images }",
            ", LINK_SECRET: file:.inferstack/secrets/x",
        ),
        (
            "limited",
            "image",
            "image",
            "sdxl",
            ", IMAGES: { bucket: images }, RATE_LIMITER: { rate_limit: { requests: 3, seconds: 60 } }",
            ", LINK_SECRET: file:.inferstack/secrets/x",
        ),
        ("seeing-chat", "vision", "vision", "sees", "", ""),
        ("melo", "speak", "voice", "melo", "", ""),
        ("small", "transcribe", "speech", "small-whisper", "", ""),
    )
)
WEATHER = (ROOT / "examples" / "audio" / "weather.wav").read_bytes()
SAID = "what is the weather today"


@pytest.mark.parametrize("worker", ["image", "sdxl", "flux2"])
def test_image_as_bytes_by_seed(deployed: Deployed, worker: str) -> None:
    body = {"prompt": "a red bicycle", "seed": 7, "steps": 4, "width": 512, "height": 256}
    one = deployed.call(worker, "POST", "/images", json=body, headers={"accept": "image/png"})
    assert one.status_code == 200, one.text
    assert one.headers["content-type"] == "image/png"
    assert one.content.startswith(b"\x89PNG")
    again = deployed.call(worker, "POST", "/images", json={**body, "format": "bytes"})
    assert again.content == one.content


def test_image_as_json(deployed: Deployed) -> None:
    answer = deployed.post("image", "/images", {"prompt": "a red bicycle", "format": "json"}).json()
    assert base64.b64decode(answer["image"]).startswith(b"\x89PNG")


def fetch(deployed: Deployed, link: str) -> httpx.Response:
    """As a browser: no key."""
    parts = urlsplit(link)
    url = f"http://127.0.0.1:{deployed.project.running.port}{parts.path}?{parts.query}"
    return httpx.get(url, headers={"host": parts.netloc})


def test_image_links_are_signed_and_expire(deployed: Deployed) -> None:
    made = deployed.post("image", "/images", {"prompt": "a red bicycle"})
    assert made.status_code == 201
    link = made.json()["url"]
    assert fetch(deployed, link).content.startswith(b"\x89PNG")
    assert fetch(deployed, link.replace("expires=", "expires=9")).status_code == 403
    assert fetch(deployed, link[:-2] + ("00" if link[-2:] != "00" else "11")).status_code == 403
    time.sleep(3.1)
    assert fetch(deployed, link).status_code == 410


def test_image_sizes_are_checked(deployed: Deployed) -> None:
    wrong = deployed.post("image", "/images", {"prompt": "x", "width": 100, "height": 4000})
    assert wrong.json()["errors"] == [
        "width must be at least 256",
        "width must be a multiple of 8",
        "height must be at most 2048",
    ]


def test_vision_by_a_chat_model_that_reads_images(deployed: Deployed) -> None:
    png = (ROOT / "examples" / "images" / "bicycle.png").read_bytes()
    answer = deployed.call("seeing-chat", "POST", "/describe", content=png, headers={"content-type": "image/png"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["description"].startswith("A PNG image of ")
    assert answer.json()["model"] == "@cf/meta/llama-4-scout-17b-16e-instruct"


def test_vision_reads_bytes_base64_and_r2(deployed: Deployed) -> None:
    body = {"prompt": "a red bicycle", "format": "bytes"}
    png = deployed.post("image", "/images", body).content
    by_bytes = deployed.call("vision", "POST", "/describe", content=png, headers={"content-type": "image/png"}).json()
    assert by_bytes["description"].startswith("A PNG image of 512 by 512 pixels")
    by_base64 = deployed.post("vision", "/describe", {"image": base64.b64encode(png).decode()}).json()
    assert by_base64 == by_bytes
    deployed.project.api("PUT", "/r2/buckets/pictures-sample/objects/one.png", content=png)
    assert deployed.post("vision", "/describe", {"key": "one.png"}).json() == by_bytes
    assert deployed.post("vision", "/describe", {"key": "two.png"}).status_code == 404
    sent = {"content": b"no image", "headers": {"content-type": "image/png"}}
    assert deployed.call("vision", "POST", "/describe", **sent).json()["code"] == "model_refused"


@pytest.mark.parametrize("worker", ["transcribe", "small"])
def test_transcribe_gives_text_segments_and_vtt(deployed: Deployed, worker: str) -> None:
    answer = deployed.call(worker, "POST", "/transcribe", content=WEATHER, headers={"content-type": "audio/wav"}).json()
    assert answer["text"] == SAID
    assert answer["segments"][0]["text"] == SAID
    assert answer["vtt"].startswith("WEBVTT\n\n00:00:00.0")
    assert answer["vtt"].endswith(SAID + "\n")


def test_transcribe_takes_base64_and_answers_in_other_formats(deployed: Deployed) -> None:
    body = {"audio": base64.b64encode(WEATHER).decode(), "language": "en"}
    assert deployed.post("transcribe", "/transcribe?format=text", body).text == SAID
    assert deployed.post("transcribe", "/transcribe?format=vtt", body).headers["content-type"].startswith("text/vtt")
    assert deployed.post("transcribe", "/transcribe?format=xml", body).status_code == 400


def test_transcribe_cuts_long_audio(deployed: Deployed) -> None:
    with wave.open(io.BytesIO(WEATHER)) as file:
        params, frames = file.getparams(), file.readframes(file.getnframes())
    silence = b"\0\0" * (params.framerate * 20 - len(frames) // 2)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams(params)
        file.writeframes(frames + silence + frames)
    sent: dict[str, Any] = {"content": out.getvalue(), "headers": {"content-type": "audio/wav"}}
    answer = deployed.call("transcribe", "POST", "/transcribe", **sent).json()
    assert answer["parts"] == 2
    assert answer["text"] == f"{SAID} {SAID}"
    assert 20 <= answer["segments"][-1]["start"] < 23


@pytest.mark.parametrize("worker", ["speak", "melo"])
def test_speak_gives_audio(deployed: Deployed, worker: str) -> None:
    answer = deployed.post(worker, "/speak", {"text": "Hello there"})
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getnframes() > file.getframerate() // 4


def test_an_open_route_has_a_rate_by_address(deployed: Deployed) -> None:
    """Links need no key: guessing them costs the address that guesses, and no caller with a key."""
    with deployed.client("limited") as stranger:
        del stranger.headers["authorization"]
        guesses = [stranger.get(f"/images/x?expires=1&signature={n}") for n in range(5)]
    assert [answer.status_code for answer in guesses] == [403, 403, 403, 429, 429]
    assert guesses[-1].headers["retry-after"] == "60"
    assert deployed.post("limited", "/images", {"prompt": "a red bicycle", "steps": 1}).status_code == 201
