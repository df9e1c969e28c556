"""Cloudflare's v4 API: one client with its budget and retries, errors with status and code, deployments and their messages.

`Client` stands in `inferstack.cloudflare.client`, apart: it imports httpx (60 ms), and a run without changes sends nothing.
"""

from inferstack.cloudflare.api_error import ApiError, Unreachable
from inferstack.cloudflare.clock import Cancelled, Clock, is_loopback
from inferstack.cloudflare.deployments import (
    RETURN,
    ROLLBACK,
    Deployment,
    Traffic,
    deployment_body,
    deployments_of,
    deployments_path,
)
from inferstack.cloudflare.wording import PERMISSIONS, failed, unreachable

__all__ = [
    "PERMISSIONS",
    "RETURN",
    "ROLLBACK",
    "ApiError",
    "Cancelled",
    "Clock",
    "Deployment",
    "Traffic",
    "Unreachable",
    "deployment_body",
    "deployments_of",
    "deployments_path",
    "failed",
    "is_loopback",
    "unreachable",
]
