"""A server that answers as recorded and remembers what it was asked."""

from __future__ import annotations

import json
import re
import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PREFIX = "/client/v4"


class Recorder:
    """`answers` are recorded requests: the first unused one with the same method and path answers."""

    def __init__(self, account: str, zone: str) -> None:
        self._names = {account: "{account_id}", zone: "{zone_id}"}
        self.answers: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        lock, recorder = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with lock:
                    answer = recorder.take(self.command, self.path, dict(self.headers), body)
                text = recorder.restore(json.dumps({"success": True, "errors": [], "messages": [], "result": answer}))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def restore(self, text: str) -> str:
        for value, name in self._names.items():
            text = text.replace(name, value)
        return text

    def hide(self, text: str) -> str:
        for value, name in self._names.items():
            text = text.replace(value, name)
        return text

    def take(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        url = urlsplit(self.hide(target.removeprefix(PREFIX)))
        request: dict[str, Any] = {"method": method, "path": url.path}
        if url.query:
            request["query"] = url.query
        kept = {k: v for k, v in headers.items() if k.lower().startswith("cf-r2")}
        if kept:
            request["headers"] = {_title(k): v for k, v in kept.items()}
        if body:
            kind = headers.get("Content-Type") or headers.get("content-type") or ""
            request["content_type"] = kind.split(";")[0]
            request["body"] = (
                _parts(kind, body) if kind.startswith("multipart") else json.loads(self.hide(body.decode()))
            )
        self.requests.append(request)
        candidates = [r for r in self.answers if (r["method"], r["path"]) == (method, url.path)]
        if not candidates:
            return {}
        # Two creates of one kind may come in either order: the body tells them apart.
        chosen = next((r for r in candidates if r.get("body") == request.get("body")), candidates[0])
        self.answers.remove(chosen)
        return chosen["answered"]


def _title(name: str) -> str:
    return re.sub(r"(^|-)(\w)", lambda m: m.group(1) + m.group(2).upper(), name)


def _parts(kind: str, body: bytes) -> dict[str, Any]:
    message = BytesParser(policy=HTTP).parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
    return {
        str(part.get_param("name", header="content-disposition")): {
            "filename": part.get_filename(),
            "content_type": part.get_content_type(),
            "body": part.get_payload(decode=True).decode(),
        }
        for part in message.iter_parts()
    }
