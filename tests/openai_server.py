"""A small OpenAI-compatible server on loopback, such as people run beside their work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ("from ", "my ", "machine")
Asked = list[tuple[str, str, dict[str, Any]]]


class Handler(BaseHTTPRequestHandler):
    asked: Asked

    def do_GET(self) -> None:
        self._answer("application/json", json.dumps({"data": [{"id": "tiny"}]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, self.headers.get("authorization", ""), body))
        usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
        if body.get("stream"):
            pieces: list[dict[str, Any]] = [{"choices": [{"delta": {"content": word}, "index": 0}]} for word in WORDS]
            pieces.append({"choices": [{"delta": {}, "index": 0, "finish_reason": "stop"}], "usage": usage})
            text = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"
            self._answer("text/event-stream", text)
            return
        message: dict[str, Any] = {"role": "assistant", "content": "".join(WORDS)}
        if body.get("response_format"):
            message["content"] = json.dumps({"place": "my machine"})
        if body.get("tools"):
            function = {"name": body["tools"][0]["function"]["name"], "arguments": '{"city": "Bern"}'}
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": function}]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._answer("application/json", json.dumps({"choices": [choice], "usage": usage}))

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def openai_server(port: int = 0) -> Iterator[tuple[str, Asked]]:
    """Its base URL, and what it is asked: path, Authorization, body."""
    asked: Asked = []
    running = ThreadingHTTPServer(("127.0.0.1", port), type("Own", (Handler,), {"asked": asked}))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", asked
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
