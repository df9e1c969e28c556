"""Debian's Chromium without a window, by its own protocol (CDP): what a person does on a page, and what the console says."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 20.0


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._last = socket, 0
        self.complaints: list[str] = []  # errors on the console, exceptions, what a policy refused
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(timeout=SECONDS))
            if told.get("id") == self._last:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        method, about = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(about["args"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.complaints.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")

    def run(self, expression: str) -> Any:
        """The value of JavaScript on the page."""
        told = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, expression: str) -> None:
        """Waits for it to be true."""
        end = time.monotonic() + SECONDS
        while not self.run(f"!!({expression})"):
            assert time.monotonic() < end, f"{expression}\n{self.run('document.body.innerText')}\n{self.complaints}"
            time.sleep(0.05)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def write(self, place: str, text: str) -> None:
        """As by a keyboard."""
        self.run(f"document.querySelector({json.dumps(place)}).focus()")
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=13, **text)

    def look(self, *, width: int, dark: bool = False, to: Path | None = None) -> None:
        """As on a screen so wide; a picture when `to` says where."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)
        if to is not None:
            to.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    assert CHROMIUM is not None
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    with subprocess.Popen(
        [CHROMIUM, *words, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            with connect(_address(folder / "DevToolsActivePort"), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()


def _address(file: Path) -> str:
    """Of the first tab, once it is there. The file may be there before the port answers (seen in CI), or be half written."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with suppress(FileNotFoundError, httpx.TransportError, httpx.InvalidURL):
            port = file.read_text().partition("\n")[0]
            for tab in httpx.get(f"http://127.0.0.1:{port}/json/list").json():
                if tab["type"] == "page":
                    return str(tab["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError("chromium opens no tab")
