"""Three OpenAI-compatible servers as they really speak, on loopback, over one small "model" that answers by fixed rules.

Wire forms: llama.cpp recorded from build 2026.10.11549 of xllamacpp on 2026-11-27 (its calls in a stream by its own
`common_chat_msg_diff`); Ollama by ollama/ollama#7881, #5915, #9092, #6027 and docs.ollama.com/api; vLLM by
`vllm/entrypoints/openai/serving_chat.py` and `protocol.py`. They forgive as little as the real ones do.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from inferstack.local.ai.structured import fill_schema

Chunk = dict[str, Any]
USAGE = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
WORDS = ("It is ", "sunny\u2028", "in Bern")  # llama.cpp does not escape: a line separator must not end an event
ARGUMENTS = {"city": "Bern"}


class Refused(Exception):
    """Status and body."""


@dataclass
class Wire:
    """How bytes leave: line ends, comments between events, and where borders of pieces fall."""

    end: str = "\n"
    comment: str = ""
    piece: int = 0


@dataclass
class Running:
    """A server, and what it was asked last."""

    url: str = ""
    wire: Wire = field(default_factory=Wire)
    sees: bool = True
    calls: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)  # a client, before an endless stream was over


class Dialect(BaseHTTPRequestHandler):
    """What all three share; a subclass says how it tells it."""

    protocol_version = "HTTP/1.1"
    running: Running
    name: ClassVar[str]

    def do_GET(self) -> None:
        self._json(200, self.models())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.path.endswith("/chat/completions"):
            self._json(*self.other(body))
            return
        self.running.asked.append(body)
        try:
            said = body["messages"][-1]["content"]
            self.check(body)
            if said == "busy":
                raise Refused(*self.busy())
            if said == "too long":
                raise Refused(*self.too_long())
            if said == "broken":
                raise Refused(500, {"error": {"message": "CUDA error", "code": 500}})
        except Refused as refused:
            self._json(*refused.args)
            return
        if body.get("stream"):
            self._stream(body, said)
        else:
            self._json(200, self.completion(body))

    def models(self) -> Chunk:
        raise NotImplementedError

    def other(self, body: Chunk) -> tuple[int, Chunk]:
        return 404, {"error": f"not found: {sorted(body)}"}

    def check(self, body: Chunk) -> None:
        raise NotImplementedError

    def busy(self) -> tuple[int, Chunk]:
        raise NotImplementedError

    def too_long(self) -> tuple[int, Chunk]:
        raise NotImplementedError

    def text_of(self, body: Chunk) -> str:
        said = body["messages"][-1]["content"]
        if said in ("fenced", "short"):
            return f"```json\n{json.dumps(ARGUMENTS)}\n```" if said == "fenced" else '{"city": "Be'
        if body.get("response_format"):
            return _fitting((body["response_format"].get("json_schema") or {}).get("schema"))
        return "A cat" if _images(body) else "".join(WORDS)

    def is_called(self, body: Chunk) -> bool:
        return bool(body.get("tools")) and body["messages"][-1]["role"] != "tool"

    def called(self, body: Chunk) -> Chunk:
        """The first tool, with arguments that fit."""
        function = body["tools"][0]["function"]
        return {"name": function["name"], "arguments": _fitting(function.get("parameters"))}

    def message(self, body: Chunk) -> Chunk:
        raise NotImplementedError

    def completion(self, body: Chunk) -> Chunk:
        finish = "tool_calls" if self.is_called(body) else "stop"
        finish = "length" if body["messages"][-1]["content"] == "short" else finish
        choice = {"index": 0, "message": self.message(body), "finish_reason": finish}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": self.name,
            "choices": [choice],
            "usage": USAGE,
        }

    def deltas(self, body: Chunk) -> Iterator[Chunk]:
        raise NotImplementedError

    def chunk(self, choices: list[Chunk], **more: Any) -> Chunk:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": self.name,
            "choices": choices,
            **more,
        }

    def _chunks(self, body: Chunk) -> Iterator[Chunk]:
        for delta in self.deltas(body):
            yield self.chunk([{"index": 0, "delta": delta, "finish_reason": None}])
        yield self.chunk([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if self.is_called(body) else "stop"}])
        if (body.get("stream_options") or {}).get("include_usage"):
            yield self.chunk([], usage=USAGE)

    def _stream(self, body: Chunk, said: Any) -> None:
        end, events = self.running.wire.end, []
        for place, chunk in enumerate(self._chunks(body)):
            if said == "cut" and place == 2:
                break
            if said == "late" and place == 2:
                chunk = {"error": {"message": "out of memory", "type": "server_error", "code": 500}}
            comment = f"{self.running.wire.comment}{end}{end}" if self.running.wire.comment else ""
            events.append(f"{comment}data: {json.dumps(chunk, ensure_ascii=False)}{end}{end}")
            if said == "late" and place == 2:
                break
        data = "".join(events).encode() + (b"" if said == "cut" else f"data: [DONE]{end}{end}".encode())
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if said == "endless":
            self._endless()
            return
        size = self.running.wire.piece or len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        if said != "cut":
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _endless(self) -> None:
        """As a model on a graphics card would go on, for nobody."""
        chunk = json.dumps(self.chunk([{"index": 0, "delta": {"content": "on "}, "finish_reason": None}]))
        piece = f"data: {chunk}\n\n".encode()
        try:
            while True:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                time.sleep(0.02)
        except OSError:
            self.running.left.set()
        self.close_connection = True

    def _json(self, status: int, value: Chunk) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


def _fitting(schema: Any) -> str:
    """JSON by a schema, as the servers' grammars see to; `ARGUMENTS` where it has a city or there is none."""
    if not schema or "city" in (schema.get("properties") or {}) or schema.get("required") == ["place"]:
        return json.dumps(ARGUMENTS)
    return json.dumps(fill_schema(schema, [{"role": "user", "content": "Order 1002 comes within 5 days."}]))


