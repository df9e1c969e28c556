"""The user, the token and the accounts: what tools ask before anything else."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, ok, paged
from inferstack.local._settings import API
from inferstack.local._store import Document
from inferstack.local.permission_groups import permission_groups

ACCOUNT_NAME = "Local Cloudflare"


class UserApi:
    """Of the one account that a token is for."""

    def __init__(self, account_id: str) -> None:
        self.account = {"id": account_id, "name": ACCOUNT_NAME, "type": "standard"}

    def routes(self, base: str) -> list[Route]:
        return [
            Route(API + "/user/tokens/verify", self._verify, methods=["GET"]),
            Route(base + "/tokens/verify", self._verify, methods=["GET"]),
            Route(base + "/tokens/permission_groups", permission_groups, methods=["GET"]),
            Route(API + "/user/tokens/permission_groups", permission_groups, methods=["GET"]),
            Route(API + "/user", self._user, methods=["GET"]),
            Route(API + "/memberships", self._memberships, methods=["GET"]),
            Route(API + "/memberships/{membership_id}", self._membership, methods=["GET"]),
            Route(API + "/accounts", self._accounts, methods=["GET"]),
            Route(base, self._one, methods=["GET"]),
        ]

    async def _verify(self, _: Request) -> Response:
        return ok({"id": self.account["id"], "status": "active"})

    async def _user(self, _: Request) -> Response:
        return ok({"id": self.account["id"], "email": "local@example.com"})

    async def _memberships(self, request: Request) -> Response:
        """wrangler 4.164 asks for the accounts of a token by these."""
        status = request.query_params.get("status", "accepted")
        return paged(request, [self._of_the_account()] if status == "accepted" else [])

    async def _membership(self, request: Request) -> Response:
        if request.path_params["membership_id"] != self.account["id"]:
            raise ApiError(404, 1003, "Membership not found")
        return ok(self._of_the_account())

    def _of_the_account(self) -> Document:
        one = {"id": self.account["id"], "account": self.account, "status": "accepted", "roles": ["Administrator"]}
        return one | {"api_access_enabled": True}

    async def _accounts(self, request: Request) -> Response:
        return paged(request, [self.account])

    async def _one(self, _: Request) -> Response:
        return ok(self.account)
