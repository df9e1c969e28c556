"""The models of the account as the API lists them: search, schema, tasks, authors, fine-tunes.

Facts: `catalog/data/models.json` (ids, dates, prices) and `catalog/data/model_schemas.json` (inputs and outputs), each with
its sources inside.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack import catalog
from inferstack.local._envelope import ApiError, ok, paged

NO_LORA = "LoRA fine-tunes cannot run on the local Cloudflare: it has no weights of the models"


class ModelsApi:
    """REST handlers."""

    def routes(self, account: str) -> list[Route]:
        return [
            Route(f"{account}/ai/models/search", self.search, methods=["GET"]),
            Route(f"{account}/ai/models/schema", self.schema, methods=["GET"]),
            Route(f"{account}/ai/tasks/search", self.tasks, methods=["GET"]),
            Route(f"{account}/ai/authors/search", self.authors, methods=["GET"]),
            Route(f"{account}/ai/finetunes", self.finetunes, methods=["GET", "POST"]),
            Route(f"{account}/ai/finetunes/public", self.public_finetunes, methods=["GET"]),
            Route(f"{account}/ai/finetunes/{{finetune_id}}/finetune-assets", self.finetunes, methods=["POST"]),
        ]

    async def search(self, request: Request) -> Response:
        return paged(request, listed_models(request), default_size=100)

    async def schema(self, request: Request) -> Response:
        """JSON Schemas of a model's input and output."""
        name = request.query_params.get("model", "")
        if not name:
            raise ApiError(400, 1000, "the query needs `model`, the name of one")
        model = catalog.find_model(name)
        if model is None:
            raise ApiError(404, 5007, f"No such model {name} or task")
        known = _data("model_schemas.json")
        kinds, of_task = known["models"].get(name), known["tasks"].get(model.listed_task)
        if kinds is None and of_task is None:
            raise ApiError(404, 6002, f"the schema of {name} is not known")
        told = {"description": "", "additionalProperties": True}
        found = {side: known["schemas"][kinds[side]] for side in ("input", "output")} if kinds else of_task
        return ok({side: told | found[side] for side in ("input", "output")})

    async def tasks(self, request: Request) -> Response:
        return paged(request, [_task(task) for task in _data("models.json")["tasks"]], default_size=100)

    async def authors(self, request: Request) -> Response:
        """Who made the models that there are: the middle part of their names."""
        names = sorted({_author(name) for name in catalog.model_names()})
        return paged(request, [{"name": name} for name in names], default_size=100)

    async def finetunes(self, request: Request) -> Response:
        if request.method == "POST":
            raise ApiError(400, 5005, NO_LORA)
        return ok([])

    async def public_finetunes(self, _: Request) -> Response:
        return ok(_data("models.json")["public_loras"])


def _author(name: str) -> str:
    return name.split("/")[1]


@cache
def _data(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((files(catalog) / "data" / name).read_text())
    return document


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in _data("models.json")["models"]}


def _task(task: dict[str, Any]) -> dict[str, Any]:
    return {"id": task["id"], "name": task["name"], "description": task.get("description", "")}


def listed_models(request: Request) -> list[dict[str, Any]]:
    """Those that `search`, `task` and `author` of the query leave, as the API and `env.AI.models()` tell them."""
    query, found = request.query_params, []
    tasks = {task["name"]: _task(task) for task in _data("models.json")["tasks"]}
    for name in catalog.model_names():
        model = catalog.find_model(name)
        if model is None or model.removed or query.get("search", "").lower() not in name.lower():
            continue
        listed = model.listed_task or model.task
        if query.get("task") not in (None, "", listed) or query.get("author") not in (None, "", _author(name)):
            continue
        entry = _entries().get(name, {})
        shown = {"id": entry.get("id") or "", "source": 1, "name": name, "description": entry.get("info") or ""}
        shown |= {"task": tasks.get(listed, {"id": "", "name": listed, "description": ""}), "tags": []}
        found.append(shown | {"created_at": entry.get("created_at"), "properties": _properties(model)})
    return found


def _properties(model: catalog.Model) -> list[dict[str, Any]]:
    """Values are texts, as Cloudflare's are; prices a list."""
    flags = {"function_calling": model.function_calling, "async_queue": model.batch, "lora": model.lora}
    texts = {name: "true" for name, has in flags.items() if has}
    texts |= {"context_window": str(model.context_window)} if model.context_window else {}
    texts |= {"planned_deprecation_date": model.planned_deprecation} if model.planned_deprecation else {}
    found: list[dict[str, Any]] = [{"property_id": name, "value": value} for name, value in texts.items()]
    prices = [{"unit": price.unit, "price": price.usd, "currency": "USD"} for price in model.prices]
    return [*found, *([{"property_id": "price", "value": prices}] if prices else [])]
