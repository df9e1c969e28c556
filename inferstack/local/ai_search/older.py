"""AutoRAG, which AI Search was called: its REST paths, and what `env.AI.autorag()` asks (facts `ai-binding.md`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok
from inferstack.local._store import Document
from inferstack.local.ai.run import Models
from inferstack.local.ai_search.answers import Answers, older_page, told
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.rules import INVALID, bad
from inferstack.local.ai_search.search import Searches, asked_of
from inferstack.local.ai_search.state import DEFAULT, Instances

PATH = "autorag/rags"


class OlderApi:
    """Instances of the namespace `default` by its paths."""

    def __init__(self, instances: Instances, models: Models, reader: Reader, searches: Searches) -> None:
        self._instances, self._reader, self._searches = instances, reader, searches
        self._answers = Answers(models)

    def routes(self, account: str) -> list[Route]:
        one = f"{account}/{PATH}/{{id}}"
        return [
            Route(f"{account}/{PATH}", self.list_all, methods=["GET"]),
            Route(f"{one}/search", self.search, methods=["POST"]),
            Route(f"{one}/ai-search", self.answer, methods=["POST"]),
            Route(f"{one}/sync", self.sync, methods=["PATCH"]),
        ]

    async def binding(self, request: Request, path: str) -> Response:
        """`path` is what stands behind `autorag/rags`."""
        name, _, action = path.strip("/").partition("/")
        handlers = {("GET", ""): self.list_all, ("POST", "search"): self.search, ("POST", "ai-search"): self.answer}
        handler = handlers.get((request.method, action))
        if handler is None or bool(name) != bool(action):
            raise ApiError(404, 7003, "No route for that URI")
        request.path_params["id"] = name
        return await handler(request)

    async def list_all(self, _: Request) -> Response:
        return ok([_listed(each) for each in self._instances.list_all(DEFAULT)])

    async def search(self, request: Request) -> Response:
        instance, body = self._found(request), await json_body(request, INVALID)
        with told():
            query, found = await self._searches.search(instance, asked_of(_today(body)))
        return ok(older_page(query, found))

    async def answer(self, request: Request) -> Response:
        instance, body = self._found(request), await json_body(request, INVALID)
        with told():
            query, found = await self._searches.search(instance, asked_of(_today(body)))
        return await self._answers.older(instance, body, query, found)

    async def sync(self, request: Request) -> Response:
        return ok({"job_id": self._reader.start(self._found(request), "user")["id"]})

    def _found(self, request: Request) -> Document:
        return self._instances.find(DEFAULT, request.path_params["id"])


def _today(body: Document) -> Document:
    """An older question in today's form."""
    ranking = body.get("ranking_options") or {}
    if not isinstance(ranking, dict):
        raise bad("ranking_options must be an object")
    retrieval = {"max_num_results": body.get("max_num_results"), "match_threshold": ranking.get("score_threshold")}
    options: Document = {"retrieval": retrieval | {"filters": body.get("filters")}}
    options |= {"query_rewrite": {"enabled": body.get("rewrite_query")}, "reranking": body.get("reranking")}
    return {"query": body.get("query"), "ai_search_options": options}


def _listed(instance: Document) -> Document:
    shown = {name: instance[name] for name in ("id", "enable", "type", "source", "paused", "status")}
    return {**shown, "vectorize_name": f"ai-search-{instance['id']}"}
