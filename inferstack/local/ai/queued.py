"""The asynchronous batch API: requests handed over at once, run behind, and asked for by id.

Shapes: facts `ai-binding.md` §3, Options.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from inferstack import catalog
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.run import Models


class Queued:
    """Batches of this process; they do not outlive it."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._answers: dict[str, list[dict[str, Any]] | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, name: str, requests: Any) -> dict[str, Any]:
        model = catalog.find_model(name)
        if model is None or not model.batch:
            raise InferenceError(400, 5006, f"Error: {name} has no asynchronous batch API")
        if not isinstance(requests, list) or not requests:
            raise InferenceError(400, 5006, "Error: required properties at '/' are 'requests'")
        identifier = str(uuid.uuid4())
        self._answers[identifier] = None
        task = asyncio.create_task(self._run(identifier, name, requests))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return {"status": "queued", "model": name, "request_id": identifier}

    def poll(self, identifier: str) -> dict[str, Any]:
        if identifier not in self._answers:
            raise InferenceError(404, 5006, f"Error: there is no request {identifier}")
        answers = self._answers[identifier]
        return {"status": "running"} if answers is None else {"responses": answers, "usage": {}}

    async def _run(self, identifier: str, name: str, requests: list[Any]) -> None:
        answers = []
        for place, request in enumerate(requests):
            entry: dict[str, Any] = {"id": place}
            if isinstance(request, dict) and "external_reference" in request:
                entry["external_reference"] = request["external_reference"]
            try:
                answer = await self._models.run(name, request)
                entry |= {"success": True, "result": answer.value}
            except InferenceError as error:
                entry |= {"success": False, "error": str(error)}
            answers.append(entry)
        self._answers[identifier] = answers
