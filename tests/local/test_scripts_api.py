"""The older script API as SDKs, Terraform and wrangler use it: forms of uploads, content, settings, secrets in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import httpx
import pytest

from tests.conftest import Api

MODULE = "application/javascript+module"
SAYS = "export default {{ fetch(request, env) {{ return new Response('{} ' + env.MODE + ' ' + env.KEY) }} }}"
BINDINGS = [
    {"name": "MODE", "type": "plain_text", "text": "plain"},
    {"name": "KEY", "type": "secret_text", "text": "hidden"},
]
METADATA = {"main_module": "main.mjs", "compatibility_date": "2026-06-01", "bindings": BINDINGS}


def part(text: str, kind: str = MODULE) -> tuple[str, bytes, str]:
    return ("main.mjs", text.encode(), kind)


def put(cloudflare: Api, name: str, files: Any, **more: Any) -> dict[str, Any]:
    answer = cloudflare.client.put(f"/workers/scripts/{name}", files=files, **more)
    assert answer.status_code == 200, answer.text
    assert cloudflare.client.post(f"/workers/scripts/{name}/subdomain", json={"enabled": True}).is_success
    return dict(answer.json()["result"])


@pytest.fixture(scope="module")
def worker(cloudflare: Api) -> Iterator[str]:
    put(cloudflare, "kept", [("metadata", (None, json.dumps(METADATA))), ("files", part(SAYS.format("one")))])
    yield "/workers/scripts/kept"


def test_a_module_is_named_by_its_filename(cloudflare: Api, worker: str) -> None:
    assert cloudflare.worker("kept", "GET", "/").text == "one plain hidden"


def test_metadata_may_come_as_fields(cloudflare: Api) -> None:
    fields = {
        "metadata[main_module]": "main.mjs",
        "metadata[compatibility_date]": "2026-06-01",
        "metadata[compatibility_flags][]": "nodejs_compat",
        "metadata[bindings][0][name]": "MODE",
        "metadata[bindings][0][type]": "plain_text",
        "metadata[bindings][0][text]": "fields",
        "metadata[bindings][1][name]": "KEY",
        "metadata[bindings][1][type]": "plain_text",
        "metadata[bindings][1][text]": "two",
    }
    put(cloudflare, "fields", {"files": part(SAYS.format("by"))}, data=fields)
    assert cloudflare.worker("fields", "GET", "/").text == "by fields two"
    settings = cloudflare.client.get("/workers/scripts/fields/settings").json()["result"]
    assert settings["compatibility_flags"] == ["nodejs_compat"]


def test_metadata_may_come_as_cloudflare_typescript_sends_it(cloudflare: Api) -> None:
    """Objects of a list by their repeated fields; and the form says that it is a script."""
    fields = [("main_module", "main.mjs"), ("compatibility_date", "2026-06-01")]
    for name, text in (("MODE", "typescript"), ("KEY", "two")):
        fields += [("bindings][][name", name), ("bindings][][type", "plain_text"), ("bindings][][text", text)]
    parts: list[Any] = [(f"metadata[{name}]", (None, value)) for name, value in fields]
    form = httpx.Request("PUT", "http://x", files=[*parts, ("files[]", part(SAYS.format("by")))])
    headers = {"content-type": "application/javascript"}
    answer = cloudflare.client.put("/workers/scripts/typescript", content=form.read(), headers=headers)
    assert answer.status_code == 200, answer.text
    cloudflare.client.post("/workers/scripts/typescript/subdomain", json={"enabled": True}).raise_for_status()
    assert cloudflare.worker("typescript", "GET", "/").text == "by typescript two"


SERVICE_WORKER = "addEventListener('fetch', (event) => event.respondWith(new Response('classic ' + MODE)))"


def test_service_worker_syntax_runs(cloudflare: Api) -> None:
    metadata = {"body_part": "script", "compatibility_date": "2026-06-01", "bindings": BINDINGS[:1]}
    files = [
        ("metadata", (None, json.dumps(metadata))),
        ("script", ("script", SERVICE_WORKER, "application/javascript")),
    ]
    assert put(cloudflare, "classic", files)["has_modules"] is False
    assert cloudflare.worker("classic", "GET", "/").text == "classic plain"
    got = cloudflare.client.get("/workers/scripts/classic")
    assert (got.headers["content-type"].split(";")[0], got.text) == ("application/javascript", SERVICE_WORKER)
    cloudflare.client.put("/workers/scripts/classic/secrets", json={"name": "K", "text": "v", "type": "secret_text"})
    assert cloudflare.worker("classic", "GET", "/").text == "classic plain"


def test_a_script_may_be_the_whole_body(cloudflare: Api) -> None:
    script = "addEventListener('fetch', (event) => event.respondWith(new Response('bare')))"
    headers = {"content-type": "application/javascript"}
    answer = cloudflare.client.put("/workers/scripts/bare", content=script, headers=headers)
    assert answer.status_code == 200, answer.text
    assert cloudflare.client.post("/workers/scripts/bare/subdomain", json={"enabled": True}).is_success
    assert cloudflare.worker("bare", "GET", "/").text == "bare"


@pytest.mark.parametrize("path", ["", "/content/v2"])
def test_content_comes_back_as_it_was_uploaded(cloudflare: Api, worker: str, path: str) -> None:
    got = cloudflare.client.get(worker + path)
    assert got.headers["cf-entrypoint"] == "main.mjs"
    head = f"content-type: {got.headers['content-type']}\r\n\r\n".encode()
    [module] = message_from_bytes(head + got.content).get_payload()
    assert module.get_filename() == "main.mjs"  # type: ignore[union-attr]
    assert module.get_content_type() == MODULE  # type: ignore[union-attr]
    assert b"fetch(request, env)" in module.get_payload(decode=True)  # type: ignore[union-attr, operator]


def test_new_content_keeps_bindings_and_secrets(cloudflare: Api, worker: str) -> None:
    files = [("metadata", (None, json.dumps({"main_module": "main.mjs"}))), ("files", part(SAYS.format("two")))]
    answer = cloudflare.client.put(worker + "/content", files=files)
    assert answer.status_code == 200, answer.text
    assert cloudflare.worker("kept", "GET", "/").text == "two plain hidden"


def test_changed_settings_keep_what_they_do_not_name(cloudflare: Api, worker: str) -> None:
    def patch(settings: dict[str, Any]) -> httpx.Response:
        return cloudflare.client.patch(worker + "/settings", files={"settings": (None, json.dumps(settings))})

    assert patch({"compatibility_date": "2026-07-01", "tags": ["a"], "logpush": None}).status_code == 200
    bindings = [{"name": "MODE", "type": "plain_text", "text": "new"}, {"name": "KEY", "type": "secret_text"}]
    changed = patch({"bindings": bindings}).json()["result"]
    assert (changed["compatibility_date"], changed["tags"]) == ("2026-07-01", ["a"])
    assert cloudflare.worker("kept", "GET", "/").text.endswith("new hidden")
    refused = patch({"bindings": "all"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 10021)
    assert cloudflare.worker("kept", "GET", "/").text.endswith("new hidden")


def test_script_settings_take_what_they_know(cloudflare: Api, worker: str) -> None:
    assert cloudflare.client.patch(worker + "/script-settings", json={"name": None, "logpush": True}).is_success
    assert cloudflare.client.get(worker + "/script-settings").json()["result"]["logpush"] is True
    assert cloudflare.worker("kept", "GET", "/").status_code == 200


def test_secrets_change_in_bulk_with_one_version(cloudflare: Api, worker: str) -> None:
    def versions() -> int:
        return len(cloudflare.client.get(worker + "/versions").json()["result"]["items"])

    before = versions()
    new = {name: {"name": name, "text": f"value-{name}", "type": "secret_text"} for name in ("A", "B")}
    answer = cloudflare.client.patch(worker + "/secrets-bulk", json={"secrets": new})
    assert sorted(answer.json()["result"]) == ["A", "B", "KEY"]
    assert "value-" not in answer.text
    assert versions() == before + 1
    assert cloudflare.client.get(worker + "/secrets/A").json()["result"] == {"name": "A", "type": "secret_text"}
    assert cloudflare.client.patch(worker + "/secrets-bulk", json={"secrets": {"A": None}}).is_success
    gone = cloudflare.client.get(worker + "/secrets/A")
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, 10056)
    assert cloudflare.worker("kept", "GET", "/").text.endswith("hidden")


@pytest.mark.parametrize("secrets", ["x", {"A": "bare"}, {"A": {"type": "secret_text"}}, {"A": {"type": "secret_key"}}])
def test_odd_secrets_are_refused(cloudflare: Api, worker: str, secrets: Any) -> None:
    answer = cloudflare.client.patch(worker + "/secrets-bulk", json={"secrets": secrets})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10021)


def test_uploads_that_are_none_say_why(cloudflare: Api) -> None:
    path = "/workers/scripts/none"
    without = cloudflare.client.put(path, files={"files": part("export default {}")})
    assert without.json()["errors"][0]["message"] == "The upload has no part `metadata`, which names the main module"
    kind = cloudflare.client.put(path, content="x", headers={"content-type": "text/plain"})
    assert "not text/plain" in kind.json()["errors"][0]["message"]
    odd = cloudflare.client.put(
        path, files={"files": part("export default {}")}, data={"metadata[a]": "1", "metadata[a][b]": "2"}
    )
    assert odd.status_code == 400
    assert cloudflare.client.get(path).status_code == 404


def test_scripts_are_found_by_a_part_of_their_name(cloudflare: Api, worker: str) -> None:
    found = cloudflare.client.get("/workers/scripts-search", params={"name": "ept"}).json()["result"]
    assert [each["script_name"] for each in found] == ["kept"]


def test_what_is_live_is_not_deleted(cloudflare: Api, worker: str) -> None:
    newest, *older = cloudflare.client.get(worker + "/deployments").json()["result"]["deployments"]
    refused = cloudflare.client.delete(f"{worker}/deployments/{newest['id']}")
    assert refused.status_code == 400
    assert cloudflare.client.delete(f"{worker}/deployments/{older[-1]['id']}").is_success
    left = cloudflare.client.get(worker + "/deployments").json()["result"]["deployments"]
    assert older[-1]["id"] not in [each["id"] for each in left]
    assert cloudflare.worker("kept", "GET", "/").status_code == 200


def test_an_upload_tells_its_version(cloudflare: Api) -> None:
    files = [("metadata", (None, json.dumps(METADATA))), ("files", part(SAYS.format("x")))]
    told = put(cloudflare, "told", files)["deployment_id"]
    [live] = cloudflare.client.get("/workers/scripts/told/deployments").json()["result"]["deployments"]
    assert live["versions"][0]["version_id"].replace("-", "") == told


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", [["a"], {"a": 1}, 7, "No!", "fields"])
def test_a_worker_keeps_its_name_when_the_new_one_is_none(cloudflare: Api, worker: str, method: str, name: Any) -> None:
    put(cloudflare, "fields", [("metadata", (None, json.dumps(METADATA))), ("files", part(SAYS.format("x")))])
    path = "/workers/workers/" + cloudflare.client.get("/workers/workers/kept").json()["result"]["id"]
    refused = cloudflare.client.request(method, path, json={"name": name})
    assert refused.status_code in (400, 409), refused.text
    assert cloudflare.client.get(path).json()["result"]["name"] == "kept"
    assert cloudflare.worker("kept", "GET", "/").status_code == 200


HANDLING = """import { WorkerEntrypoint } from "cloudflare:workers";
class Base extends WorkerEntrypoint { fetch() { return new Response() } queue() {} }
export default class extends Base { scheduled() {} }
export class Admin extends WorkerEntrypoint { fetch() { return new Response() } sum() {} }
export const plain = { fetch: () => new Response() };

