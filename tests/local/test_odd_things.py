"""Odd values in every field of a thing's settings, at each door that changes it: refused, or taken so that all goes on.

After each value that was taken the thing is used; at the end everything is listed, a Worker is deployed, and all of it once
more after a restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.clients.things import Things
from tests.conftest import Api, start_cloudflare
from tests.local.odd_doors import DOORS, HOW, Door
from tests.local.test_workers_run import deploy, says

ODD: tuple[Any, ...] = (
    *({"a": 1}, [[]], "\x00odd", -7.5, None, True, "", [], {}, 0, 1e300, 2**53 + 1, "x" * 3000),
    *("\ud800", [None], [{}], ["x"], "2026-13-45", "../..", "'\"<script>", "[", {"name": 5}),
)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from leaves(below, (*path, key))


def exchanged(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = exchanged(value[path[0]], path[1:], new)
    return copy


def filled(value: Any, names: dict[str, Any]) -> Any:
    """Names in braces as what was made."""
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names) for inner in value]
    return names.get(value[1:-1], value) if isinstance(value, str) and value.startswith("{") else value


class Caller:
    """Sends to the account, to the gateway's door or to the local Cloudflare's own."""

    def __init__(self, api: Api, names: dict[str, Any]) -> None:
        self._api, self._names = api, names | {"account": local.ACCOUNT_ID}

    def send(self, method: str, path: str, body: Any) -> httpx.Response:
        path = path.format_map(self._names)
        if path.startswith(("/v1/", "/__local/")):
            path = f"{self._api.running.base_url.partition('/client/')[0]}{path}"
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {} if isinstance(body, bytes) or body is None else {"content-type": "application/json"}
        return self._api.client.request(method, path, content=content, headers=headers)


def faults_of(api: Api, things: Things, door: Door) -> list[str]:
    names = door.make(things)
    caller, body, found = Caller(api, names), filled(door.body, names), []
    whole = caller.send(door.method, door.path, body)
    assert whole.is_success, f"{door.name}: {whole.text}"
    for path in leaves(body):
        for value in ODD:
            status = caller.send(door.method, door.path, exchanged(body, path, value)).status_code
            used = [caller.send(*use).status_code for use in door.uses] if status < 300 else []
            if status >= 500 or any(each >= 500 for each in used):
                found.append(f"{path} = {json.dumps(value)[:40]}: {status}, then {used}")
            if status < 300 and door.again:
                caller.send(door.method, door.path, body)
    return found


def listed(api: Api) -> list[str]:
    """Of everything that has a list; and a Worker that is deployed."""
    paths = ("/workers/scripts", "/workers/workers", "/workers/domains", "/r2/buckets", "/queues", "/d1/database")
    paths += ("/ai-gateway/gateways", "/ai-gateway/custom-providers", HOW, "/hyperdrive/configs", "/workflows")
    paths += ("/vectorize/v2/indexes", "/secrets_store/stores", "/workers/observability/destinations")
    paths += ("/storage/kv/namespaces", "/workers/durable_objects/namespaces", "/ai-search/tokens")
    wrong = [f"{path}: {status}" for path in paths if (status := api.client.get(path).status_code) != 200]
    deploy(api, "beside", says("fine"))
    return wrong + ([] if api.worker("beside", "GET", "/").text == "fine" else ["the Worker beside"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_odd_settings_of_a_thing_stop_neither_it_nor_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("odd")
    try:
        api = start_cloudflare(folder)
        with api.client:
            things = Things(api.running.base_url, local.ACCOUNT_ID, local.token_of(folder))
            with things.client:
                faults = {door.name: found for door in DOORS if (found := faults_of(api, things, door))}
            assert faults == {}
            assert listed(api) == []
        local.stop(folder)
        again = start_cloudflare(folder)
        with again.client:
            assert listed(again) == []
        assert "Traceback" not in (folder / "server.log").read_text()
    finally:
        local.stop(folder)
