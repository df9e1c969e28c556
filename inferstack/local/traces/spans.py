"""From what workerd's streaming tail tells of an invocation to events as Workers Observability keeps them.

Fields: the API's own document, `workers-observability`; attributes of spans: OpenTelemetry's semantic conventions, for models
those of GenAI 1.38. Prompts and answers stand in `gen_ai.input.messages` and `gen_ai.output.messages`, as its "content" does.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from inferstack import catalog
from inferstack.local._store import Document
from inferstack.local.ai_gateway.limits import CENTS, cost_cents
from inferstack.local.traces.calls import SENDER, Call, Calls, Inference, shortened
from inferstack.local.traces.lineage import PARENT, Lineage, Origin

CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages")
OPERATIONS = {
    "Text Generation": "chat",
    "Text Embeddings": "embeddings",
    "Text-to-Image": "generate_content",
    "Text-to-Speech": "generate_content",
    "Automatic Speech Recognition": "generate_content",
}
QUEUES = "cloudflare_queues"
NAMED = ("vectorize", "queue", "r2_bucket")
GATEWAY = "cloudflare.ai.gateway.id"
UNSEEN = "x-inferstack-unseen"  # a header of requests by which the console itself looks at a Worker
LEVELS = {"ok": "info", "canceled": "warn", "responseStreamDisconnected": "warn"}


def events_of(
    account: str, script: str, version: str, told: list[Document], calls: Calls, lineage: Lineage
) -> list[Document]:
    """One invocation: its own span first, then the spans within, then what was logged and thrown.

    Without a script, it is what stands before queues: the one span of what was sent.
    """
    invocation = _Invocation(account, script, version, calls, lineage)
    found = invocation.read(told)
    return found if script else invocation.sent()


class _Invocation:
    def __init__(self, account: str, script: str, version: str, calls: Calls, lineage: Lineage) -> None:
        self._script, self._calls, self._lineage = script, calls, lineage
        self._workers: Document = {"scriptName": script, "scriptVersion": {"id": version}, "truncated": False}
        self._account = account
        self._trace = self._root_id = self._request = ""
        self._spans: dict[str, Document] = {}
        self._logs: list[Document] = []
        self._errors: list[str] = []
        self._unseen = False
        self._sent: Call | None = None

    def read(self, told: list[Document]) -> list[Document]:
        for each in told:
            handler = getattr(self, f"_{each['event']['type']}", None)
            if handler is not None:
                handler(each, each["event"], _milliseconds(each["timestamp"]))
        root = self._spans.get(self._root_id)
        if root is None or self._unseen or root["outcome"] is None:
            return []  # nobody looks, or it only began
        if root["name"] == "jsrpc":  # which method it was is told after it began
            root["name"] = root["meta"]["trigger"] = f"jsrpc {root['attributes'].get('jsrpc.method', '')}".strip()
        spans = list(self._spans.values())
        for span in spans[1:]:
            spans += self._of_a_call(span)
        return [self._event(root["start"], "cf-worker-event", root), *map(self._span_event, spans[1:]), *self._logs]

    def sent(self) -> list[Document]:
        """The span of a sending to a queue, by OpenTelemetry's conventions for messaging."""
        root = self._spans.get(self._root_id)
        if root is None or self._sent is None or SENDER not in self._sent.notes:
            return []  # it asked for figures, or was refused
        queue = self._sent.target
        root["name"], self._script = f"send {queue}", str(self._sent.notes[SENDER])
        self._workers["scriptName"] = self._script
        root["attributes"] = {f"messaging.operation.{each}": "send" for each in ("name", "type")} | self._sent.notes
        root["attributes"] |= {"messaging.system": QUEUES, "messaging.destination.name": queue}
        root["meta"] = {}
        return [self._span_event(root)]

    def _onset(self, each: Document, event: Document, at: int) -> None:
        info, context = event["info"], each["spanContext"]
        self._root_id, self._request = event["spanId"], each["invocationId"]
        kind = info["type"]
        told = context["traceId"]
        batch = kind == "queue"
        origin = self._lineage.of_batch(info["queueName"], at, told) if batch else Origin(self._lineage.trace(told))
        self._trace = origin.trace
        headers = {header["name"]: header["value"] for header in info.get("headers", [])}
        self._unseen = UNSEEN in headers
        parent, given = origin.parent or context.get("spanId", ""), PARENT.match(headers.get("traceparent", ""))
        link = {"traceparent": given[0]} if given else {}
        root = _span(self._root_id, parent, _name(info), at)
        root["attributes"] |= _of_request(info) | {"faas.trigger": kind} | link
        root["meta"] = {"trigger": root["name"], "origin": kind, "rayId": headers.get("cf-ray", "")}
        if origin.links:
            root["meta"]["links"] = [{"traceId": trace, "spanId": span} for trace, span in origin.links]
        self._spans[self._root_id] = root
        known = {k: event[k] for k in ("entrypoint", "executionModel") if event.get(k)}
        shown = {k: v for k, v in info.items() if k not in ("headers", "cfJson")}
        self._workers |= {"eventType": kind, "requestId": self._request, "event": {"request": shown}, **known}

    def _spanOpen(self, each: Document, event: Document, at: int) -> None:  # noqa: N802 - workerd's word
        parent = each["spanContext"].get("spanId", self._root_id)
        self._spans[event["spanId"]] = _span(event["spanId"], parent, event["name"], at)

    def _spanClose(self, each: Document, event: Document, at: int) -> None:  # noqa: N802
        span = self._spans.get(each["spanContext"].get("spanId", ""))
        if span is not None:
            span["end"], span["outcome"] = at, event.get("outcome", "ok")

    def _attributes(self, each: Document, event: Document, _: int) -> None:
        span = self._spans.get(each["spanContext"].get("spanId", ""))
        for attribute in event["info"] if span else ():
            span["attributes"][attribute["name"]] = _number(attribute["value"])  # type: ignore[index]

    def _log(self, each: Document, event: Document, at: int) -> None:
        said = event["message"] if isinstance(event["message"], list) else [event["message"]]
        text = " ".join(part if isinstance(part, str) else shortened(part) for part in said)
        level = {"log": "info"}.get(event["level"], event["level"])
        self._add(at, "cf-worker", {"level": level, "message": text[:20_000]}, each, {"message": text[:20_000]})

    def _exception(self, each: Document, event: Document, at: int) -> None:
        text = f"{event.get('name')}: {event.get('message')}"
        self._errors.append(text)
        source = {"message": text, "stack": event.get("stack") or "", "exception": True}
        self._add(at, "cf-worker", {"level": "error", "message": text, "error": text}, each, source)

    def _return(self, _: Document, event: Document, at: int) -> None:
        info, root = event.get("info") or {}, self._spans[self._root_id]
        if "statusCode" in info:
            root["attributes"]["http.response.status_code"] = info["statusCode"]
            root["meta"]["statusCode"] = info["statusCode"]
            self._workers["event"]["response"] = {"status": info["statusCode"]}
        root["end"] = at

    def _outcome(self, _: Document, event: Document, at: int) -> None:
        root, outcome = self._spans[self._root_id], event["outcome"]
        root["end"], root["outcome"] = at, outcome
        bad = int(root["meta"].get("statusCode", 0)) >= 500
        root["meta"]["level"] = "error" if bad else LEVELS.get(outcome, "error")
        if self._errors or outcome not in LEVELS:
            root["meta"]["error"] = self._errors[0] if self._errors else outcome
        times = {"wallTimeMs": at - root["start"], "cpuTimeMs": event.get("cpuTime", 0)}
        self._workers |= {"outcome": outcome, **times}

    def _add(self, at: int, kind: str, meta: Document, each: Document, source: Document) -> None:
        context = {"spanId": each["spanContext"].get("spanId", self._root_id)}
        self._logs.append(self._document(at, kind, meta | context, source))

    def _of_a_call(self, span: Document) -> list[Document]:
        """What this span's answer says of itself by its ray: a name, attributes, and the models that were at work."""
        call = self._calls.take(str(span["attributes"].get("cloudflare.ray_id", "")))
        if call is None:
            return []
        self._sent = call
        span["name"] = _name_of(call, span)
        span["attributes"] |= {"cloudflare.binding.type": call.kind, **call.notes}
        if call.target:
            span["attributes"]["cloudflare.binding.target"] = call.target
        through = {key: call.notes[key] for key in (GATEWAY,) if key in call.notes}
        return [_of_model(inference, span, through) for inference in call.inferences]

    def _span_event(self, span: Document) -> Document:
        return self._event(span["start"], "span", span)

    def _event(self, at: int, kind: str, span: Document) -> Document:
        end = span["end"] or at
        meta = {"spanName": span["name"], "spanId": span["id"], "startTime": at, "endTime": end, "duration": end - at}
        meta |= {"parentSpanId": span["parent"]} if span["parent"] else {}
        if span["outcome"] not in ("ok", None) and kind == "span":
            meta |= {"level": "error", "error": str(span["attributes"].get("error.type") or span["outcome"])}
        meta |= {"message": span["name"], **span["meta"]}
        return self._document(at, kind, meta, span["attributes"])

    def _document(self, at: int, kind: str, meta: Document, source: Document) -> Document:
        identity = f"{at:013d}{secrets.token_hex(6)}"
        known = {"id": identity, "service": self._script, "requestId": self._request, "traceId": self._trace}
        known |= {"type": kind, "account": self._account, "cloudService": "workers"}
        return {
            "$metadata": {**known, "level": "info", **meta},
            "$workers": self._workers,
            "dataset": "cloudflare-workers",
            "source": source,
            "timestamp": at,
        }


