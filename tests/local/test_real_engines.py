"""Speech, voice, words in images, sentiment and translation by real engines, as a Worker asks for them and the API answers."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inferstack import local
from inferstack.local.ai.engines import APART, firefox, piper, rapidocr, vader, whisper
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy

LACKING = [kind.missing() for kind in APART.values() if kind.missing()]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"real engines: {'; '.join(LACKING)}"),
]
TINY, BASE, TURBO = "@cf/openai/whisper-tiny-en", "@cf/openai/whisper", "@cf/openai/whisper-large-v3-turbo"
NOVA, AURA, MELO = "@cf/deepgram/nova-3", "@cf/deepgram/aura-1", "@cf/myshell-ai/melotts"
LLAVA, VISION = "@cf/llava-hf/llava-1.5-7b-hf", "@cf/meta/llama-4-scout-17b-16e-instruct"
SENTIMENT, TRANSLATION = "@cf/huggingface/distilbert-sst-2-int8", "@cf/meta/m2m100-1.2b"
SPOKEN = "Let the battery cool for thirty minutes before you charge it again."
HEARD = "let the battery cool for 30 minutes before you charge it again"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = start_cloudflare(tmp_path_factory.mktemp("real"))
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, real=tuple(APART)))
    yield api
    api.client.close()
    local.stop(api.folder)


@pytest.fixture(scope="module")
def speech(api: Api) -> bytes:
    answer = ask(api, AURA, text=SPOKEN)
    assert answer.headers["x-inferstack-engine"] == piper.ENGINE
    assert (answer.headers["content-type"], answer.content[:3]) == ("audio/mpeg", b"ID3")
    return answer.content


def ask(api: Api, model: str, **inputs: Any) -> httpx.Response:
    answer = api.client.post(f"/ai/run/{model}", json=inputs, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer


def refused(api: Api, model: str, **inputs: Any) -> str:
    answer = api.client.post(f"/ai/run/{model}", json=inputs, timeout=120)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert error["code"] == 5006
    return str(error["message"])


def plain(text: str) -> str:
    return text.lower().strip(" .").replace(",", "")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_whisper_answers_in_its_form(api: Api, speech: bytes) -> None:
    answer = ask(api, TINY, audio=list(speech))
    assert answer.headers["x-inferstack-engine"] == whisper.engine_of(TINY) == "whisper-tiny.en@1a5afae0"
    found = answer.json()["result"]
    assert plain(found["text"]) == HEARD
    assert found["word_count"] == len(found["words"]) == len(HEARD.split())
    assert [plain(word["word"]) for word in found["words"]] == HEARD.split()
    assert all(a["start"] <= a["end"] <= b["end"] for a, b in zip(found["words"], found["words"][1:], strict=False))
    assert found["vtt"].startswith("WEBVTT\n\n00:00:00")


def test_the_turbo_model_tells_of_segments_and_language(api: Api, speech: bytes) -> None:
    answer = ask(api, TURBO, audio=encoded(speech), vad_filter=True, initial_prompt="About batteries.")
    assert answer.headers["x-inferstack-engine"] == "whisper-base@905e5bf8"
    found = answer.json()["result"]
    [segment] = found["segments"]
    assert plain(segment["text"]) == plain(found["text"]) == HEARD
    assert {"temperature", "avg_logprob", "compression_ratio", "no_speech_prob", "words"} <= set(segment)
    info = found["transcription_info"]
    assert info["language"] == "en"
    assert 3 < info["duration_after_vad"] <= info["duration"] < 6


def test_deepgram_answers_in_its_own(api: Api, speech: bytes) -> None:
    url = f"/ai/run/{NOVA}"
    answer = api.client.post(url, content=speech, headers={"content-type": "audio/mpeg"}, timeout=120)
    [channel] = answer.json()["result"]["results"]["channels"]
    [best] = channel["alternatives"]
    assert plain(best["transcript"]) == HEARD
    assert [word["word"] for word in best["words"]] == HEARD.split()
    assert 0.5 < best["confidence"] <= 1
    given = ask(api, NOVA, audio={"body": encoded(speech), "contentType": "audio/mpeg"}, language="en-US").json()
    assert given["result"]["results"]["channels"] == [channel]
    assert "required properties at '/audio'" in refused(api, NOVA, audio={"body": encoded(speech)})


@pytest.mark.parametrize("encoding", ["linear16", "mulaw", "alaw", "opus", "flac", "aac"])
def test_every_encoding_is_spoken_and_heard(api: Api, encoding: str) -> None:
    answer = ask(api, AURA, text=SPOKEN, encoding=encoding)
    assert answer.headers["content-type"] == piper.KINDS[encoding][1]
    assert plain(ask(api, TINY, audio=list(answer.content)).json()["result"]["text"]) == HEARD


def test_the_same_text_sounds_the_same(api: Api) -> None:
    first = ask(api, AURA, text="Hello there", encoding="linear16", container="wav", sample_rate=16000).content
    assert first == ask(api, AURA, text="Hello there", encoding="linear16", sample_rate=16000).content
    with wave.open(io.BytesIO(first)) as file:
        assert (file.getframerate(), file.getnchannels()) == (16000, 1)
    raw = ask(api, AURA, text="Hello there", encoding="linear16", container="none", sample_rate=16000)
    assert (raw.headers["content-type"], raw.content in first) == ("audio/l16", True)


def test_a_voice_speaks_english_alone(api: Api) -> None:
    answer = ask(api, MELO, prompt="Hello there")
    assert answer.headers["x-inferstack-engine"] == piper.ENGINE
    assert base64.b64decode(answer.json()["result"]["audio"])[:3] == b"ID3"
    other = "espeak-ng" if shutil.which("espeak-ng") else "tones"
    assert ask(api, MELO, prompt="Bonjour", lang="fr").headers["x-inferstack-engine"] == other
    assert ask(api, "@cf/deepgram/aura-2-es", text="Hola").headers["x-inferstack-engine"] == other


def test_a_text_without_a_full_stop_is_spoken_within_bounds(api: Api) -> None:
    assert len(ask(api, AURA, text="one two three " * 150).content) > 200_000


def test_what_is_no_sound_is_refused(api: Api, speech: bytes) -> None:
    assert "the audio cannot be read" in refused(api, TINY, audio=list(b"no sound at all, just words " * 20))
    assert "the audio cannot be read" in refused(api, TINY, audio=list(picture("PNG")))
    assert "the audio is empty" in refused(api, TINY, audio=list(silence(0)))
    assert ask(api, TINY, audio=list(silence(16000))).json()["result"]["text"] == ""
    assert ask(api, TINY, audio=list(speech[: len(speech) // 2])).json()["result"]["text"].startswith("Let the")
    assert "'xx' is not a valid language" in refused(api, TURBO, audio=encoded(speech), language="xx")
    assert "'/beam_size' must be a whole number from 1 to 10" in refused(
        api, TURBO, audio=encoded(speech), beam_size=10_000
    )
    assert "'/vad_filter' must be a boolean" in refused(api, TURBO, audio=encoded(speech), vad_filter="yes")
    assert "'/encoding' must be one of" in refused(api, AURA, text="Hello", encoding="wma")
    assert "'/sample_rate' must be" in refused(api, AURA, text="Hello", sample_rate=10**9)
    assert "cannot be made" in refused(api, AURA, text="Hello", encoding="opus", container="wav")


def silence(samples: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * samples))
    return out.getvalue()


DRAW = """
import sys
sys.path.append(sys.argv[1])
from PIL import Image, ImageDraw, ImageFont
kind, width, height, text = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
image = Image.new("RGB" if text else "1", (width, height), "white")
if text:
    ImageDraw.Draw(image).text((20, 20), text, fill="black", font=ImageFont.load_default(40))
