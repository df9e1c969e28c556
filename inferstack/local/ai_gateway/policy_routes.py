"""Gateway policies on the wire: under /policies of a gateway; drafts until they are committed. Shapes: see `policies.py`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import json_body, ok
from inferstack.local._store import Document
from inferstack.local.ai_gateway.policies import Policies
from inferstack.local.ai_gateway.state import GatewayState


class PolicyApi:
    """REST handlers."""

    def __init__(self, policies: Policies, state: GatewayState) -> None:
        self._policies, self._state = policies, state

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/ai-gateway/gateways/{{gateway_id}}/policies"
        one = base + "/{policy_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(base + "/commit", self.commit, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        drafts = request.query_params.get("includeStaging") == "true"
        found = self._policies.list_all(self._gateway(request))
        return ok([shown(each) for each in found if drafts or not each.get("staging")])

    async def create(self, request: Request) -> Response:
        commit, body = _commits(request), await json_body(request, 7001)
        made = self._policies.create(self._gateway(request), body, request.state.owner, commit=commit)
        return JSONResponse({"success": True, "result": shown(made), "committed": commit})

    async def get(self, request: Request) -> Response:
        found = self._policies.get(self._gateway(request), request.path_params["policy_id"])
        draft = found.get("draft") if request.query_params.get("includeStaging") == "true" else None
        return ok(shown(found) | ({**draft, "uncommitted": True} if draft else {}))

    async def update(self, request: Request) -> Response:
        commit, body = _commits(request), await json_body(request, 7001)
        self._policies.update(self._gateway(request), request.path_params["policy_id"], body, commit=commit)
        return JSONResponse({"success": True, "committed": commit})

    async def delete(self, request: Request) -> Response:
        self._policies.delete(self._gateway(request), request.path_params["policy_id"])
        return ok({})

    async def commit(self, request: Request) -> Response:
        number = self._policies.commit(self._gateway(request))
        return ok({"committed": number, "failed": 0, "policies": []})

    def _gateway(self, request: Request) -> str:
        return str(self._state.get(request.path_params["gateway_id"])["id"])


def _commits(request: Request) -> bool:
    return request.query_params.get("commit") == "true"


def shown(document: Document) -> Document:
    """As the API gives it."""
    return {name: value for name, value in document.items() if name not in ("gateway_id", "draft")}
