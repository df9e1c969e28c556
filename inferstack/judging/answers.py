"""What a Worker said: its text, its sources, its JSON, in the forms of the templates, of Workers AI and of OpenAI."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx  # 60 ms; a provider that evaluates nothing does not need it

SECONDS = 300.0  # for an answer


@dataclass(slots=True)
class Answer:
    """`text` is what a person would read; `data` the JSON, where the answer is some; `problem` what kept it from coming."""

    status: int = 0
    text: str = ""
    data: Any = None
    cited: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""


def ask(client: httpx.Client, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
    """Streams as well: their text is what their events make together."""
    import httpx

    answer, began = Answer(), time.monotonic()
    try:
        with client.stream(method, url, content=body, headers=headers, timeout=SECONDS) as response:
            answer.status = response.status_code
            if "event-stream" in response.headers.get("content-type", ""):
                _hear(response, answer)
            else:
                _read(response.read(), answer)
    except httpx.HTTPError as error:
        answer.problem = f"no answer came ({type(error).__name__})"
    answer.seconds = time.monotonic() - began
    return answer


def _read(content: bytes, answer: Answer) -> None:
    raw = content.decode(errors="replace")
    try:
        answer.data = json.loads(raw)
    except ValueError:
        answer.text = raw
        return
    answer.text = _text_of(answer.data) or raw
    answer.cited = _sources(answer.data)


def _hear(response: httpx.Response, answer: Answer) -> None:
    from httpx_sse import EventSource

    parts: list[str] = []
    for event in EventSource(response).iter_sse():
        if not event.data or event.data == "[DONE]":
            continue
        try:
            value = json.loads(event.data)
        except ValueError:
            answer.problem = "an event of the stream is no JSON"
            continue
        if event.event == "error" or (isinstance(value, dict) and value.get("error")):
            answer.problem = f"the stream tells an error: {event.data[:200]}"
        parts.append(_text_of(value))
        answer.cited += _sources(value if not isinstance(value, list) else {"sources": value})
    answer.text = "".join(parts)
    answer.data = answer.text


def _text_of(value: Any) -> str:
    """The answer's own field, in whichever form it comes; empty where none is known."""
    if not isinstance(value, dict):
        return ""
    for name in ("answer", "text", "response", "output_text", "translated_text", "summary", "description"):
        if isinstance(value.get(name), str):
            return str(value[name])
    for choice in value.get("choices") or []:
        said = choice.get("message") or choice.get("delta") or {} if isinstance(choice, dict) else {}
        if isinstance(said.get("content"), str):
            return str(said["content"])
    inside = value.get("result")
    return _text_of(inside) if isinstance(inside, dict) else ""


def _sources(value: Any) -> list[str]:
    """Documents that stand behind the answer: those it cites, where it tells which."""
    found = value.get("sources") if isinstance(value, dict) else None
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    cited = [each for each in listed if each.get("cited", True)]
    return [str(each.get("document") or each.get("id") or each.get("title") or "") for each in cited]
