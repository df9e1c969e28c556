"""The Workers' reader of server-sent events, by the HTML standard, whatever the pieces they come in."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.conftest import ROOT

READ = """
import { readEvents } from "./worker_src/models/sse_reader.js";
const [bytes, size] = JSON.parse(process.argv[1]);
const found = [];
const stream = new ReadableStream({
  start(controller) {
    for (let at = 0; at < bytes.length; at += size) controller.enqueue(Uint8Array.from(bytes.slice(at, at + size)));
    controller.close();
  },
});
for await (const { event, data } of readEvents(stream.getReader())) found.push([event, data]);
console.log(JSON.stringify(found));
"""
STREAMS = {
    "LF": ("data: a\n\ndata: b\n\n", [["message", "a"], ["message", "b"]]),
    "CR": ("data: a\r\rdata: b\r\r", [["message", "a"], ["message", "b"]]),
    "CRLF": ("data: a\r\n\r\ndata: b\r\n\r\n", [["message", "a"], ["message", "b"]]),
    "all three": ("event: x\rdata: a\r\n\ndata: b\n\r\n", [["x", "a"], ["message", "b"]]),
    "comments": (": hello\ndata: a\n:\n\n: keep-alive\n\n", [["message", "a"]]),
    "several lines": ("data: a\ndata:\ndata:  b\n\n", [["message", "a\n\n b"]]),
    "no space, no colon, other fields": ("data:a\ndata\nid: 7\nretry: 1\n\n", [["message", "a\n"]]),
    "events without data": ("event: x\n\ndata: a\n\n", [["message", "a"]]),
    "a byte order mark": ("\ufeffdata: a\n\n", [["message", "a"]]),
    "characters of several bytes": ("data: für 🚀\n\n", [["message", "für 🚀"]]),
    "the last empty line is missing": ("data: a\n\ndata: [DONE]\n", [["message", "a"], ["message", "[DONE]"]]),
    "cut off in a line": ('data: a\n\ndata: {"b', [["message", "a"]]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("text", "events"), STREAMS.values(), ids=STREAMS)
def test_events_are_read(text: str, events: list[list[str]], size: int) -> None:
    given = json.dumps([list(text.encode()), size])
    command = ["node", "--no-warnings", "--input-type=module", "-e", READ, given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == events
