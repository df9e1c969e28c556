"""One inference: model and inputs in, an object, a stream or bytes out. Shapes: facts `ai-binding.md` §3."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from inferstack import catalog
from inferstack.local.ai import speech, text_tasks, vision
from inferstack.local.ai.engines import Engines
from inferstack.local.ai.engines.gguf import Gguf, is_gguf
from inferstack.local.ai.faults import Fault, Faults, InferenceError
from inferstack.local.ai.generation import generate, is_guard
from inferstack.local.ai.hazards import PROMPT_GUARD, is_injection
from inferstack.local.ai.images import draw
from inferstack.local.ai.limits import check_bounds
from inferstack.local.ai.markdown import WordsIn, to_markdown
from inferstack.local.ai.recordings import Recordings
from inferstack.local.ai.shapes import Answer
from inferstack.local.ai.text_server import TextServer
from inferstack.local.ai.upstream import ask_server
from inferstack.local.traces.calls import begin_inference

__all__ = ["Answer", "InferenceError", "Models"]
MOST_TEXTS = 100
REMEMBERED = 500


@dataclass(slots=True)
class Call:
    """An inference as it goes on: `state` is running, done, failed or cancelled; `pieces` of a stream were sent."""

    model: str
    state: str = "running"
    pieces: int = 0


class Models:
    """Runs models, meets the planned faults, and remembers the last calls."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        self.text_server: TextServer | Gguf | None = None
        self.engines = Engines()
        self.recordings: Recordings | None = None

    def speak_by(self, address: str) -> None:
        """Of a text server, or the path of a GGUF file; empty for the extractive model."""
        former = self.text_server
        if isinstance(former, Gguf):
            former.end()
        if is_gguf(address):
            self.text_server = Gguf(Path(address))
        else:
            self.text_server = TextServer(address) if address else None

    async def run(self, name: str, inputs: dict[str, Any], *, openai: bool = False) -> Answer:
        """Raises `InferenceError`. `openai`: in OpenAI's form, whatever the model's own is."""
        model, server = catalog.find_model(name), self.text_server
        if openai and model and model.task == "Text Generation":
            model = replace(model, output_style="openai")

        async def work(says: str | None) -> Answer:
            if model:
                check_bounds(model, inputs)
            form = "openai" if openai and model and model.task == "Text Generation" else "own"
            return await self._recorded(name, form, inputs, says, lambda: live(says))

        async def live(says: str | None) -> Answer:
            if server and model and model.task == "Text Generation" and says is None and not is_guard(model):
                return await server.run(model, inputs)
            return await self._run(name, inputs, model, says)

        return await self._tracked(name, inputs, work)

    async def _recorded(
        self, name: str, form: str, inputs: dict[str, Any], says: str | None, live: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        tape = self.recordings
        if tape is None or says is not None or not isinstance(inputs, dict):
            return await live()
        return await tape.run(name, form, inputs, live)

    async def _run(
        self, name: str, inputs: dict[str, Any], model: catalog.Model | None, says: str | None = None
    ) -> Answer:
        answer = await _run(name, inputs, model, says, self.engines)
        engine = "planned fault" if says is not None or model is None else self.engines.name(model, inputs)
        return replace(answer, engine=engine)

    async def speakers(self) -> list[dict[str, str]]:
        """Who answers which task: `task`, `engine`, `about`, and `error` where nobody does."""
        server = self.text_server
        text = {"task": "text", "engine": "extractive", "about": "fast"} if server is None else await server.shown()
        return [text, *self.engines.shown()]

    @property
    def image_reader(self) -> WordsIn | None:
        """Who reads the words in an image; None where nobody does."""
        return self.engines.words_in if "images" in self.engines.real else None

    async def to_markdown(self, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As `markdown.to_markdown`, images by the engine that reads words in them. Raises `InferenceError`."""
        return await self.engines.queued("images", partial(to_markdown, files, self.image_reader))

    async def chat(self, name: str, inputs: dict[str, Any]) -> Answer:
        """A chat of a model that is none of Workers AI's, in OpenAI's shape; `name` is `provider/model`."""
        style = catalog.Model(name=name, task="Text Generation", status="live", input_style="openai", streaming=True)

        async def live(says: str | None) -> Answer:
            server = self.text_server
            if server and says is None:
                return await server.run(style, inputs)
            return await self._run(name, inputs, style, says)

        return await self._tracked(
            name, inputs, lambda says: self._recorded(name, "chat", inputs, says, lambda: live(says))
        )

    async def finds_injection(self, text: str) -> bool:
        """What prompt-guard tells of a text: whether it leads a model away from its instructions."""

        async def work(says: str | None) -> Answer:
            return Answer(value={"label": says or ("MALICIOUS" if is_injection(text) else "BENIGN")})

        answer = await self._tracked(PROMPT_GUARD, {"text": text}, work)
        return bool(answer.value["label"] == "MALICIOUS")

    async def ask_server(self, url: str, name: str, inputs: dict[str, Any], headers: dict[str, str]) -> Answer:
        """A model that an OpenAI-compatible server on this machine runs."""
        return await self._tracked(name, inputs, lambda _: ask_server(url, {**inputs, "model": name}, headers))

    async def _tracked(self, name: str, inputs: Any, run: Callable[[str | None], Awaitable[Answer]]) -> Answer:
        """`run` is given what a planned fault lets the model say."""
        call, fault = Call(name), self.faults.take(name) or Fault(name)
        self.calls.append(call)
        seen = begin_inference(name, inputs)
        try:
            await asyncio.sleep(fault.delay_ms / 1000)
            if fault.error is not None:
                raise fault.error
            answer = await run(fault.answer)
        except asyncio.CancelledError:
            call.state = "cancelled"
            raise
        except InferenceError as error:
            call.state = "failed"
            seen.end(error=f"{error.code}: {error.message}")
            raise
        if answer.stream is not None:
            return replace(answer, stream=seen.heard(_paced(answer.stream, call, fault)))
        call.state = "done"
        seen.end(answer.value, answer.usage)
        return answer


async def _paced(stream: AsyncIterator[bytes], call: Call, fault: Fault) -> AsyncIterator[bytes]:
    try:
        async for piece in stream:
            if fault.break_after is not None and call.pieces >= fault.break_after:
                raise ConnectionResetError("planned fault: the stream breaks off")
            yield piece
            call.pieces += 1
            await asyncio.sleep(fault.token_ms / 1000)
        call.state = "done"
    except ConnectionError:
        call.state = "failed"
        raise
    finally:
        if call.state == "running":
            call.state = "cancelled"


async def _run(
    name: str, inputs: dict[str, Any], model: catalog.Model | None, says: str | None, engines: Engines
) -> Answer:
    """A task without an emulation here is refused by name, never answered with a made-up value."""
    if model is None:
        raise InferenceError(400, 5007, f"No such model {name} or task")
    if not isinstance(inputs, dict):
        raise InferenceError(400, 5006, "Invalid input")
    if model.task == "Text Generation":
        return await generate(model, inputs, says, await _words_shown(model, inputs, says, engines))
    if model.task == "Text-to-Image":
        return await asyncio.to_thread(_image, inputs, name)
    if model.task == "Text-to-Speech":
        real = engines.real_task(model, inputs) is not None
        return await engines.run(model, inputs, partial(speech.speak, name, inputs, engines, real=real))
    value = await engines.run(model, inputs, partial(_value, model, inputs, engines))
    if value is None:
        text = f"No such model {name} or task: the local Cloudflare does not run {model.task} models"
        raise InferenceError(501, 5007, text)
    return Answer(value=value)


async def _words_shown(model: catalog.Model, inputs: dict[str, Any], says: str | None, engines: Engines) -> list[str]:
    """The lines in the image that a chat shows, where somebody reads them."""
    if says is not None or not model.vision or "images" not in engines.real:
        return []
    messages = inputs.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    image = vision.image_of(last.get("content")) if isinstance(last, dict) else None
    return [] if image is None else await engines.queued("images", partial(engines.words_in, image))


def _value(model: catalog.Model, inputs: dict[str, Any], engines: Engines) -> Any:
    """What the tasks with one JSON answer give; None for those that are not here."""
    if model.task == "Text Embeddings":
        return _embeddings(model, inputs, engines)
    if model.task == "Text Classification":
        return text_tasks.rerank(inputs, engines) if "reranker" in model.name else text_tasks.classify(inputs, engines)
    if model.task == "Automatic Speech Recognition" and "flux" not in model.name:  # it is spoken to by WebSocket alone
        return speech.transcribe(model.name, inputs, engines)
    if model.task == "Image-to-Text":
        image = vision.image_bytes(inputs)
        return {"description": vision.describe(image, engines.words_in)}
    if model.task == "Translation":
        return text_tasks.translate(inputs, engines)
    return text_tasks.summarize(inputs) if model.task == "Summarization" else None


def _embeddings(model: catalog.Model, inputs: dict[str, Any], engines: Engines) -> dict[str, Any]:
    text, key = inputs.get("text", inputs.get("queries", inputs.get("documents"))), "data"
    if model.name.endswith("bge-m3") and "contexts" in inputs:  # by a query their order, else their vectors
        if inputs.get("query") is not None:
            return text_tasks.rerank(inputs, engines)
        text, key = text_tasks.contexts_of(inputs), "response"
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'text'")
    if len(texts) > MOST_TEXTS:
        raise InferenceError(400, 5006, f"Error: maxItems of '/text' is {MOST_TEXTS}, got {len(texts)}")
    pooling = inputs.get("pooling", "mean")
    vectors = engines.embed(texts, model.dimensions, pooling)
    shape = list(vectors.shape)
    return {"shape": shape, key: vectors.tolist(), "pooling": pooling}


def _image(inputs: dict[str, Any], name: str) -> Answer:
    prompt = inputs.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'prompt'")
    width, height = (min(max(int(inputs.get(side) or 512), 256), 2500) for side in ("width", "height"))
    png = draw(prompt, int(inputs.get("seed") or 0), width, height)
    if "flux" in name or "lucid" in name:
        return Answer(value={"image": base64.b64encode(png).decode()})
    return Answer(data=png)