def _span(identity: str, parent: str, name: str, at: int) -> Document:
    return {
        "id": identity,
        "parent": parent,
        "name": name,
        "start": at,
        "end": None,
        "outcome": None,
        "attributes": {},
        "meta": {},
    }


def _of_model(inference: Inference, parent: Document, through: Document) -> Document:
    """A span of its own, of an inference within a call: a gateway may try several models, and is named `through` which."""
    model = catalog.find_model(inference.model)
    operation = OPERATIONS.get(model.task if model else "", "chat" if model is None else "generate_content")
    start = int(inference.started * 1000)
    identity = hashlib.sha256(f"{parent['id']}{inference.model}{inference.started}".encode()).hexdigest()[:16]
    span = _span(identity, parent["id"], f"{operation} {inference.model}", start)
    span["end"], span["outcome"] = int((inference.ended or inference.started) * 1000), "ok"
    provider = "cloudflare.workers_ai" if inference.model.startswith("@") else _priced(inference.model)[0]
    known: Document = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider}
    known["gen_ai.request.model"] = inference.model
    inputs = inference.inputs if isinstance(inference.inputs, dict) else {}
    for name in ("max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty"):
        known |= {f"gen_ai.request.{name}": inputs[name]} if isinstance(inputs.get(name), int | float) else {}
    tokens = {"input": "prompt_tokens", "output": "completion_tokens"}
    for side, name in tokens.items():
        known |= {f"gen_ai.usage.{side}_tokens": inference.usage[name]} if name in inference.usage else {}
    cents = cost_cents(*_priced(inference.model), inference.usage)
    known |= {"inferstack.cost_usd": round(cents / CENTS, 9)} if cents else {}
    span["attributes"] = (
        known | through | dict(zip(CONTENT, (shortened(inference.inputs), inference.answer), strict=True))
    )
    if inference.error:
        span["outcome"], span["attributes"]["error.type"] = "exception", inference.error
    return span


