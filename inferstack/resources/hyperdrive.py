"""Hyperdrive: what `hyperdrives:` in a stack file become."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pulumi

from inferstack.config import StackSpec
from inferstack.resources.context import Context
from inferstack.resources.official import HyperdriveConfig

PORTS = {"postgres": 5432, "postgresql": 5432, "mysql": 3306}


class Hyperdrive(pulumi.ComponentResource):
    """A database behind Hyperdrive."""

    config_id: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:Hyperdrive", key, {}, opts)
        url = context.secret(context.spec.hyperdrives[key].url, f"hyperdrive `{key}`, `url`")
        inputs = {
            "accountId": context.account_id,
            "name": context.spec.name_of("hyperdrives", key),
            "origin": url.apply(lambda text: origin_of(text, key)),
            **_settings(context.spec, key),
        }
        self.config_id = HyperdriveConfig(key, inputs, pulumi.ResourceOptions(parent=self)).id
        self.register_outputs({"configId": self.config_id})


def _settings(spec: StackSpec, key: str) -> dict[str, Any]:
    drive = spec.hyperdrives[key]
    caching: dict[str, Any] = {"disabled": drive.caching is False}
    if drive.caching:
        caching |= {"maxAge": drive.caching.max_age, "staleWhileRevalidate": drive.caching.stale_while_revalidate}
    return {"caching": caching, "originConnectionLimit": drive.connections}


def origin_of(url: str, key: str) -> dict[str, Any]:
    """The parts of an address. Raises `RunError`, without it: nothing else ends an `apply` without a traceback."""
    fix = "such as postgres://user:password@db.example.com:5432/orders"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise pulumi.RunError(f"hyperdrive `{key}`: its `url` is no address\n  fix: {fix}") from None
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in PORTS or not (parts.hostname and parts.username and parts.password and database):
        problem = "needs a scheme, a user, a password, a host and a database"
        raise pulumi.RunError(f"hyperdrive `{key}`: its `url` {problem}\n  fix: {fix}")
    return {
        "scheme": parts.scheme,
        "host": parts.hostname,
        "port": port or PORTS[parts.scheme],
        "user": unquote(parts.username),
        "password": unquote(parts.password),
        "database": database,
    }