def _parts(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _images(body: Chunk) -> bool:
    return any(
        part["type"] == "image_url" for m in body["messages"] if isinstance(m["content"], list) for part in m["content"]
    )


def _calls(body: Chunk) -> Iterator[Chunk]:
    for message in body["messages"]:
        yield from message.get("tool_calls") or []


class LlamaCpp(Dialect):
    name = "smol.gguf"

    def models(self) -> Chunk:
        modalities = ["text", "image"] if self.running.sees else ["text"]
        entry = {"id": f"/models/{self.name}", "object": "model", "owned_by": "llamacpp", "meta": {"n_ctx": 2048}}
        entry["architecture"] = {"input_modalities": modalities, "output_modalities": ["text"]}
        return {"models": [{"name": self.name, "capabilities": ["completion"]}], "object": "list", "data": [entry]}

    def check(self, body: Chunk) -> None:
        for call in _calls(body):
            if "type" not in call:
                text = f"Failed to parse messages: Missing tool call type: {json.dumps(call)}"
                raise Refused(500, {"error": {"code": 500, "message": text, "type": "server_error"}})
        if _images(body) and not self.running.sees:
            text = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
            raise Refused(500, {"error": {"code": 500, "message": text, "type": "server_error"}})

    def busy(self) -> tuple[int, Chunk]:
        return 503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}

    def too_long(self) -> tuple[int, Chunk]:
        text = "request (5031 tokens) exceeds the available context size (2048 tokens), try increasing it"
        return 400, {"error": {"code": 400, "message": text, "type": "exceed_context_size_error", "n_ctx": 2048}}

    def message(self, body: Chunk) -> Chunk:
        if not self.is_called(body):
            return {"role": "assistant", "content": self.text_of(body)}
        function = self.called(body)
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"type": "function", "function": function, "id": "a1"}],
        }

    def deltas(self, body: Chunk) -> Iterator[Chunk]:
        yield {"role": "assistant", "content": None}
        if not self.is_called(body):
            yield from ({"content": word} for word in WORDS)
            return
        name = body["tools"][0]["function"]["name"]
        yield {
            "tool_calls": [{"index": 0, "id": "a1", "type": "function", "function": {"name": name, "arguments": ""}}]
        }
        for part in _parts(self.called(body)["arguments"]):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}