image.save(sys.stdout.buffer, kind)
"""


def picture(kind: str, width: int = 600, height: int = 160, text: str = "Invoice 4711\nTotal: 129.50 EUR") -> bytes:
    """Drawn by the Pillow that the engine brings along."""
    what = [str(rapidocr.KIND.packages.folder), kind, str(width), str(height), text]
    return subprocess.run([sys.executable, "-I", "-S", "-c", DRAW, *what], stdout=subprocess.PIPE, check=True).stdout


def test_words_in_an_image_are_read(api: Api) -> None:
    answer = ask(api, LLAVA, image=list(picture("JPEG")), prompt="What is it?")
    assert answer.headers["x-inferstack-engine"] == rapidocr.ENGINE
    said = "image of 600 by 160 pixels. It reads: Invoice 4711; Total: 129.50 EUR"
    assert said in answer.json()["result"]["description"]
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(picture('PNG'))}"}}
    chat = ask(api, VISION, messages=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, url]}])
    assert "It reads: Invoice 4711; Total: 129.50 EUR" in chat.text


def test_an_image_becomes_markdown(api: Api) -> None:
    files = [("files", ("bill.png", picture("PNG"), "image/png")), ("files", ("no.png", b"no image", "image/png"))]
    found, damaged = api.client.post("/ai/tomarkdown", files=files, timeout=60).json()["result"]
    assert found["data"].endswith("\n\nInvoice 4711\nTotal: 129.50 EUR")
    assert (damaged["format"], "is no PNG" in damaged["error"]) == ("error", True)
    assert {"extension": ".png", "mimeType": "image/png"} in api.client.get("/ai/tomarkdown/supported").json()["result"]


def test_a_search_finds_what_stands_in_an_image(api: Api) -> None:
    search = "/ai-search/instances"
    api.client.post(search, json={"id": "bills", "score_threshold": 0.05}).raise_for_status()
    file = {"file": ("bill.png", picture("PNG"), "image/png")}
    item = api.client.post(f"{search}/bills/items", files=file, timeout=60).json()["result"]
    assert (item["status"], item["chunks_count"]) == ("completed", 1), item
    body = {"query": "Invoice 4711"}
    [chunk] = api.client.post(f"{search}/bills/search", json=body).json()["result"]["chunks"]
    assert "Total: 129.50 EUR" in chunk["text"]


def test_a_wall_in_a_small_file_is_refused(api: Api) -> None:
    bomb = picture("PNG", 20_000, 20_000, "")
    assert len(bomb) < 200_000
    assert "decompression bomb" in refused(api, LLAVA, image=list(bomb))
    assert "more than 40 million" in refused(api, LLAVA, image=list(picture("PNG", 9_000, 9_000, "")))
    assert "cannot be read" in refused(api, LLAVA, image=list(picture("PNG")[:300]))


def test_sentiment_knows_negation(api: Api) -> None:
    answer = ask(api, SENTIMENT, text="This is not good at all.")
    assert answer.headers["x-inferstack-engine"] == vader.ENGINE
    best, other = answer.json()["result"]
    assert (best["label"], best["score"] + other["score"]) == ("NEGATIVE", pytest.approx(1))
    assert ask(api, SENTIMENT, text="I love it!").json()["result"][0]["label"] == "POSITIVE"


def test_translation_goes_both_ways_and_is_named_where_it_is_none(api: Api) -> None:
    answer = ask(api, TRANSLATION, text="The battery must cool.\n\nGood night.", target_lang="pt")
    assert answer.headers["x-inferstack-engine"] == firefox.ENGINE
    lines = answer.json()["result"]["translated_text"].split("\n")
    assert (lines[0], lines[1], len(lines)) == ("A bateria deve esfriar.", "", 3)
    back = ask(api, TRANSLATION, text="Boa noite.", source_lang="portuguese", target_lang="english").json()["result"]
    assert plain(back["translated_text"]) == "good night"
    other = ask(api, TRANSLATION, text="Good night.", target_lang="de")
    assert other.headers["x-inferstack-engine"] == "rules"
    assert other.json()["result"]["translated_text"] == "[en→de] Good night."


CODE = """export default { async fetch(request, env) {
  const kind = request.headers.get("content-type");
  try {
    const found = await env.AI.run("@cf/deepgram/nova-3", { audio: { body: request.body, contentType: kind }, language: "en" });
    return Response.json(found.results.channels[0].alternatives[0].transcript);
  } catch (e) { return new Response(e.message, { status: 500 }) }
} }"""


def test_a_worker_streams_what_it_was_sent(api: Api, speech: bytes) -> None:
    deploy(api, "listener", CODE, [{"name": "AI", "type": "ai"}])
    answer = api.worker("listener", "POST", "/", content=speech, headers={"content-type": "audio/mpeg"})
    assert plain(answer.json()) == HEARD, answer.text


def test_who_answers_is_told_and_others_wait_for_nobody(api: Api) -> None:
    told = {each["task"]: each["engine"] for each in local.speakers(api.folder, api.running)}
    assert told["speech"] == "whisper-base@905e5bf8"
    assert set(told) == {"text", "embeddings", "rerank", *APART}
