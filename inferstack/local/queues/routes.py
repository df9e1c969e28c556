"""Queues on the wire: REST under /queues, and the producer binding's protocol (facts `dataplane.md` §3)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import now
from inferstack.local.queues.state import PULL_SETTINGS, Queues
from inferstack.local.traces.calls import SENDER, note

Message = tuple[bytes, str, float | None]  # body, form, delay in seconds
MOST_MESSAGES, LARGEST_BATCH, LONGEST_DELAY = 100, 256_000, 86_400

BROKEN = "the body of a message is not JSON"


class QueuesApi:
    """REST handlers."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/queues"
        one = base + "/{queue_id}"
        consumer = one + "/consumers/{consumer_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT", "PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/consumers", self.list_consumers, methods=["GET"]),
            Route(one + "/consumers", self.add_consumer, methods=["POST"]),
            Route(consumer, self.get_consumer, methods=["GET"]),
            Route(consumer, self.update_consumer, methods=["PUT"]),
            Route(consumer, self.remove_consumer, methods=["DELETE"]),
            Route(one + "/messages", self.push, methods=["POST"]),
            Route(one + "/messages/batch", self.push_batch, methods=["POST"]),
            Route(one + "/messages/pull", self.pull, methods=["POST"]),
            Route(one + "/messages/ack", self.acknowledge, methods=["POST"]),
            Route(one + "/messages/peek", self.peek, methods=["POST"]),
            Route(one + "/messages/preview", self.preview, methods=["POST"]),
            Route(one + "/messages/preview/ack", self.acknowledge, methods=["POST"]),
            Route(one + "/messages/purge", self.purge_messages, methods=["POST"]),
            Route(one + "/metrics", self.metrics, methods=["GET"]),
            Route(one + "/purge", self.purge, methods=["POST"]),
            Route(one + "/purge", self.purged, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._queues.list_all(request.query_params.get("name")), default_size=100)

    async def create(self, request: Request) -> Response:
        return ok(self._queues.create(await json_body(request, 100128), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._queues.describe(self._queues.get(request.path_params["queue_id"])))

    async def update(self, request: Request) -> Response:
        return ok(self._queues.update(request.path_params["queue_id"], await json_body(request, 100128)))

    async def delete(self, request: Request) -> Response:
        queue = self._queues.get(request.path_params["queue_id"])
        await self._empty(queue["queue_id"])
        self._queues.delete(queue["queue_id"])
        return ok(None)

    async def list_consumers(self, request: Request) -> Response:
        queue = self._queues.get(request.path_params["queue_id"])
        return paged(request, self._queues.consumers(queue["queue_id"]))

    async def add_consumer(self, request: Request) -> Response:
        body = await json_body(request, 10026)
        return ok(self._queues.add_consumer(request.path_params["queue_id"], body, request.state.owner))

    async def get_consumer(self, request: Request) -> Response:
        return ok(self._queues.consumer(request.path_params["queue_id"], request.path_params["consumer_id"]))

    async def update_consumer(self, request: Request) -> Response:
        ids = request.path_params
        return ok(self._queues.update_consumer(ids["queue_id"], ids["consumer_id"], await json_body(request, 10026)))

    async def remove_consumer(self, request: Request) -> Response:
        self._queues.remove_consumer(request.path_params["queue_id"], request.path_params["consumer_id"])
        return ok(None)

    async def push(self, request: Request) -> Response:
        metrics = self._queues.send(request.path_params["queue_id"], [_message(await json_body(request, 10207))])
        return ok({"metadata": {"metrics": metrics}})

    async def push_batch(self, request: Request) -> Response:
        body = await json_body(request, 10013)
        given = body.get("messages")
        if not isinstance(given, list) or not all(isinstance(m, dict) for m in given):
            raise ApiError(400, 10207, "messages must be a list of messages")
        messages = _batch([_message(m, body.get("delay_seconds")) for m in given])
        return ok({"metadata": {"metrics": self._queues.send(request.path_params["queue_id"], messages)}})

    async def pull(self, request: Request) -> Response:
        queue_id, body = request.path_params["queue_id"], await json_body(request, 10026)
        self._queues.get(queue_id)
        consumer = next((c for c in self._queues.consumers(queue_id) if c["type"] == "http_pull"), None)
        if consumer is None:
            raise ApiError(405, 10026, "Queue has no http_pull consumer")
        settings = PULL_SETTINGS | consumer["settings"] | {k: v for k, v in body.items() if v is not None}
        for name, most in (("batch_size", 100), ("visibility_timeout_ms", 43_200_000)):
            _check_number(name, settings[name], most)
        due = self._queues.due(queue_id, int(settings["batch_size"]))
        self._queues.lease(due, int(settings["visibility_timeout_ms"]))
        shown = [_shown(message) | {"lease_id": message["lease"]} for message in due]
        return ok({"message_backlog_count": self._queues.metrics(queue_id)["backlog_count"], "messages": shown})

    async def acknowledge(self, request: Request) -> Response:
        queue_id, body = request.path_params["queue_id"], await json_body(request, 10026)
        consumers = self._queues.consumers(self._queues.get(queue_id)["queue_id"])
        rules: dict[str, Any] = consumers[0] if consumers else {"settings": {"max_retries": 3}}
        counts, warnings = {"ackCount": 0, "retryCount": 0}, {}
        with self._queues.together():
            for field, counter in (("acks", "ackCount"), ("retries", "retryCount")):
                for item in body.get(field) or []:
                    message = self._queues.message_of_lease(str(item.get("lease_id")))
                    if message is None:
                        warnings[str(item.get("lease_id"))] = "lease is unknown or has expired"
                        continue
                    if field == "acks":
                        self._queues.acknowledge(message)
                    else:
                        limit, dead = int(rules["settings"]["max_retries"]), rules.get("dead_letter_queue")
                        self._queues.retry(message, float(item.get("delay_seconds") or 0), limit, dead)
                    counts[counter] += 1
        return ok(counts | {"warnings": warnings})

    async def _looked_at(self, request: Request) -> tuple[str, list[dict[str, Any]]]:
        """The queue, and the messages that wait: for the dashboard, so without a consumer."""
        queue_id, body = request.path_params["queue_id"], await json_body(request, 10026)
        size = body.get("batch_size", PULL_SETTINGS["batch_size"])
        _check_number("batch_size", size, 100)
        return queue_id, self._queues.due(self._queues.get(queue_id)["queue_id"], int(size))

    async def peek(self, request: Request) -> Response:
        """Nobody else notices it; `ref` is what `messages/purge` takes."""
        _, due = await self._looked_at(request)
        return ok({"messages": [_shown(message) | {"ref": message["id"]} for message in due]})

    async def preview(self, request: Request) -> Response:
        """Leased as for a consumer, for the default time."""
        _, due = await self._looked_at(request)
        self._queues.lease(due, int(PULL_SETTINGS["visibility_timeout_ms"]))
        return ok({"messages": [_shown(message) | {"lease_id": message["lease"]} for message in due]})

    async def purge_messages(self, request: Request) -> Response:
        queue_id, body = request.path_params["queue_id"], await json_body(request, 10026)
        self._queues.get(queue_id)
        refs = body.get("refs")
        if not isinstance(refs, list) or not all(isinstance(each, dict) for each in refs):
            raise ApiError(400, 10026, "refs must be a list of objects with a `ref`")
        unknown = self._queues.drop(queue_id, [str(each.get("ref")) for each in refs])
        return ok({"errors": [], "warnings": dict.fromkeys(unknown, "there is no such message")})

    async def metrics(self, request: Request) -> Response:
        return ok(self._queues.metrics(self._queues.get(request.path_params["queue_id"])["queue_id"]))

    async def purge(self, request: Request) -> Response:
        queue = self._queues.get(request.path_params["queue_id"])
        started = now()
        await self._empty(queue["queue_id"])
        self._queues.note_purge(queue["queue_id"], started)
        return ok(self._queues.describe(queue))

    async def purged(self, request: Request) -> Response:
        """When the last purge began and ended; empty before the first."""
        return ok(self._queues.last_purge(self._queues.get(request.path_params["queue_id"])["queue_id"]))

    async def _empty(self, queue_id: str) -> None:
        while self._queues.purge_some(queue_id):
            await asyncio.sleep(0)  # others have their turn: 100,000 messages take seconds


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    """Bytes and what only a Worker can read go as base64."""
    body, form = message["body"], message["format"]
    return {
        "id": message["id"],
        "attempts": message["attempts"],
        "timestamp_ms": message["sent_ms"],
        "body": body.decode() if form in ("json", "text") else base64.b64encode(body).decode(),
        "metadata": {"CF-Content-Type": form, "CF-sourceMessageSource": "api"},
    }


def _check_number(name: str, value: Any, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
        raise ApiError(400, 10026, f"{name} must be a number from 1 to {most}")


def _message(item: dict[str, Any], default_delay: float | None = None) -> tuple[bytes, str, float | None]:
    if "body" not in item:
        raise ApiError(400, 10207, "invalid message body")
    form = item.get("content_type") or ("text" if isinstance(item["body"], str) else "json")
    if form not in ("text", "json"):
        raise ApiError(400, 10207, "invalid content_type: it must be text or json")
    body = item["body"] if form == "text" and isinstance(item["body"], str) else json.dumps(item["body"])
    return body.encode(), form, _delay(item.get("delay_seconds", default_delay))


def _delay(given: Any) -> float | None:
    if given is None or given == "":
        return None
    try:
        value = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else -1
    except ValueError:
        value = -1
    if not 0 <= value <= LONGEST_DELAY:
        raise ApiError(400, 10208, f"invalid delay {str(given)[:40]}: it must be from 0 to {LONGEST_DELAY} seconds")
    return value


def _batch(messages: list[Message]) -> list[Message]:
    size = sum(len(body) for body, _, _ in messages)
    if len(messages) > MOST_MESSAGES:
        raise ApiError(413, 10206, f"batch message count of {len(messages)} exceeds limit of {MOST_MESSAGES}")
    if size > LARGEST_BATCH:
        raise ApiError(413, 10205, f"batch size of {size} bytes exceeds limit of {LARGEST_BATCH} bytes")
    return messages


def _is_broken(body: bytes, form: str) -> bool:
    """A function as a message is `undefined`: it would end a batch at its consumer, again and again."""
    return form == "json" and body == b"undefined"


def _context(request: Request, messages: int) -> str:
    """Of the trace that sends, where traces are kept; what the span of the sending is told of it."""
    note(**{SENDER: request.headers.get("x-local-script", ""), "messaging.batch.message_count": messages})
    return request.headers.get("traceparent", "")


async def queue_binding(queues: Queues, request: Request, queue_name: str) -> Response:
    """`send`, `sendBatch` and `metrics` of a producer binding."""
    queue, path = queues.by_name(queue_name), request.path_params["path"]
    if queue is None:
        return JSONResponse({"error": f"Queue {queue_name} does not exist"}, 404)
    try:
        if path == "message":
            delay = _delay(request.headers.get("x-msg-delay-secs"))
            form = request.headers.get("x-msg-fmt", "v8")
            body = await request.body()
            if _is_broken(body, form):
                return JSONResponse({"error": BROKEN}, 400, {"cf-queues-error-cause": BROKEN})
            queues.send(queue["queue_id"], [(body, form, delay)], _context(request, 1))
        elif path == "batch":
            batch = await json_body(request)
            default = request.headers.get("x-msg-delay-secs")
            messages = [
                (base64.b64decode(m["body"]), m.get("contentType", "v8"), _delay(m.get("delaySecs", default)))
                for m in batch["messages"]
            ]
            if any(_is_broken(body, form) for body, form, _ in messages):
                return JSONResponse({"error": BROKEN}, 400, {"cf-queues-error-cause": BROKEN})
            queues.send(queue["queue_id"], _batch(messages), _context(request, len(messages)))
    except ApiError as error:
        # workerd puts these two headers into the error that the Worker sees.
        told = {"cf-queues-error-code": str(error.code), "cf-queues-error-cause": error.message}
        return JSONResponse({"error": error.message}, error.status, told)
    metrics = queues.metrics(queue["queue_id"])
    shown = {
        "backlogCount": metrics["backlog_count"],
        "backlogBytes": metrics["backlog_bytes"],
        "oldestMessageTimestamp": metrics["oldest_message_timestamp_ms"],
    }
    return JSONResponse(shown if path == "metrics" else {"metadata": {"metrics": shown}})