"""


def test_handlers_are_those_of_the_code(cloudflare: Api) -> None:
    found = put(cloudflare, "handling", [("metadata", (None, json.dumps(METADATA))), ("files", part(HANDLING))])
    assert sorted(found["handlers"]) == ["fetch", "queue", "scheduled"]
    named = [{"name": "Admin", "handlers": ["fetch"]}, {"name": "plain", "handlers": ["fetch"]}]
    assert sorted(found["named_handlers"], key=lambda each: each["name"]) == named
    none = put(
        cloudflare, "nothing", [("metadata", (None, json.dumps(METADATA))), ("files", part("export default {}"))]
    )
    assert none["handlers"] == []


def test_settings_tell_what_was_said_and_an_empty_placement(cloudflare: Api) -> None:
    """What the Terraform provider reads after each apply; the API of Workers fills `observability` up instead."""

    def settings(**more: Any) -> dict[str, Any]:
        metadata = METADATA | more
        put(cloudflare, "read", [("metadata", (None, json.dumps(metadata))), ("files", part(SAYS.format("x")))])
        return dict(cloudflare.client.get("/workers/scripts/read/settings").json()["result"])

    plain = settings()
    assert plain["placement"] == {}
    assert "observability" not in plain
    assert settings(placement={"mode": "smart"})["placement"] == {"mode": "smart"}
    said = {"enabled": True, "traces": {"enabled": True}}
    assert settings(observability=said)["observability"] == said
    shell = cloudflare.client.get("/workers/workers/read").json()["result"]
    assert shell["observability"]["logs"]["invocation_logs"] is True


def test_the_newest_version_is_patched_into_a_next_one(cloudflare: Api) -> None:
    """As wrangler 4.164 changes secrets of versions; nothing is deployed by it."""
    put(cloudflare, "patched", [("metadata", (None, json.dumps(METADATA))), ("files", part(SAYS.format("one")))])
    path = "/workers/workers/patched/versions/latest"
    env = {"KEY": {"type": "secret_text", "text": "newer"}, "MODE": {"type": "plain_text", "text": "fancy"}}
    made = cloudflare.client.patch(path, json={"env": env, "annotations": {"workers/message": "why"}})
    assert made.status_code == 200, made.text
    version = made.json()["result"]
    assert version["annotations"]["workers/message"] == "why"
    assert "newer" not in made.text
    assert cloudflare.worker("patched", "GET", "/").text == "one plain hidden"
    share = {"strategy": "percentage", "versions": [{"version_id": version["id"], "percentage": 100}]}
    assert cloudflare.client.post("/workers/scripts/patched/deployments", json=share).is_success
    assert cloudflare.worker("patched", "GET", "/").text == "one fancy newer"
    gone = cloudflare.client.patch(path, json={"env": {"KEY": None}}).json()["result"]
    assert [binding["name"] for binding in gone["bindings"]] == ["MODE"]
    for odd in ({"env": []}, {"env": {"KEY": 5}}, {"env": {"KEY": {"type": 1}}}, {"annotations": "x"}):
        assert cloudflare.client.patch(path, json=odd).status_code == 400
    unknown = cloudflare.client.patch(path.replace("patched", "nobody"), json={"env": {}})
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (404, 10007)