class Ollama(Dialect):
    name = "llama3.2:latest"

    def models(self) -> Chunk:
        return {"object": "list", "data": [{"id": self.name, "object": "model", "owned_by": "library"}]}

    def other(self, body: Chunk) -> tuple[int, Chunk]:
        if self.path != "/api/show" or body["model"] not in (self.name, self.name.partition(":")[0]):
            return 404, {"error": "model not found"}
        more = ["vision"] * self.running.sees + ["tools"] * self.running.calls
        return 200, {"capabilities": ["completion", *more], "details": {"family": "llama"}}

    def check(self, body: Chunk) -> None:
        if body["model"] not in (self.name, self.name.partition(":")[0]):
            raise Refused(*self._error(404, f"model '{body['model']}' not found", "not_found_error"))
        if any(not isinstance(call["function"]["arguments"], str) for call in _calls(body)):
            text = "json: cannot unmarshal object into Go struct field .arguments of type string"
            raise Refused(*self._error(400, text))
        if body.get("tools") and not self.running.calls:
            raise Refused(*self._error(400, f"{self.name} does not support tools"))

    def _error(self, status: int, text: str, kind: str = "invalid_request_error") -> tuple[int, Chunk]:
        return status, {"error": {"message": text, "type": kind, "param": None, "code": None}}

    def busy(self) -> tuple[int, Chunk]:
        return self._error(503, "server busy, please try again.  maximum pending requests exceeded", "api_error")

    def too_long(self) -> tuple[int, Chunk]:
        return self._error(400, "the input length exceeds the context length")

    def message(self, body: Chunk) -> Chunk:
        if not self.is_called(body):
            return {"role": "assistant", "content": self.text_of(body)}
        return {"role": "assistant", "content": "", "tool_calls": [self._call(body, 0)]}

    def _call(self, body: Chunk, place: int) -> Chunk:
        function = self.called(body)
        return {"id": f"call_o{place}", "index": 0, "type": "function", "function": function}

    def deltas(self, body: Chunk) -> Iterator[Chunk]:
        if self.is_called(body):
            yield {"role": "assistant", "content": "", "tool_calls": [self._call(body, 0)]}
        else:
            yield from ({"role": "assistant", "content": word} for word in WORDS)


class Vllm(Dialect):
    name = "Qwen/Qwen3-8B"

    def models(self) -> Chunk:
        entry = {"id": self.name, "object": "model", "owned_by": "vllm", "root": self.name, "max_model_len": 4096}
        return {"object": "list", "data": [entry]}

    def check(self, body: Chunk) -> None:
        known = [call["id"] for call in _calls(body)]
        results = [m.get("tool_call_id") for m in body["messages"] if m["role"] == "tool"]
        if body["model"] != self.name:
            raise Refused(*self._error(404, f"The model `{body['model']}` does not exist.", "NotFoundError"))
        if any(result not in known for result in results):
            raise Refused(*self._error(400, "Tool call id was not found in the calls of the assistant"))
        if _images(body) and not self.running.sees:
            raise Refused(*self._error(400, f"{self.name} is not a multimodal model"))

    def _error(self, status: int, text: str, kind: str = "BadRequestError") -> tuple[int, Chunk]:
        return status, {"error": {"message": text, "type": kind, "param": None, "code": status}}

    def busy(self) -> tuple[int, Chunk]:
        return self._error(429, "Too many requests", "RateLimitError")

    def too_long(self) -> tuple[int, Chunk]:
        return self._error(400, "This model's maximum context length is 4096 tokens. However, you requested 5031.")

    def message(self, body: Chunk) -> Chunk:
        base: Chunk = {"role": "assistant", "reasoning_content": None}
        if not self.is_called(body):
            return base | {"content": self.text_of(body), "tool_calls": []}
        function = self.called(body)
        return base | {
            "content": None,
            "tool_calls": [{"id": "chatcmpl-tool-1", "type": "function", "function": function}],
        }

    def deltas(self, body: Chunk) -> Iterator[Chunk]:
        yield {"role": "assistant", "content": ""}
        if not self.is_called(body):
            yield from ({"content": word} for word in WORDS)
            return
        name = body["tools"][0]["function"]["name"]
        yield {"tool_calls": [{"id": "chatcmpl-tool-1", "type": "function", "index": 0, "function": {"name": name}}]}
        for part in _parts(self.called(body)["arguments"]):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}


DIALECTS: dict[str, type[Dialect]] = {"llama.cpp": LlamaCpp, "Ollama": Ollama, "vLLM": Vllm}


@contextmanager
def speaking(dialect: str) -> Iterator[Running]:
    """A server of that dialect; its `url` is what a stack file says."""
    running = Running()
    handler = type("Own", (DIALECTS[dialect],), {"running": running})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
