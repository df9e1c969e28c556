"""What `bench/quality.py` asks of the engines for speech, voice, images, sentiment, translation and text."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "quality_cases.yaml").read_text())
TINY, BASE, AURA = "@cf/openai/whisper-tiny-en", "@cf/openai/whisper", "@cf/deepgram/aura-1"
LLAVA, MOODS, TRANSLATOR = (
    "@cf/llava-hf/llava-1.5-7b-hf",
    "@cf/huggingface/distilbert-sst-2-int8",
    "@cf/meta/m2m100-1.2b",
)
CHAT = "@cf/meta/llama-3.2-3b-instruct"
RECORD = {"name": "string", "age": "integer", "city": "string"}
TOOLS = {"weather": "city", "track_parcel": "number", "send_message": "to"}
DRAW = """
import sys
sys.path.append(sys.argv[1])
from PIL import Image, ImageDraw, ImageFont
image = Image.new("RGB", (600, 200), "white")
ImageDraw.Draw(image).text((20, 20), sys.argv[2], fill="black", font=ImageFont.load_default(40))
image.save(sys.stdout.buffer, "PNG")
"""


class Asked(Protocol):
    """A local Cloudflare with some engines."""

    def run(self, model: str, **inputs: Any) -> tuple[Any, str]: ...

    def memory(self) -> float: ...


@dataclass
class Figures:
    """Of one engine. `scores` are shares of 1, `load_s` seconds to the first answer, MiB, and `speed` in `unit`."""

    engine: str
    scores: dict[str, float]
    load_s: float
    memory_mib: float
    speed: float
    unit: str


class Watch:
    """Times the first answer and the rest, and what memory there is more at the end."""

    def __init__(self, cloud: Asked) -> None:
        self._cloud, self._before, self._began = cloud, cloud.memory(), time.perf_counter()
        self._first: float | None = None

    def answered(self) -> None:
        if self._first is None:
            self._first = time.perf_counter()

    def figures(self, engine: str, scores: dict[str, float], amount: float, unit: str) -> Figures:
        """`amount` was done after the first answer."""
        assert self._first is not None
        rest = time.perf_counter() - self._first
        more = self._cloud.memory() - self._before
        return Figures(engine, scores, self._first - self._began, more, amount / rest, unit)


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: str, heard: str) -> int:
    """Words that must be changed, added or left out."""
    wanted, found = words_of(said), words_of(heard)
    row = list(range(len(found) + 1))
    for place, word in enumerate(wanted, 1):
        previous, row = row, [place]
        for column, other in enumerate(found, 1):
            row.append(min(previous[column] + 1, row[-1] + 1, previous[column - 1] + (word != other)))
    return row[-1]


def seconds_of(sound: bytes) -> float:
    with wave.open(io.BytesIO(sound)) as file:
        return file.getnframes() / file.getframerate()


def heard_by(model: str) -> Any:
    def speech(cloud: Asked, sounds: dict[str, bytes]) -> Figures:
        watch, wrong, seconds, engine = Watch(cloud), 0, 0.0, ""
        cloud.run(model, audio=list(sounds[CASES["spoken"][0]]))
        watch.answered()
        for said, sound in sounds.items():
            answer, engine = cloud.run(model, audio=list(sound))
            wrong += word_errors(said, answer["text"])
            seconds += seconds_of(sound)
        share = wrong / sum(len(words_of(each)) for each in sounds)
        return watch.figures(engine, {"word errors": share}, seconds, "seconds of speech a second")

    return speech


def voice(cloud: Asked, _: Any) -> Figures:
    """As Whisper base hears it, where that answers."""
    watch, spoken, engine = Watch(cloud), {}, ""
    cloud.run(AURA, text="One.", encoding="linear16")
    watch.answered()
    for each in CASES["spoken"]:
        spoken[each], engine = cloud.run(AURA, text=each, encoding="linear16")
    seconds = sum(map(seconds_of, spoken.values()))
    found = watch.figures(engine, {}, seconds, "seconds of speech a second")
    errors = sum(word_errors(each, cloud.run(BASE, audio=list(sound))[0]["text"]) for each, sound in spoken.items())
    found.scores["word errors, as Whisper hears it"] = errors / sum(len(words_of(each)) for each in spoken)
    return found


def images(cloud: Asked, pictures: list[bytes]) -> Figures:
    watch, right, engine = Watch(cloud), 0, ""
    cloud.run(LLAVA, image=list(pictures[0]), prompt="What is it?")
    watch.answered()
    for lines, picture in zip(CASES["lines"], pictures, strict=True):
        answer, engine = cloud.run(LLAVA, image=list(picture), prompt="What is it?")
        right += sum(line in answer["description"] for line in lines)
    share = right / sum(map(len, CASES["lines"]))
    return watch.figures(engine, {"lines read": share}, len(pictures), "images a second")


def sentiment(cloud: Asked, _: Any) -> Figures:
    watch, right, count, engine = Watch(cloud), 0, 0, ""
    cloud.run(MOODS, text="One.")
    watch.answered()
    for label, texts in CASES["feelings"].items():
        for text in texts:
            answer, engine = cloud.run(MOODS, text=text)
            right, count = right + (answer[0]["label"] == label), count + 1
    return watch.figures(engine, {"right": right / count}, count, "texts a second")


def translation(cloud: Asked, _: Any) -> Figures:
    watch, right, words, engine = Watch(cloud), 0, 0, ""
    cloud.run(TRANSLATOR, text="One.", target_lang="pt")
    watch.answered()
    for text, wanted in CASES["translations"]:
        answer, engine = cloud.run(TRANSLATOR, text=text, target_lang="pt")
        said = answer["translated_text"].lower()
        right, words = right + all(word in said for word in wanted), words + len(words_of(text))
    share = right / len(CASES["translations"])
    return watch.figures(engine, {"right": share}, words, "words a second")


def text(cloud: Asked, _: Any) -> Figures:
    watch, tokens, engine = Watch(cloud), 0, ""
    cloud.run(CHAT, prompt="Say hello.", max_tokens=8)
    watch.answered()
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in RECORD.items()},
        "required": list(RECORD),
    }
    valid = fields = called = 0
    for said, wanted in CASES["records"]:
        form = {"type": "json_schema", "json_schema": schema}
        answer, engine = cloud.run(CHAT, prompt=said, response_format=form, temperature=0, max_tokens=100)
        found, tokens = answer["response"], tokens + answer["usage"]["completion_tokens"]
        valid += isinstance(found, dict) and set(found) == set(RECORD)
        fields += sum(found.get(name) == value for name, value in wanted.items())
    tools = [_tool(name, field) for name, field in TOOLS.items()]
    for question, name, word in CASES["calls"]:
        messages = [{"role": "user", "content": question}]
        answer, engine = cloud.run(CHAT, messages=messages, tools=tools, temperature=0, max_tokens=100)
        tokens += answer["usage"]["completion_tokens"]
        calls = answer["tool_calls"]
        called += bool(calls) and calls[0]["name"] == name and word in json.dumps(calls[0]["arguments"])
    count = len(CASES["records"])
    scores = {"JSON valid": valid / count, "fields right": fields / (count * len(RECORD))}
    scores["tools called right"] = called / len(CASES["calls"])
    return watch.figures(engine, scores, tokens, "tokens a second")


def _tool(name: str, field: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    return {"name": name, "description": name.replace("_", " "), "parameters": parameters}


def sounds_of(cloud: Asked) -> dict[str, bytes]:
    """The sentences as the cloud's voice speaks them, WAV."""
    spoken = {}
    for each in CASES["spoken"]:
        sound, _ = cloud.run(AURA, text=each, encoding="linear16", sample_rate=16_000)
        spoken[each] = sound if isinstance(sound, bytes) else base64.b64decode(sound)
    return spoken


def pictures_of(packages: Path) -> list[bytes]:
    """Drawn by the Pillow that the engine for images brings along."""
    command = [sys.executable, "-I", "-S", "-c", DRAW, str(packages)]
    drawn = (
        subprocess.run([*command, "\n".join(lines)], stdout=subprocess.PIPE, check=True) for lines in CASES["lines"]
    )
    return [each.stdout for each in drawn]
