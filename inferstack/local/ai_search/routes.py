"""AI Search over REST: namespaces, instances, questions and service tokens. Workers' bindings ask the same handlers."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._guard import EdgeRoute
from inferstack.local._settings import API
from inferstack.local._store import Document
from inferstack.local.ai.run import Models
from inferstack.local.ai_search.answers import Answers, chunk, told
from inferstack.local.ai_search.items import ItemsApi
from inferstack.local.ai_search.jobs import JobsApi
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.rules import ABSENT, INVALID, bad
from inferstack.local.ai_search.search import Found, Searches, asked_of
from inferstack.local.ai_search.state import DEFAULT, Instances, shown
from inferstack.local.request_checks import checked

ACCOUNT = f"{API}/accounts/own"
MOST_INSTANCES = 10  # of one question (`AiSearchMultiSearchOptions` of @cloudflare/workers-types, 2026-11-27)


@dataclass(slots=True)
class _Several:
    """What instances answer together; each part with its instance's name."""

    query: str
    first: Document = field(default_factory=dict)
    found: list[tuple[str, Found]] = field(default_factory=list)
    errors: list[Document] = field(default_factory=list)


class AiSearchApi:
    """REST handlers, and what the bindings ask."""

    def __init__(self, instances: Instances, models: Models, reader: Reader, searches: Searches) -> None:
        self._instances, self._reader, self._searches = instances, reader, searches
        self._answers = Answers(models)
        self._items, self._jobs = ItemsApi(instances, reader), JobsApi(instances, reader)
        every = self.routes(API + "/accounts/{account_id}")
        self._inner = [EdgeRoute(each.path, checked(each.path, each.endpoint), each.methods) for each in every]

    def routes(self, account: str) -> list[Route]:
        base, spaces = f"{account}/ai-search", f"{account}/ai-search/namespaces"
        one = f"{spaces}/{{namespace}}"
        return [
            Route(spaces, self.list_namespaces, methods=["GET"]),
            Route(spaces, self.create_namespace, methods=["POST"]),
            Route(one, self.get_namespace, methods=["GET"]),
            Route(one, self.update_namespace, methods=["PUT"]),
            Route(one, self.delete_namespace, methods=["DELETE"]),
            Route(f"{one}/search", self.search_several, methods=["POST"]),
            Route(f"{one}/chat/completions", self.chat_with_several, methods=["POST"]),
            Route(f"{base}/tokens", self.list_tokens, methods=["GET"]),
            Route(f"{base}/tokens", self.put_token, methods=["POST"]),
            Route(f"{base}/tokens/{{token_id}}", self.get_token, methods=["GET"]),
            Route(f"{base}/tokens/{{token_id}}", self.put_token, methods=["PUT"]),
            Route(f"{base}/tokens/{{token_id}}", self.delete_token, methods=["DELETE"]),
            *self._of_instances(f"{base}/instances"),
            *self._of_instances(f"{one}/instances"),
        ]

    def _of_instances(self, base: str) -> list[Route]:
        one = base + "/{id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/stats", self.stats, methods=["GET"]),
            Route(f"{one}/search", self.search, methods=["POST"]),
            Route(f"{one}/chat/completions", self.chat, methods=["POST"]),
            *self._jobs.routes(one),
            *self._items.routes(one),
        ]

    async def inner(self, request: Request, scope: str) -> Response:
        """What a binding asks, below the path that it is for."""
        path = request.path_params["path"]
        if path == scope or path.startswith(f"{scope}/"):
            asked = dict(request.scope) | {"path": f"{ACCOUNT}/ai-search/{path}", "root_path": ""}
            for route in self._inner:
                match, child = route.matches(asked)
                if match is Match.FULL:
                    request.scope["path_params"] = child["path_params"]
                    answer: Response = await route.endpoint(request)
                    return answer
        raise ApiError(404, 7003, "No route for that URI")

    async def list_namespaces(self, request: Request) -> Response:
        wanted = request.query_params.get("search", "")
        return paged(request, [each for each in self._instances.namespaces() if wanted in each["name"]])

    async def create_namespace(self, request: Request) -> Response:
        body = await json_body(request, INVALID)
        return ok(self._instances.put_namespace(body, getattr(request.state, "owner", None)), 201)

    async def get_namespace(self, request: Request) -> Response:
        return ok(self._instances.namespace(request.path_params["namespace"]))

    async def update_namespace(self, request: Request) -> Response:
        body = await json_body(request, INVALID)
        return ok(self._instances.put_namespace(body, None, request.path_params["namespace"]))

    async def delete_namespace(self, request: Request) -> Response:
        return ok(self._instances.delete_namespace(request.path_params["namespace"]))

    async def list_tokens(self, request: Request) -> Response:
        return paged(request, self._instances.tokens())

    async def get_token(self, request: Request) -> Response:
        return ok(self._instances.token(request.path_params["token_id"]) | {"enabled": True})

    async def put_token(self, request: Request) -> Response:
        identifier = request.path_params.get("token_id")
        made = self._instances.put_token(await json_body(request, INVALID), identifier)
        return ok(made, 200 if identifier else 201)

    async def delete_token(self, request: Request) -> Response:
        return ok(self._instances.delete_token(request.path_params["token_id"]))

    async def list_all(self, request: Request) -> Response:
        query = request.query_params
        space = request.path_params.get("namespace") or query.get("namespace") or DEFAULT
        self._instances.namespace(space)
        found = [each for each in self._instances.list_all(space) if query.get("search", "") in each["id"]]
        found.sort(key=lambda each: str(each["created_at"]), reverse=query.get("order_by_direction") == "desc")
        return paged(request, found)

    async def create(self, request: Request) -> Response:
        body, owner = await json_body(request, INVALID), getattr(request.state, "owner", None)
        made = self._instances.create(space_of(request), body, owner)
        if made["type"] == "r2":
            self._reader.start(made, "schedule")
        return ok(shown(made), 201)

    async def get(self, request: Request) -> Response:
        return ok(shown(self._found(request)))

    async def update(self, request: Request) -> Response:
        space, body = space_of(request), await json_body(request, INVALID)
        changed, again = self._instances.update(space, request.path_params["id"], body)
        if again:
            self._reader.start(changed, "user", "its settings changed", again=True)
        return ok(shown(changed))

    async def delete(self, request: Request) -> Response:
        found = self._found(request)
        self._reader.forget(found)
        return ok(self._instances.delete(found["namespace"], found["id"]))

    async def stats(self, request: Request) -> Response:
        instance = self._found(request)
        index = self._instances.index(instance)
        counts = dict.fromkeys(("completed", "error", "outdated", "queued", "running", "skipped"), 0)
        items = index.items()
        for item in items:
            counts[item["status"]] += 1
        last = max([instance["modified_at"], *(item["modified_at"] for item in items)])
        return ok({**counts, "last_activity": last, "engine": index.counts()})

    async def search(self, request: Request) -> Response:
        instance, body = self._found(request), await json_body(request, INVALID)
        with told():
            query, found = await self._searches.search(instance, asked_of(body))
        return ok({"search_query": query, "query_kind": "text", "chunks": [chunk(each) for each in found]})

    async def chat(self, request: Request) -> Response:
        instance, body = self._found(request), await json_body(request, INVALID)
        asked = asked_of({"messages": body.get("messages"), "ai_search_options": body.get("ai_search_options")})
        with told():
            _, found = await self._searches.search(instance, asked)
        return await self._answers.chat(instance, body, found, [chunk(each) for each in found])

    async def search_several(self, request: Request) -> Response:
        several = await self._several(request, await json_body(request, INVALID))
        failed = {"errors": several.errors} if several.errors else {}
        chunks = [chunk(each) | {"instance_id": name} for name, each in several.found]
        return ok({"search_query": several.query, "query_kind": "text", "chunks": chunks, **failed})

    async def chat_with_several(self, request: Request) -> Response:
        body = await json_body(request, INVALID)
        several = await self._several(request, {name: value for name, value in body.items() if name != "query"})
        chunks = [chunk(each) | {"instance_id": name} for name, each in several.found]
        return await self._answers.chat(several.first, body, [each for _, each in several.found], chunks)

    async def _several(self, request: Request, body: Document) -> _Several:
        """The best of several instances; one that fails is told among the errors, all of them are an error."""
        space, asked = space_of(request), asked_of(body)
        self._instances.namespace(space)
        names = (body.get("ai_search_options") or {}).get("instance_ids")
        if (
            not isinstance(names, list)
            or not 1 <= len(names) <= MOST_INSTANCES
            or not all(isinstance(n, str) for n in names)
        ):
            raise bad(f"ai_search_options.instance_ids: 1 to {MOST_INSTANCES} instances are needed")
        several = _Several(query=asked.query)
        for name in dict.fromkeys(names):
            try:
                instance = self._instances.find(space, name)
                with told():
                    several.query, found = await self._searches.search(instance, asked)
            except ApiError as error:
                several.errors.append({"instance_id": name, "message": error.message})
                continue
            several.first = several.first or instance
            several.found += [(name, each) for each in found]
        if not several.first:
            raise ApiError(404, ABSENT, f"ai_search_not_found: {', '.join(names)}")
        several.found.sort(key=lambda each: -each[1].score)
        del several.found[asked.most or several.first["max_num_results"] :]
        return several

    def _found(self, request: Request) -> Document:
        return self._instances.find(space_of(request), request.path_params["id"])


def space_of(request: Request) -> str:
    return str(request.path_params.get("namespace") or DEFAULT)
