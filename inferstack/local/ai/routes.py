"""Workers AI on the wire: REST under /ai, and the inner requests of `env.AI` (facts `ai-binding.md` §1)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from inferstack import catalog
from inferstack.local._envelope import ApiError, json_body, ok, paged, require
from inferstack.local.ai.faults import Faults
from inferstack.local.ai.listing import ModelsApi, listed_models
from inferstack.local.ai.markdown import supported
from inferstack.local.ai.openai_api import OpenAiApi, engine_header, with_engine
from inferstack.local.ai.queued import Queued
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai_gateway.asked import GatewayError, is_external
from inferstack.local.ai_gateway.data_plane import refusal
from inferstack.local.ai_gateway.run import Gateways
from inferstack.local.ai_gateway.state import DEFAULT
from inferstack.local.api_faults import ApiFaults

FILES = {"Automatic Speech Recognition": "audio", "Image-to-Text": "image"}  # task → the input that is a file


class AiApi:
    """REST handlers."""

    def __init__(self, models: Models, api_faults: ApiFaults, changed: Callable[[], Awaitable[None]]) -> None:
        """`changed` is called when other faults are planned than before."""
        self._models, self._api_faults, self._changed = models, api_faults, changed

    def routes(self, account: str) -> list[Route]:
        return [
            Route(f"{account}/ai/run/{{model_name:path}}", self.run, methods=["POST"]),
            Route(f"{account}/ai/run", self.run, methods=["POST"]),
            *ModelsApi().routes(account),
            Route(f"{account}/ai/tomarkdown", self.to_markdown, methods=["POST"]),
            Route(f"{account}/ai/tomarkdown/supported", self.supported, methods=["GET"]),
            *OpenAiApi(self._models).routes(account),
            Route("/__local/faults", self.plan_faults, methods=["POST"]),
            Route("/__local/faults", self.list_faults, methods=["GET"]),
            Route("/__local/faults", self.clear_faults, methods=["DELETE"]),
            Route("/__local/inferences", self.inferences, methods=["GET"]),
        ]

    async def run(self, request: Request) -> Response:
        """The model stands in the path, or in the body beside `input`."""
        name = request.path_params.get("model_name")
        try:
            if name is None:
                body = await json_body(request, 5006)
                name, inputs = require(body, "model", str, 5006), require(body, "input", dict, 5006)
            else:
                inputs = await _inputs(request, name)
            answer = await self._models.run(name, inputs)
        except InferenceError as error:
            raise ApiError(error.status, error.code, f"{error.name}: {error.message}") from None
        if answer.stream or answer.data:
            return _plain(answer)
        return with_engine(ok(answer.value), answer)

    async def to_markdown(self, request: Request) -> Response:
        """Files of a form, each with the type that it says it has."""
        async with request.form() as form:
            uploads = [part for part in form.getlist("files") + form.getlist("file") if isinstance(part, UploadFile)]
            if not uploads:
                raise ApiError(400, 7001, "files: at least one file is needed, as multipart/form-data")
            files = [await _file_of(upload) for upload in uploads]
        try:
            return ok(await self._models.to_markdown(files))
        except InferenceError as error:
            raise ApiError(error.status, error.code, f"{error.name}: {error.message}") from None

    async def supported(self, _: Request) -> Response:
        return ok(supported(images=self._models.image_reader is not None))

    async def plan_faults(self, request: Request) -> Response:
        """Of the local Cloudflare only: what the next requests of the API meet (`path`, fields as in `ApiFault`), or
        the next inferences of a model (fields as in `Faults.plan`)."""
        body = await json_body(request)
        planned: ApiFaults | Faults = self._api_faults if "path" in body else self._models.faults
        try:
            planned.plan(body)
        except (TypeError, ValueError) as error:
            raise ApiError(400, 10001, f"that is no fault: {error}") from None
        await self._changed()
        return ok({})

    async def list_faults(self, _: Request) -> Response:
        faults = [*self._api_faults.listed(), *self._models.faults.listed()]
        return ok({"faults": faults, "requests": self._api_faults.requests, "held": self._api_faults.held})

    async def clear_faults(self, _: Request) -> Response:
        self._models.faults.clear()
        self._api_faults.clear()
        await self._changed()
        return ok({})

    async def inferences(self, _: Request) -> Response:
        """Of the local Cloudflare only: the last inferences, oldest first."""
        return ok([asdict(call) for call in self._models.calls])


async def _file_of(upload: UploadFile) -> dict[str, Any]:
    data = base64.b64encode(await upload.read()).decode()
    return {"name": upload.filename or "file", "mimeType": upload.content_type or "", "data": data}


async def _inputs(request: Request, name: str) -> dict[str, Any]:
    """JSON, or the file itself where the model is one for files: `curl --data-binary @speech.wav`."""
    model = catalog.find_model(name)
    field = FILES.get(model.task) if model else None
    data = await request.body()
    if field is None or data.lstrip()[:1] == b"{":
        return await json_body(request, 5006)  # type: ignore[no-any-return]
    if "deepgram" in name:
        return {
            field: {"body": base64.b64encode(data).decode(), "contentType": request.headers.get("content-type", "")}
        }
    return {field: list(data)}


async def _streamed(request: Request) -> dict[str, Any]:
    """Inputs of which one is a stream: it is the body, the others stand in the query, and its name nowhere."""
    model = catalog.find_model(_model_of(request))
    field = FILES.get(model.task) if model else None
    if model is None or field is None:
        raise InferenceError(400, 5006, "Error: this model takes no stream")
    data, kind = await request.body(), request.headers.get("content-type", "")
    inputs = json.loads(request.query_params["userInputs"])
    if not isinstance(inputs, dict):
        raise InferenceError(400, 5006, "Invalid input")
    body = base64.b64encode(data).decode() if "turbo" in model.name or "deepgram" in model.name else list(data)
    return {**inputs, field: {"body": body, "contentType": kind} if field == "audio" else body}


async def ai_binding(models: Models, queued: Queued, gateways: Gateways, request: Request) -> Response:
    """What workerd's AI module asks. `application/json` must stand alone in the content type."""
    path = request.path_params["path"]
    try:
        if path == "run" and request.method == "POST" and "userInputs" not in request.query_params:
            body = await json_body(request)
            inputs, options = body.get("inputs"), body.get("options") or {}
            if options.get("queueRequest"):
                return JSONResponse(queued.submit(_model_of(request), inputs.get("requests")))
            if isinstance(inputs, dict) and "request_id" in inputs:
                return JSONResponse(queued.poll(str(inputs["request_id"])))
            if is_external(_model_of(request)):
                done = await gateways.run(DEFAULT, _model_of(request), inputs, {})
                return _plain(done.answer, done.headers)
            return _plain(await models.run(_model_of(request), inputs))
        if path == "run" and request.method == "POST" and "multipart/form-data" in request.headers["content-type"]:
            form = await request.form()
            return _plain(await models.run(_model_of(request), {k: str(v) for k, v in form.items()}))
        if path == "run" and request.method == "POST":
            return _plain(await models.run(_model_of(request), await _streamed(request)))
        if path == "ai-gateway/run" and request.method == "POST":
            body = await json_body(request)
            options = (body.get("options") or {}).get("gateway") or {}
            done = await gateways.run(options.get("id", ""), _model_of(request), body.get("inputs"), options)
            return _plain(done.answer, done.headers)
        if path == "to-everything/markdown/transformer" and request.method == "POST":
            files = (await json_body(request)).get("files") or []
            return JSONResponse({"result": await models.to_markdown(files)})
        if path == "to-everything/markdown/supported" and request.method == "GET":
            return JSONResponse({"result": supported(images=models.image_reader is not None)})
        if path == "ai-api/models/search" and request.method == "GET":
            return paged(request, listed_models(request), default_size=100)
        if path.startswith("ai-gateway/"):
            return await gateways.answer_binding(request, path.removeprefix("ai-gateway/"))
    except (InferenceError, GatewayError) as error:
        if path.startswith("ai-gateway/universal/"):
            return refusal(error)
        body = {"internalCode": error.code, "name": error.name, "description": error.message}
        return JSONResponse(body, error.status)
    text = f"env.AI: the local Cloudflare does not emulate {request.method} /{path}"
    # Calls other than `run` read `errors` of a failed answer, and fail themselves where there are none.
    errors = [{"code": 7000, "message": text}]
    return JSONResponse({"internalCode": 7000, "name": "NotEmulated", "description": text, "errors": errors}, 501)


def _model_of(request: Request) -> str:
    name = request.headers.get("cf-consn-model-id", "")
    return name.split(":", 1)[1] if ":@" in name else name


def _plain(answer: Answer, more: dict[str, str] | None = None) -> Response:
    headers = {"cf-ai-req-id": str(uuid.uuid4()), **engine_header(answer), **(more or {})}
    if answer.stream is not None:
        return StreamingResponse(answer.stream, media_type="text/event-stream", headers=headers)
    if answer.data is not None:
        return Response(answer.data, media_type=answer.kind, headers=headers)
    return JSONResponse(answer.value, headers=headers)
