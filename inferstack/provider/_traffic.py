"""A Worker's deployments, read and made by a resource type."""

from __future__ import annotations

from inferstack.cloudflare import Traffic, deployment_body, deployments_of, deployments_path
from inferstack.plugin.resource import Operation
from inferstack.provider._api import Api


def traffic_of(operation: Operation, kind: str, account: str, script: str) -> Traffic | None:
    """None before the first deployment. Raises `Gone` without the Worker."""
    answer = Api(operation, "read", kind, script).call("GET", deployments_path(account, script))
    found = deployments_of(answer["result"])
    return Traffic(tuple(found)) if found else None


def deploy(operation: Operation, kind: str, account: str, script: str, shares: dict[str, float], message: str) -> str:
    """The id of the new deployment."""
    api = Api(operation, "deploy", kind, script)
    answer = api.call("POST", deployments_path(account, script), deployment_body(shares, message))
    return str(answer["result"]["id"])
