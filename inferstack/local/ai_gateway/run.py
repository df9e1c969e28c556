"""The gateway's data plane: runs a request through cache, rate limit and dynamic routes, and logs it.

Providers other than Workers AI are refused by name here: nothing leaves this machine.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from inferstack.local._envelope import ApiError, json_body
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai_gateway.state import ROUTE, GatewayState, shown_route

MOST_STEPS = 64


class GatewayError(Exception):
    """What the data plane answers: HTTP status, code, text."""

    name = "AiGatewayError"

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Gateways:
    """Inference through the account's gateways."""

    def __init__(self, state: GatewayState, store: Store, models: Models) -> None:
        self._state, self._db, self._models = state, store.db, models
        self._calls: dict[str, list[float]] = {}

    async def run(
        self, gateway_id: str, model: str, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[Answer, str]:
        """An inference through a gateway, and the id of its log entry."""
        gateway = self._gateway(gateway_id)
        self._limit(gateway)
        key = self._cache_key(gateway_id, model, inputs, options)
        cached = None if options.get("skipCache") or inputs.get("stream") else self._cached(key)
        started, step = time.perf_counter(), 0
        try:
            if cached is not None:
                answer = Answer(value=cached)
            elif model.startswith("dynamic/"):
                answer, model, step = await self._dynamic(gateway_id, model.removeprefix("dynamic/"), inputs, options)
            else:
                answer = await self._models.run(model, inputs)
        except InferenceError:
            self._log(gateway, model, started, success=False, cached=False, usage=None, step=step)
            raise
        ttl = options.get("cacheTtl", gateway.get("cache_ttl"))
        if cached is None and ttl and answer.value is not None:
            self._remember(key, gateway_id, answer.value, float(ttl))
        log = self._log(gateway, model, started, True, cached is not None, answer.usage, step)
        return answer, log

    async def answer_binding(self, request: Request, path: str) -> Response:
        """`env.AI.gateway(id)`: getUrl, getLog and the universal endpoint."""
        parts = path.split("/")
        if parts[0] == "universal" and len(parts) == 3 and request.method == "POST":
            return await self.universal(parts[2], await json_body(request, 2001, list))
        if parts[0] == "gateways" and len(parts) == 4 and parts[2] == "url":
            self._gateway(parts[1])
            tail = "" if parts[3] == "universal" else f"/{parts[3]}"
            return JSONResponse({"result": {"url": f"https://gateway.ai.cloudflare.com/v1/local/{parts[1]}{tail}"}})
        if parts[0] == "gateways" and len(parts) == 4 and parts[2] == "logs" and request.method == "GET":
            sql = "select body from gateway_logs where gateway = ? and id = ?"
            row = self._db.execute(sql, (parts[1], parts[3])).fetchone()
            return JSONResponse({"result": json.loads(row[0])} if row else {"error": "not found"}, 200 if row else 404)
        raise GatewayError(501, 7000, f"the local Cloudflare does not emulate /ai-gateway/{path}")

    async def universal(self, gateway_id: str, items: list[Document]) -> Response:
        """Items in order until one succeeds, as the universal endpoint does."""
        error: Exception = GatewayError(400, 2001, "the list of requests is empty")
        for step, item in enumerate(items):
            try:
                return await self.provider(gateway_id, item["provider"], item.get("endpoint", ""), item["query"], step)
            except (GatewayError, InferenceError) as failed:
                error = failed
        raise error

    async def provider(self, gateway_id: str, provider: str, endpoint: str, query: Document, step: int = 0) -> Response:
        """One request to `workers-ai/<model>`, or to `compat/chat/completions` with `workers-ai/…` or `dynamic/…`."""
        if provider == "workers-ai" and not endpoint.startswith("v1/"):
            model, compat = endpoint, False
        elif provider in {"compat", "workers-ai"} and endpoint.endswith("chat/completions"):
            model, compat = str(query.get("model", "")), True
        else:
            self._gateway(gateway_id)
            raise GatewayError(501, 2018, f"provider {provider} cannot be reached from the local Cloudflare")
        if compat and "/" not in model:
            raise GatewayError(400, 2019, "Chat completion bad format")
        answer, log = await self.run(gateway_id, model.removeprefix("workers-ai/"), query, {})
        headers = {"cf-aig-log-id": log, "cf-aig-step": str(step), "cf-aig-provider": provider}
        if answer.stream is not None:
            return StreamingResponse(answer.stream, media_type="text/event-stream", headers=headers)
        if compat:
            return JSONResponse(_completion(model, answer.value), headers=headers)
        envelope = {"success": True, "errors": [], "messages": [], "result": answer.value}
        return JSONResponse(envelope, headers=headers)

    def _gateway(self, gateway_id: str) -> Document:
        try:
            return self._state.get(gateway_id)
        except ApiError:
            text = "Please configure AI Gateway in the Cloudflare dashboard"
            raise GatewayError(400, 2001, text) from None

    def _limit(self, gateway: Document) -> None:
        limit, interval = gateway.get("rate_limiting_limit"), gateway.get("rate_limiting_interval")
        if not limit or not interval:
            return
        calls = [t for t in self._calls.get(gateway["id"], []) if t > time.monotonic() - interval]
        if len(calls) >= limit:
            raise GatewayError(429, 2003, "Rate limited")
        self._calls[gateway["id"]] = [*calls, time.monotonic()]

    async def _dynamic(
        self, gateway_id: str, name: str, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[Answer, str, int]:
        """Walk a route's graph to the first model that answers."""
        found = next((r for r in self._state.children(ROUTE, gateway_id) if r["name"] == name), None)
        if found is None:
            raise GatewayError(404, 2002, f"dynamic route {name} does not exist")
        elements = {e["id"]: e for e in shown_route(found)["elements"]}
        element = next(e for e in elements.values() if e["type"] == "start")
        error: InferenceError | None = None
        for step in range(MOST_STEPS):
            if element["type"] == "end":
                break
            exit_name = "next"
            if element["type"] == "model":
                model = element["properties"]["model"]
                try:
                    return await self._models.run(model, inputs), model, step
                except InferenceError as failed:
                    error, exit_name = failed, "fallback"
            elif element["type"] == "percentage":
                exit_name = _draw(element["outputs"])
            elif element["type"] == "conditional":
                exit_name = "true" if _condition(element["properties"], options.get("metadata") or {}) else "false"
            elif element["type"] in {"rate", "rate_limit"}:
                exit_name = "success"
            output = element["outputs"].get(exit_name) or {}
            element = elements[output["elementId"] if isinstance(output, dict) else output]
        raise error or GatewayError(400, 2002, f"dynamic route {name} ended without a model")

    def _cache_key(self, gateway_id: str, model: str, inputs: dict[str, Any], options: dict[str, Any]) -> str:
        custom = options.get("cacheKey")
        text = custom or json.dumps([model, inputs], sort_keys=True)
        return hashlib.sha256(f"{gateway_id}\0{text}".encode()).hexdigest()

    def _cached(self, key: str) -> Any:
        sql = "select body from gateway_cache where key = ? and expires_ms > ?"
        row = self._db.execute(sql, (key, int(time.time() * 1000))).fetchone()
        return json.loads(row[0]) if row else None

    def _remember(self, key: str, gateway_id: str, value: Any, ttl: float) -> None:
        expires = int((time.time() + ttl) * 1000)
        sql = "insert or replace into gateway_cache values (?, ?, ?, ?)"
        self._db.execute(sql, (key, gateway_id, expires, json.dumps(value)))

    def _log(
        self,
        gateway: Document,
        model: str,
        started: float,
        success: bool,
        cached: bool,
        usage: dict[str, int] | None,
        step: int,
    ) -> str:
        identifier = uuid_id()
        if not gateway.get("collect_logs"):
            return identifier
        entry: Document = {"id": identifier, "provider": "workers-ai", "model": model, "path": model, "step": step}
        entry |= {"duration": int((time.perf_counter() - started) * 1000), "success": success, "cached": cached}
        entry |= {"status_code": 200 if success else 500, "created_at": now(), "request_type": "run"}
        tokens = usage or {}
        entry |= {"tokens_in": tokens.get("prompt_tokens", 0), "tokens_out": tokens.get("completion_tokens", 0)}
        sql = "insert into gateway_logs values (?, ?, ?, ?)"
        self._db.execute(sql, (identifier, gateway["id"], int(time.time() * 1000), json.dumps(entry)))
        return identifier


def _draw(outputs: dict[str, Any]) -> str:
    """One of `"10%"`, `"50%"`, `"else"`, by chance."""
    point = random.uniform(0, 100)  # noqa: S311 - traffic split, not a secret
    for name in outputs:
        if name.endswith("%"):
            point -= float(name[:-1])
            if point < 0:
                return name
    return "else" if "else" in outputs else next(iter(outputs))


def _condition(properties: dict[str, Any], metadata: dict[str, Any]) -> bool:
    """`{"metadata.plan": {"$eq": "free"}}`, all of them."""
    conditions = properties.get("conditions") or properties.get("condition") or {}
    if isinstance(conditions, str):
        conditions = json.loads(conditions)
    for path, test in conditions.items():
        value = metadata.get(path.removeprefix("metadata."))
        wanted = test.get("$eq") if isinstance(test, dict) else test
        if value != wanted:
            return False
    return True


def _completion(model: str, value: Any) -> Document:
    if isinstance(value, dict) and "choices" in value:
        return value
    choice = {"index": 0, "message": {"role": "assistant", "content": value["response"]}, "finish_reason": "stop"}
    head = {"id": f"chatcmpl-{uuid_id()}", "object": "chat.completion", "created": int(time.time()), "model": model}
    return head | {"choices": [choice], "usage": value.get("usage", {})}