def _priced(model: str) -> tuple[str, str]:
    """The provider of a model and its name there: `openai/gpt-4o` is openai's gpt-4o."""
    provider, _, name = model.partition("/")
    return ("workers-ai", model) if model.startswith("@") or not name else (provider, name)


def _name(info: Document) -> str:
    kind = info["type"]
    if kind == "fetch":
        return f"{info['method']} {urlsplit(info['url']).path or '/'}"
    named = {"jsrpc": "methodName", "queue": "queueName", "scheduled": "cron", "trace": "", "alarm": ""}
    return f"{kind} {info.get(named.get(kind, ''), '')}".strip()


def _of_request(info: Document) -> Document:
    if info["type"] != "fetch":
        known = {k: v for k, v in info.items() if k != "type" and isinstance(v, str | int | float | bool)}
        batch = {"messaging.destination.name": info.get("queueName"), "messaging.operation.type": "process"}
        return known | (batch | {"messaging.system": QUEUES} if info["type"] == "queue" else {})
    return {"http.request.method": info["method"], "url.full": info["url"], "url.path": urlsplit(info["url"]).path}


def _name_of(call: Call, span: Document) -> str:
    """By what was asked: workerd calls each of these `fetch`."""
    path = urlsplit(str(span["attributes"].get("url.full", ""))).path.strip("/").split("/")
    verb = {"run": "run", "ai-gateway": "gateway"}.get(path[0], path[-1]) if call.kind == "ai" else path[-1]
    words = {"ai": "AI", "vectorize": "Vectorize", "queue": "Queue send", "egress": "fetch"}
    if call.kind == "egress":
        return f"fetch {urlsplit(str(span['attributes'].get('url.full', ''))).netloc}"
    target = call.target if call.kind in NAMED else ""  # of the others it is an id, and stands among the attributes
    return " ".join(part for part in (words.get(call.kind, call.kind), verb, target) if part)


def _milliseconds(told: str) -> int:
    return int(datetime.fromisoformat(told).timestamp() * 1000)


def _number(value: Any) -> Any:
    """workerd tells whole numbers as texts where they might be large."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value) else value
