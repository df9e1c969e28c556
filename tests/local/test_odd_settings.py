"""Odd settings of one Worker, at each door that takes them: refused, or taken so that every other deployment goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

MODULE = "application/javascript+module"
CODE = "export default { fetch: () => new Response('fine') };"
ODD: tuple[Any, ...] = (True, 5, -1.5, "x", [], {}, [None], [True], ["x"], [{}], [[]], {"a": 1}, [{"name": 5}])
OF_WORKER = ("tail_consumers", "observability", "logpush", "tags")
OF_VERSION = (
    "bindings",
    "compatibility_flags",
    "compatibility_date",
    "limits",
    "placement",
    "usage_model",
    "migrations",
)
OF_VERSION += ("annotations", "assets", "keep_bindings", "keep_assets", "exports", "cache_options", "main_module")


def form(part: str, value: dict[str, Any]) -> dict[str, Any]:
    return {part: (None, json.dumps(value), "application/json")}


def upload(api: Api, path: str, field: str, value: Any, method: str = "PUT") -> int:
    files = form("metadata", {"main_module": "x.mjs", "compatibility_date": "2026-01-01", field: value})
    files["x.mjs"] = ("x.mjs", CODE, MODULE)
    return api.client.request(method, path, files=files).status_code


def id_of(api: Api, name: str) -> str:
    workers = api.client.get("/workers/workers", params={"per_page": 100}).json()["result"]
    return next(str(each["id"]) for each in workers if each["name"] == name)


def asked(api: Api, door: str, name: str, field: str, value: Any) -> int:
    if door == "script":
        return upload(api, f"/workers/scripts/{name}", field, value)
    if door == "version":
        return upload(api, f"/workers/scripts/{name}/versions", field, value, "POST")
    if door == "settings":
        path, files = f"/workers/scripts/{name}/settings", form("settings", {field: value})
        return api.client.patch(path, files=files).status_code
    if door == "script-settings":
        return api.client.patch(f"/workers/scripts/{name}/script-settings", json={field: value}).status_code
    if door == "versions":
        body = {"main_module": "x.mjs", "compatibility_date": "2026-01-01", "modules": [], field: value}
        return api.client.post(f"/workers/workers/{id_of(api, name)}/versions", json=body).status_code
    method = door.removeprefix("worker ")
    path = f"/workers/workers/{id_of(api, name)}"
    return api.client.request(method, path, json={"name": name, field: value}).status_code


DOORS = {
    "script": OF_WORKER + OF_VERSION,
    "version": OF_WORKER + OF_VERSION,
    "settings": OF_WORKER + OF_VERSION,
    "script-settings": OF_WORKER,
    "versions": OF_VERSION,
    "worker PUT": (*OF_WORKER, "subdomain"),
    "worker PATCH": (*OF_WORKER, "subdomain"),
}


@pytest.mark.parametrize("door", DOORS)
def test_odd_settings_of_a_worker_stop_no_other(cloudflare: Api, door: str) -> None:
    deploy(cloudflare, "odd", CODE)
    faults: list[tuple[str, Any, int]] = []
    for field in DOORS[door]:
        for value in ODD:
            status = asked(cloudflare, door, "odd", field, value)
            if status >= 500:
                faults.append((field, value, status))
        other = upload(cloudflare, f"/workers/scripts/other-{field.replace('_', '-')}", "logpush", False)
        if other != 200:
            faults.append((field, "then another Worker's upload", other))
            break
    assert faults == []
    assert "not foreseen" not in (cloudflare.folder / "server.log").read_text()
    assert cloudflare.client.get("/workers/scripts").status_code == 200
    assert cloudflare.client.delete("/workers/scripts/odd", params={"force": "true"}).status_code == 200


WRONG = {
    "tail_consumers": (5, "x", [True], [{}]),
    "observability": (5, "x", [True]),
    "logpush": (5, "x"),
    "tags": (5, "x", [True]),
}


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ("version", "versions")])
def test_settings_of_a_wrong_type_are_refused(cloudflare: Api, door: str) -> None:
    deploy(cloudflare, "typed", CODE)
    taken = [
        (field, value, status)
        for field, values in WRONG.items()
        for value in values
        if (status := asked(cloudflare, door, "typed", field, value)) != 400
    ]
    assert taken == []


def test_settings_may_be_fields_of_a_form(cloudflare: Api) -> None:
    """Texts, as cloudflare-typescript sends them: kept as what they say."""
    fields = {"metadata[main_module]": "x.mjs", "metadata[logpush]": "true"}
    fields |= {"metadata[observability][enabled]": "true", "metadata[observability][head_sampling_rate]": "0.5"}
    files = {key: (None, value) for key, value in fields.items()} | {"x.mjs": ("x.mjs", CODE, MODULE)}
    assert cloudflare.client.put("/workers/scripts/fields", files=files).status_code == 200
    told = cloudflare.client.get("/workers/scripts/fields/script-settings").json()["result"]
    assert (told["logpush"], told["observability"]["enabled"], told["observability"]["head_sampling_rate"]) == (
        True,
        True,
        0.5,
    )
    wrong = files | {"metadata[logpush]": (None, "perhaps")}
    assert cloudflare.client.put("/workers/scripts/fields", files=wrong).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/ai/v1/chat/completions", {"max_tokens": "odd"}, "max_tokens"),
        ("/ai/v1/chat/completions", {"response_format": "odd"}, "response_format"),
        ("/workers/observability/telemetry/query", {"parameters": "odd"}, "parameters"),
    ],
)
def test_what_no_schema_describes_is_refused_with_its_name(
    cloudflare: Api, path: str, body: dict[str, Any], says: str
) -> None:
    chat = {"model": "@cf/meta/llama-3.2-3b-instruct", "messages": [{"role": "user", "content": "Hi"}]}
    query = {"queryId": "q", "timeframe": {"from": 1, "to": 2}}
    answer = cloudflare.client.post(path, json=(chat if "/ai/" in path else query) | body)
    assert answer.status_code == 400
    assert says in answer.text
    assert "Traceback" not in (cloudflare.folder / "server.log").read_text()


def test_a_secret_with_a_zero_character_stops_no_other(cloudflare: Api) -> None:
    odd = [{"name": "KEY", "type": "secret_text", "text": "\0odd"}]
    assert upload(cloudflare, "/workers/scripts/zero", "bindings", odd) == 400
    assert upload(cloudflare, "/workers/scripts/after-zero", "logpush", False) == 200
    assert "Traceback" not in (cloudflare.folder / "server.log").read_text()
