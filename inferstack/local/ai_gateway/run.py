"""The gateway's data plane: runs a request through cache, rate limit and dynamic routes, and logs it.

External providers are played here (`external.py`): nothing leaves this machine.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from inferstack.local._envelope import ApiError, json_body
from inferstack.local._store import Document, Store, uuid_id
from inferstack.local.ai.openai_api import embedding_inputs, listed
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai_gateway.asked import Asked, Blocked, Denied, Done, GatewayError, is_external
from inferstack.local.ai_gateway.custom_providers import CustomProviders
from inferstack.local.ai_gateway.dynamic import Routed, RouteEnded, walk
from inferstack.local.ai_gateway.external import CHAT, answer_external, sends_key
from inferstack.local.ai_gateway.guards import Found, Guards, rules_of
from inferstack.local.ai_gateway.limits import CENTS, Spending, Windows, cost_cents
from inferstack.local.ai_gateway.logs import Entry, Logs
from inferstack.local.ai_gateway.otel import Spans
from inferstack.local.ai_gateway.policies import Policies
from inferstack.local.ai_gateway.state import KEY, ROUTE, GatewayState, shown_route
from inferstack.local.egress import is_loopback
from inferstack.local.traces.calls import note

NAME = GatewayError.name


class Gateways:
    """Inference through the account's gateways."""

    def __init__(
        self, state: GatewayState, store: Store, models: Models, custom: CustomProviders, policies: Policies
    ) -> None:
        self._policies = policies
        self._logs = Logs(store)
        self._state, self._db, self._models, self._custom = state, store.db, models, custom
        self._windows = Windows()
        self._spending = Spending(self._windows)
        self._guards, self._spans = Guards(models), Spans()

    async def run(self, gateway_id: str, model: str, inputs: dict[str, Any], options: dict[str, Any]) -> Done:
        """An inference through a gateway: of Workers AI, or of `provider/model`, which Cloudflare
        bills (facts `ai-binding.md`, Options)."""
        provider, external = model.split("/", 1) if is_external(model) else ("workers-ai", model)
        billed = provider != "workers-ai"
        return await self._answer(Asked(gateway_id, provider, external, "", inputs, options, {}, billed))

    async def _answer(self, asked: Asked) -> Done:
        gateway, options = self._gateway(asked.gateway), asked.options
        self._limit(gateway)
        metadata = options.get("metadata") or {}
        key = self._cache_key(asked)
        cached = None if options.get("skipCache") or asked.inputs.get("stream") else self._cached(key)
        started, found = time.perf_counter(), Found()
        if cached is None and self._spending.exceeded(gateway, asked.provider, asked.model, metadata):
            raise GatewayError(429, 2003, "Rate limited: spend limit reached")
        try:
            if cached is not None:  # guards saw it when it was new
                routed = Routed(Answer(value=cached), asked.provider, asked.model, 0)
            else:
                routed = await self._guarded(gateway, asked, metadata, found)
        except (InferenceError, Blocked) as error:
            none = found.refused or Routed(Answer(), asked.provider, asked.model, 0)
            self._spend(gateway, none, metadata)  # a refused answer was paid for
            self._log(gateway, asked, none, started, status=error.status, found=found)
            raise
        answer = routed.answer
        ttl = options.get("cacheTtl", gateway.get("cache_ttl"))
        if cached is None:
            self._spend(gateway, routed, metadata)
            if ttl and answer.value is not None:
                self._remember(key, asked.gateway, answer.value, float(ttl))
        log = self._log(gateway, asked, routed, started, cached=cached is not None, found=found)
        noted = {"id": asked.gateway, "log_id": log, "step": routed.step, "cached": cached is not None}
        note(**{f"cloudflare.ai.gateway.{name}": value for name, value in noted.items()})
        if answer.stream is not None and not answer.usage:
            stream = self._charged(asked, routed, answer.stream, log, started)
            routed = replace(routed, answer=replace(answer, stream=stream))
        return Done(routed, log, "HIT" if cached is not None else "MISS" if ttl else None, found.headers)

    async def _guarded(self, gateway: Document, asked: Asked, metadata: Document, found: Found) -> Routed:
        """The guards before and behind the model, or the route of models."""
        await self._guards.check_request(gateway, asked.inputs, found)
        if asked.model.startswith("dynamic/"):
            routed = await self._dynamic(asked, metadata)
        else:
            routed = Routed(await self._call(asked), asked.provider, asked.model, 0)
        found.refused = replace(routed, answer=Answer(usage=routed.answer.usage))
        return replace(routed, answer=await self._guards.check_answer(gateway, routed.answer, found))

    async def _charged(
        self, asked: Asked, routed: Routed, stream: AsyncIterator[bytes], log: str, started: float
    ) -> AsyncIterator[bytes]:
        """A stream whose tokens are known at its end."""
        async for piece in stream:
            yield piece
        gateway, usage = self._gateway(asked.gateway), routed.answer.usage
        self._spans.send(gateway, asked, routed, started, 200)
        if usage:
            self._spend(gateway, routed, asked.options.get("metadata") or {})
            with suppress(ApiError):  # no log is kept, or not any more
                self._logs.charge(asked.gateway, log, usage)

    def _spend(self, gateway: Document, routed: Routed, metadata: Document) -> None:
        cents = cost_cents(routed.provider, routed.model, routed.answer.usage)
        self._spending.add(gateway, routed.provider, routed.model, metadata, cents)
        self._policies.spend(gateway["id"], routed.provider, routed.model, metadata, cents / CENTS)

    def _permit(self, asked: Asked) -> None:
        """By the policies: of each model that is really asked, those of a route too. Raises `Denied`."""
        metadata = asked.options.get("metadata") or {}
        found = self._policies.decide(asked.gateway, asked.provider, asked.model, metadata)
        if found.why == "limit_exceeded":
            figures = {"bucket": found.bucket, "spent": found.spent, "limit": found.limit}
            raise Denied(429, "Spending limit exceeded", **figures)
        if not found.allowed:
            raise Denied(403, "Access denied by policy")

    def _log(
        self,
        gateway: Document,
        asked: Asked,
        routed: Routed,
        started: float,
        *,
        status: int = 200,
        cached: bool = False,
        found: Found,
    ) -> str:
        if routed.answer.stream is None or routed.answer.usage:
            self._spans.send(gateway, asked, routed, started, status)
        if not asked.options.get("collectLog", gateway.get("collect_logs")):
            return uuid_id()
        metadata = asked.options.get("metadata") or {}
        entry = Entry(
            routed=routed,
            started=started,
            inputs=asked.inputs,
            metadata=metadata,
            status=status,
            cached=cached,
            guarded=found.document(),
        )
        return self._logs.add(gateway["id"], entry)

    async def _call(self, asked: Asked) -> Answer:
        self._permit(asked)
        if asked.provider == "workers-ai":
            return await self._models.run(asked.model, asked.inputs, openai=asked.openai)
        own = self._custom.base_url(asked.provider)
        if own is not None:
            return await self._own(asked, own)
        keys = self._state.children(KEY, asked.gateway)
        has_key = sends_key(asked.headers) or any(key["provider_slug"] == asked.provider for key in keys)
        own_only = asked.headers.get("cf-aig-no-wholesale") == "true" or self._gateway(asked.gateway).get("byok_only")
        if own_only and not has_key:  # status: changelog 2026-09-14, which has neither code nor text
            raise InferenceError(400, 2009, f"{asked.provider} needs a key of yours: none is kept, none was sent", NAME)
        has_key = has_key or asked.billed
        return await answer_external(
            self._models, asked.provider, asked.model, asked.endpoint or CHAT[0], asked.inputs, has_key
        )

    async def _own(self, asked: Asked, base_url: str) -> Answer:
        """An endpoint of the account's own: on this machine it is asked, elsewhere it is played."""
        if not is_loopback(httpx.URL(base_url).host):
            return await answer_external(
                self._models, asked.provider, asked.model, asked.endpoint or CHAT[0], asked.inputs, has_key=True
            )
        sent = asked.headers.get("authorization")
        kept = self._state.secret_of(asked.gateway, asked.provider)
        key = sent or (f"Bearer {kept}" if kept else None)
        url = f"{base_url.rstrip('/')}/{asked.endpoint or CHAT[0]}"
        return await self._models.ask_server(url, asked.model, asked.inputs, {"authorization": key} if key else {})

    async def _dynamic(self, asked: Asked, metadata: dict[str, Any]) -> Routed:
        name = asked.model.removeprefix("dynamic/")
        found = next((r for r in self._state.children(ROUTE, asked.gateway) if r["name"] == name), None)
        if found is None:
            raise GatewayError(404, 2002, f"dynamic route {name} does not exist")

        async def call(provider: str, model: str, inputs: dict[str, Any]) -> Answer:
            return await self._call(replace(asked, provider=provider, model=model, inputs=inputs, endpoint=""))

        try:
            return await walk(shown_route(found), call, self._windows, asked.inputs, metadata)
        except RouteEnded:
            raise GatewayError(429, 2003, f"Rate limited: dynamic route {name} ended without a model") from None

    async def answer_binding(self, request: Request, path: str) -> Response:
        """`env.AI.gateway(id)`: getUrl, getLog and the universal endpoint."""
        parts = path.split("/")
        if parts[0] == "universal" and len(parts) == 3 and request.method == "POST":
            return await self.universal(parts[2], await json_body(request, 2001, list), {})
        if parts[0] == "gateways" and len(parts) == 4 and parts[2] == "url":
            self._gateway(parts[1])
            tail = "" if parts[3] == "universal" else f"/{parts[3]}"
            url = f"https://gateway.ai.cloudflare.com/v1/{self._state.account_id}/{parts[1]}{tail}"
            return JSONResponse({"result": {"url": url}})
        if parts[0] == "gateways" and len(parts) == 4 and parts[2] == "logs" and request.method in ("GET", "PATCH"):
            return await self._log_of_binding(request, parts[1], parts[3])
        raise GatewayError(501, 7000, f"the local Cloudflare does not emulate /ai-gateway/{path}")

    async def _log_of_binding(self, request: Request, gateway_id: str, log: str) -> Response:
        try:
            if request.method == "PATCH":
                self._logs.judge(gateway_id, log, await json_body(request, 7001))
                return JSONResponse({"success": True, "result": {}, "errors": [], "messages": []})
            return JSONResponse({"result": self._logs.get(gateway_id, log)})
        except ApiError as error:
            errors = [{"code": error.code, "message": error.message}]
            return JSONResponse({"success": False, "result": None, "errors": errors, "messages": []}, error.status)

    async def universal(self, gateway_id: str, items: list[Document], headers: dict[str, str]) -> Response:
        """Items in order until one succeeds, as the universal endpoint does."""
        error: Exception = GatewayError(400, 2001, "the list of requests is empty")
        for step, item in enumerate(items):
            given = {**headers, **{str(k).lower(): str(v) for k, v in (item.get("headers") or {}).items()}}
            try:
                return await self.provider(
                    gateway_id, item["provider"], item.get("endpoint", ""), item["query"], given, step
                )
            except (GatewayError, InferenceError) as failed:
                error = failed
        raise error

    async def provider(
        self, gateway_id: str, provider: str, endpoint: str, query: Document, headers: dict[str, str], step: int = 0
    ) -> Response:
        """One request to a provider's own path, or to `compat` with `provider/model`.

        `compat/embeddings` is in no page of Cloudflare's; callers report it for models of Workers AI (2026-07-23).
        """
        model, embeds = str(query.get("model", "")), endpoint.endswith("embeddings")
        compat = provider == "compat" and (embeds or endpoint.endswith("chat/completions"))
        if provider == "workers-ai" and not endpoint.startswith("v1/"):
            model = endpoint.removeprefix("run/")  # as workers-ai-provider asks for it (4.0.0, 2026-11)
        elif compat:
            if "/" not in model:
                raise GatewayError(400, 2019, "Chat completion bad format")
            if not model.startswith("dynamic/"):
                provider, model = model.split("/", 1)
            endpoint = "embeddings" if embeds else ""
        elif provider == "workers-ai":
            compat = True
        vectors = provider == "workers-ai" and compat and embeds
        inputs = embedding_inputs(query) if vectors else query
        if inputs.get("stream") and rules_of(self._gateway(gateway_id), "response"):
            inputs = {name: value for name, value in inputs.items() if name not in ("stream", "stream_options")}
        asked = Asked(gateway_id, provider, model, endpoint, inputs, _options(headers), headers, openai=compat)
        done = await self._answer(asked)
        shown = done.headers | {"cf-aig-step": str(done.routed.step or step)}
        shown |= {"cf-aig-provider": done.routed.provider, "cf-aig-model": done.routed.model}
        answer = done.answer
        if answer.stream is not None:
            return StreamingResponse(answer.stream, media_type="text/event-stream", headers=shown)
        if vectors:
            return JSONResponse(listed(model, query, answer.value), headers=shown)
        if compat or provider != "workers-ai":
            return JSONResponse(_completion(done.routed.model, answer.value), headers=shown)
        envelope = {"success": True, "errors": [], "messages": [], "result": answer.value}
        return JSONResponse(envelope, headers=shown)

    def authenticated(self, gateway_id: str) -> bool:
        return bool(self._gateway(gateway_id).get("authentication"))

    def _gateway(self, gateway_id: str) -> Document:
        try:
            return self._state.use(gateway_id)
        except ApiError:
            text = "Please configure AI Gateway in the Cloudflare dashboard"
            raise GatewayError(400, 2001, text) from None

    def _limit(self, gateway: Document) -> None:
        limit, interval = gateway.get("rate_limiting_limit"), gateway.get("rate_limiting_interval")
        if not limit or not interval:
            return
        key = f"rate\0{gateway['id']}"
        if self._windows.total(key, interval, gateway.get("rate_limiting_technique", "fixed")) >= limit:
            raise GatewayError(429, 2003, "Rate limited")
        self._windows.add(key, 1)

    def _cache_key(self, asked: Asked) -> str:
        text = asked.options.get("cacheKey") or json.dumps(
            [asked.provider, asked.model, asked.inputs, *(["openai"] if asked.openai else [])], sort_keys=True
        )
        return hashlib.sha256(f"{asked.gateway}\0{text}".encode()).hexdigest()

    def _cached(self, key: str) -> Any:
        sql = "select body from gateway_cache where key = ? and expires_ms > ?"
        row = self._db.execute(sql, (key, int(time.time() * 1000))).fetchone()
        return json.loads(row[0]) if row else None

    def _remember(self, key: str, gateway_id: str, value: Any, ttl: float) -> None:
        expires = int((time.time() + ttl) * 1000)
        sql = "insert or replace into gateway_cache values (?, ?, ?, ?)"
        self._db.execute(sql, (key, gateway_id, expires, json.dumps(value)))


def _options(headers: dict[str, str]) -> dict[str, Any]:
    """The request's own settings, as `env.AI.run` has them in its options. Source: facts `api.md`, AI Gateway."""
    options: dict[str, Any] = {}
    with suppress(ValueError):
        if metadata := headers.get("cf-aig-metadata"):
            options["metadata"] = json.loads(metadata)
        if ttl := headers.get("cf-aig-cache-ttl"):
            options["cacheTtl"] = float(ttl)
    options |= {"skipCache": True} if headers.get("cf-aig-skip-cache") == "true" else {}
    options |= {"collectLog": log == "true"} if (log := headers.get("cf-aig-collect-log")) else {}
    return options | ({"cacheKey": key} if (key := headers.get("cf-aig-cache-key")) else {})


def _completion(model: str, value: Any) -> Document:
    if isinstance(value, dict) and "response" not in value:
        return value
    choice = {"index": 0, "message": {"role": "assistant", "content": value["response"]}, "finish_reason": "stop"}
    head = {"id": f"chatcmpl-{uuid_id()}", "object": "chat.completion", "created": int(time.time()), "model": model}
    return head | {"choices": [choice], "usage": value.get("usage", {})}
