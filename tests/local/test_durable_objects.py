"""Durable Objects in Workers: what they keep through deploys, kills, renames; what is refused, before anything changes."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import release, wait_for
from tests.local.websocket import Closed, WebSocket

CODE = (Path(__file__).parent / "workers" / "counter.js").read_text()
OWN = {"name": "COUNTERS", "type": "durable_object_namespace", "class_name": "Counter"}
NEW = {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}
BUSY_SECONDS = 30


def put(api: Api, name: str, code: str = CODE, **metadata: Any) -> httpx.Response:
    """As wrangler deploys: a script with its metadata, in one request."""
    body = {"main_module": "index.js", "compatibility_date": "2026-06-01", "bindings": [OWN], **metadata}
    parts = {
        "metadata": (None, json.dumps(body), "application/json"),
        "index.js": ("index.js", code, "application/javascript+module"),
    }
    answer = api.client.put(f"/workers/scripts/{name}", files=parts)  # type: ignore[arg-type]
    if answer.is_success:
        api.client.post(f"/workers/scripts/{name}/subdomain", json={"enabled": True})
    return answer


def deployed(api: Api, name: str, code: str = CODE, **metadata: Any) -> None:
    answer = put(api, name, code, **metadata)
    assert answer.status_code == 200, answer.text


def call(api: Api, worker: str, method: str, target: str = "a", argument: str = "n") -> Any:
    answer = api.worker(worker, "GET", f"/{method}/{target}/{argument}")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.status_code == 400, answer.text
    first = answer.json()["errors"][0]
    return first["code"], first["message"]


def namespaces(api: Api, script: str) -> dict[str, dict[str, Any]]:
    found = api.client.get("/workers/durable_objects/namespaces", params={"per_page": 100}).json()["result"]
    return {each["class"]: each for each in found if each["script"] == script}


def test_methods_sql_and_ids_of_objects_work(cloudflare: Api) -> None:
    deployed(cloudflare, "counts", migrations=NEW)
    assert [call(cloudflare, "counts", "add") for _ in range(3)] == [1, 2, 3]
    assert call(cloudflare, "counts", "read", "b") == 0
    space = namespaces(cloudflare, "counts")["Counter"]
    assert space["use_sqlite"] is True
    assert space["name"] == "counts_Counter"
    found = cloudflare.client.get(f"/workers/durable_objects/namespaces/{space['id']}/objects").json()
    mine = cloudflare.worker("counts", "GET", "/fetch/a").json()["id"]
    assert {"id": mine, "hasStoredData": True} in found["result"]
    first = cloudflare.client.get(f"/workers/durable_objects/namespaces/{space['id']}/objects?limit=1").json()
    assert len(first["result"]) == 1
    rest = {"limit": 1, "cursor": first["result_info"]["cursor"]}
    second = cloudflare.client.get(f"/workers/durable_objects/namespaces/{space['id']}/objects", params=rest).json()
    assert second["result"] != first["result"]


def socket_of(api: Api, worker: str) -> WebSocket:
    return WebSocket(api.running.port, f"{worker}.local.localhost", "/fetch/room")


def test_a_hibernating_websocket_answers_and_ends_with_a_deploy_as_at_cloudflare(cloudflare: Api) -> None:
    deployed(cloudflare, "sockets", migrations=NEW)
    with socket_of(cloudflare, "sockets") as first:
        first.send("one")
        assert first.receive() == "one 1"
        began = time.monotonic()
        deployed(cloudflare, "sockets", CODE.replace("VERSION", "2"))
        assert time.monotonic() - began < 5
        with pytest.raises(Closed):
            first.receive()
    with socket_of(cloudflare, "sockets") as again:
        again.send("two")
        assert again.receive() == "two 2"


class Load:
    """Clients that count on one object; `answers` is all that was acknowledged."""

    def __init__(self, api: Api, worker: str, clients: int) -> None:
        self.answers: list[int] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(api, worker)) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, api: Api, worker: str) -> None:
        headers = {"host": f"{worker}.local.localhost"}
        with httpx.Client(base_url=f"http://127.0.0.1:{api.running.port}", headers=headers, timeout=60) as client:
            while not self._stop.is_set():
                try:
                    answer = client.get("/add/busy/n")
                    self.answers.append(answer.raise_for_status().json()["result"])
                except (httpx.HTTPError, ValueError) as trouble:
                    self.failures.append(repr(trouble))


def test_five_deploys_under_load_fail_no_request_and_lose_no_increment(cloudflare: Api) -> None:
    deployed(cloudflare, "loaded", migrations=NEW)
    with Load(cloudflare, "loaded", 8) as load:
        for number in range(5):
            time.sleep(0.4)
            deployed(cloudflare, "loaded", CODE.replace("VERSION", str(number)))
        time.sleep(0.4)
    assert load.failures == []
    assert sorted(load.answers) == list(range(1, len(load.answers) + 1))
    assert len(load.answers) > 100
    assert call(cloudflare, "loaded", "read", "busy") == len(load.answers)
    assert cloudflare.worker("loaded", "GET", "/add/x/y").json()["version"] == "4"


def test_workers_without_objects_are_deployed_while_those_with_objects_run_on(cloudflare: Api) -> None:
    deployed(cloudflare, "steady", migrations=NEW)
    with socket_of(cloudflare, "steady") as connection:
        for text in ("one", "two"):
            code = f"export default {{ fetch: () => new Response({text!r}) }}"
            deployed(cloudflare, "plain", code, bindings=[])
            assert cloudflare.worker("plain", "GET", "/").text == text
            connection.send("still")
            assert connection.receive().startswith("still")


RENAMED = CODE.replace("class Counter", "class Tally")
BOUND_TO = """
export default {
  async fetch(request, env) {
    const [, method, object, argument] = new URL(request.url).pathname.split("/");
    const stub = env.COUNTERS.getByName(object);
    return Response.json({ result: await stub[method](argument) });
  },
};
"""


def test_a_renamed_class_keeps_its_objects_and_old_bindings_lead_to_them(cloudflare: Api) -> None:
    deployed(cloudflare, "renames", migrations=NEW)
    deployed(cloudflare, "reader", BOUND_TO, bindings=[{**OWN, "script_name": "renames"}])
    assert [call(cloudflare, "renames", "add") for _ in range(2)] == [1, 2]
    before = namespaces(cloudflare, "renames")["Counter"]["id"]
    move = {"old_tag": "v1", "new_tag": "v2", "renamed_classes": [{"from": "Counter", "to": "Tally"}]}
    deployed(cloudflare, "renames", RENAMED, bindings=[{**OWN, "class_name": "Tally"}], migrations=move)
    assert call(cloudflare, "renames", "add") == 3
    assert call(cloudflare, "reader", "add") == 4
    assert {name: each["id"] for name, each in namespaces(cloudflare, "renames").items()} == {"Tally": before}


def test_two_workers_share_one_namespace_through_deploys_of_either(cloudflare: Api) -> None:
    deployed(cloudflare, "owner", migrations=NEW)
    for number in range(3):
        deployed(cloudflare, "user", f"{BOUND_TO}// {number}", bindings=[{**OWN, "script_name": "owner"}])
        deployed(cloudflare, "owner", CODE.replace("VERSION", str(number)))
        assert call(cloudflare, "owner", "add", "shared") == 2 * number + 1
        assert call(cloudflare, "user", "add", "shared") == 2 * number + 2


def test_a_transferred_class_keeps_its_objects(cloudflare: Api) -> None:
    deployed(cloudflare, "giver", migrations=NEW)
    assert call(cloudflare, "giver", "add") == 1
    move = {"new_tag": "v1", "transferred_classes": [{"from": "Counter", "from_script": "giver", "to": "Counter"}]}
    deployed(cloudflare, "taker", migrations=move)
    assert call(cloudflare, "taker", "add") == 2
    assert call(cloudflare, "giver", "add") == 3, "its binding leads to the new place"
    assert list(namespaces(cloudflare, "taker")) == ["Counter"]
    assert namespaces(cloudflare, "giver") == {}


def test_a_deleted_class_loses_its_objects(cloudflare: Api) -> None:
    deployed(cloudflare, "loses", migrations=NEW)
    assert call(cloudflare, "loses", "add") == 1
    files = cloudflare.folder / "storage" / "durable_objects" / namespaces(cloudflare, "loses")["Counter"]["id"]
    assert files.is_dir()
    plain = "export default { fetch: () => new Response('plain') }"
    gone = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["Counter"]}
    deployed(cloudflare, "loses", plain, bindings=[], migrations=gone)
    assert namespaces(cloudflare, "loses") == {}
    assert not files.exists()
    back = {"old_tag": "v2", "new_tag": "v3", "new_sqlite_classes": ["Counter"]}
    deployed(cloudflare, "loses", migrations=back)
    assert call(cloudflare, "loses", "add") == 1


def test_exports_say_what_there_is_and_the_rest_follows(cloudflare: Api) -> None:
    live = {"type": "durable-object", "storage": "sqlite"}
    deployed(cloudflare, "declared", exports={"Counter": live})
    deployed(cloudflare, "declared", CODE + "// again\n", exports={"Counter": live})
    assert [call(cloudflare, "declared", "add") for _ in range(2)] == [1, 2]
    renamed = {"type": "durable-object", "state": "renamed", "renamed_to": "Tally"}
    tally = [{**OWN, "class_name": "Tally"}]
    for text in ("", "// again\n"):
        deployed(cloudflare, "declared", RENAMED + text, bindings=tally, exports={"Counter": renamed, "Tally": live})
    assert call(cloudflare, "declared", "add") == 3
    gone = {"Tally": {"type": "durable-object", "state": "deleted"}}
    assert error(put(cloudflare, "declared", RENAMED, bindings=tally, exports=gone))[0] == 10061
    deployed(cloudflare, "declared", "export default { fetch: () => new Response('') }", bindings=[], exports=gone)
    assert namespaces(cloudflare, "declared") == {}
    wrong = {"Counter": {"type": "durable-object", "state": "gone"}}
    assert "`exports.Counter.state` must be one of" in error(put(cloudflare, "declared", exports=wrong))[1]


def test_a_class_that_another_worker_binds_is_not_deleted(cloudflare: Api) -> None:
    deployed(cloudflare, "kept", migrations=NEW)
    deployed(cloudflare, "keeps", BOUND_TO, bindings=[{**OWN, "script_name": "kept"}])
    plain = "export default { fetch: () => new Response('plain') }"
    code, message = error(put(cloudflare, "kept", plain, bindings=[], migrations={"deleted_classes": ["Counter"]}))
    assert code == 10061
    assert "bound by: keeps" in message
    assert call(cloudflare, "keeps", "add") == 1


def test_a_class_of_the_older_kind_has_no_sql(cloudflare: Api) -> None:
    code = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async add() {
        const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", n);
        let sql = "there";
        try { this.ctx.storage.sql.exec("select 1"); } catch (error) { sql = String(error); }
        return [n, sql];
      }
    }
    """
    migrations = {"new_tag": "v1", "new_classes": ["Counter"]}
    deployed(cloudflare, "older", code + BOUND_TO, migrations=migrations)
    call(cloudflare, "older", "add")
    count, sql = call(cloudflare, "older", "add")
    assert count == 2
    assert "SQL" in sql
    assert namespaces(cloudflare, "older")["Counter"]["use_sqlite"] is False


@pytest.mark.parametrize(
    ("code", "metadata", "expected"),
    [
        (CODE.replace("export class", "class"), {}, (10064, "does not export class 'Counter'")),
        (
            CODE,
            {"bindings": [{**OWN, "class_name": "Other"}]},
            (10061, "for class 'Other' because it is not currently"),
        ),
        (CODE, {"bindings": [{**OWN, "script_name": "nowhere"}]}, (10061, "in script 'nowhere' that does not exist")),
        (CODE, {"migrations": {"new_sqlite_classes": ["Counter"]}}, (10074, "already depended on by existing")),
        (CODE, {"migrations": {"new_sqlite_classes": ["Other"]}}, (10070, "class 'Other' that is not exported")),
        (CODE, {"migrations": {"deleted_classes": ["Counter"]}}, (10061, "without also removing the binding")),
        (CODE, {"migrations": {"deleted_classes": ["Other"]}}, (10061, "non-existent class 'Other'")),
        (
            CODE,
            {"migrations": {"old_tag": "v7", "new_tag": "v8", "new_sqlite_classes": []}},
            (10079, "current tag is v1"),
        ),
        (CODE, {"migrations": {"renamed_classes": [{"from": "No", "to": "Yes"}]}}, (10061, "non-existent class 'No'")),
        (CODE, {"migrations": {"renamed_classes": ["No"]}}, (10021, "must be a list of objects with from, to")),
        (CODE, {"migrations": {"new_sqlite_classes": "Counter"}}, (10021, "must be a list of class names")),
        (CODE, {"migrations": ["v1"]}, (10021, "`migrations` must be an object")),
        (CODE, {"bindings": [{"name": "COUNTERS", "type": "durable_object_namespace"}]}, (10021, "`class_name`")),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else None,
)
def test_what_cannot_run_is_refused_before_the_old_deployment_is_touched(
    cloudflare: Api, code: str, metadata: dict[str, Any], expected: tuple[int, str]
) -> None:
    if not namespaces(cloudflare, "guarded"):
        deployed(cloudflare, "guarded", migrations=NEW)
    with socket_of(cloudflare, "guarded") as connection:
        found = error(put(cloudflare, "guarded", code, **metadata))
        assert found[0] == expected[0], found
        assert expected[1] in found[1]
        connection.send("still")
        assert connection.receive().startswith("still")
    assert call(cloudflare, "guarded", "add") > 0
    assert list(namespaces(cloudflare, "guarded")) == ["Counter"]


def test_a_new_class_without_its_migration_is_refused_and_makes_no_worker(cloudflare: Api) -> None:
    assert error(put(cloudflare, "unmigrated"))[0] == 10061
    assert cloudflare.client.get("/workers/services/unmigrated").status_code == 404


def test_a_worker_whose_objects_others_use_is_deleted_by_force_only(cloudflare: Api) -> None:
    deployed(cloudflare, "used", migrations=NEW)
    deployed(cloudflare, "uses", BOUND_TO, bindings=[{**OWN, "script_name": "used"}])
    code, message = error(cloudflare.client.delete("/workers/scripts/used"))
    assert (code, "uses" in message) == (10064, True)
    assert cloudflare.client.delete("/workers/scripts/used?force=true").is_success
    assert namespaces(cloudflare, "used") == {}
    answer = cloudflare.worker("uses", "GET", "/add/a/b")
    assert answer.status_code == 500
    log = (cloudflare.folder / "workers.log").read_text()
    assert "namespace of this binding was deleted" in log


def test_the_tag_of_the_last_migration_is_told_as_wrangler_asks_for_it(cloudflare: Api) -> None:
    deployed(cloudflare, "tagged", migrations={"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]})
    found = cloudflare.client.get("/workers/services/tagged").json()["result"]["default_environment"]["script"]
    assert found["migration_tag"] == "v1"


def test_a_version_that_migrates_is_not_uploaded_apart(cloudflare: Api) -> None:
    deployed(cloudflare, "apart", migrations=NEW)
    body = {"main_module": "index.js", "bindings": [OWN], "migrations": {"deleted_classes": ["Counter"]}}
    parts = {
        "metadata": (None, json.dumps(body), "application/json"),
        "index.js": ("index.js", CODE, "application/javascript+module"),
    }
    assert error(cloudflare.client.post("/workers/scripts/apart/versions", files=parts))[0] == 10211  # type: ignore[arg-type]


def test_versions_of_the_newer_api_migrate_when_they_are_deployed(cloudflare: Api) -> None:
    cloudflare.client.post("/workers/workers", json={"name": "newer", "subdomain": {"enabled": True}})
    first = version_of(cloudflare, "newer", CODE, migrations=NEW)
    assert namespaces(cloudflare, "newer") == {}
    release(cloudflare, "newer", {first: 100})
    assert call(cloudflare, "newer", "add") == 1
    second = version_of(cloudflare, "newer", CODE.replace("VERSION", "second"))
    release(cloudflare, "newer", {first: 50, second: 50})
    assert sorted(call(cloudflare, "newer", "add") for _ in range(9)) == list(range(2, 11))
    release(cloudflare, "newer", {first: 100})
    assert call(cloudflare, "newer", "add") == 11, "its migration was applied before"


def version_of(api: Api, name: str, code: str, **fields: Any) -> str:
    module = {"name": "index.js", "content_type": "application/javascript+module"}
    module["content_base64"] = base64.b64encode(code.encode()).decode()
    body = {"main_module": "index.js", "modules": [module], "compatibility_date": "2026-06-01", "bindings": [OWN]}
    answer = api.client.post(f"/workers/workers/{name}/versions", json=body | fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["id"])


def objects_process(server: int) -> int:
    """The process of Workers with objects: its configuration names their disk."""
    for child in Path(f"/proc/{server}/task").glob("*/children"):
        for pid in child.read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            configuration = Path(command[-2].decode())
            if configuration.name == "config.capnp" and "objects-disk" in configuration.read_text():
                return int(pid)
    raise AssertionError("there is none")


def test_a_worker_that_calls_one_with_objects_follows_it_and_leaves_it(cloudflare: Api) -> None:
    api = "import { WorkerEntrypoint } from 'cloudflare:workers';\n" + CODE
    api += (
        "export class Api extends WorkerEntrypoint { total() { return this.env.COUNTERS.getByName('a').add('n'); } }\n"
    )
    deployed(cloudflare, "callee", api, migrations=NEW)
    calls = "export default { fetch: async (r, env) => new Response(String(await env.CALLEE.total())) };"
    service = {"name": "CALLEE", "type": "service", "service": "callee", "entrypoint": "Api"}
    plain = "export default { fetch: () => new Response('plain') };"
    deployed(cloudflare, "caller", plain, bindings=[])
    for number in (1, 2):
        deployed(cloudflare, "caller", calls, bindings=[service])
        assert cloudflare.worker("caller", "GET", "/").text == str(number)
        deployed(cloudflare, "caller", plain, bindings=[])
        assert cloudflare.worker("caller", "GET", "/").text == "plain"


def test_crons_of_a_worker_with_objects_run_while_it_is_deployed(cloudflare: Api) -> None:
    timed = CODE.replace("export default {", "export default {\n  async scheduled(event, env) { await tick(env); },")
    timed += "const tick = (env) => env.COUNTERS.getByName('a').add('ticks');\n"
    deployed(cloudflare, "timed", timed, migrations=NEW)
    url = f"{cloudflare.running.base_url.removesuffix('/client/v4')}/__local/scheduled/timed"
    outcomes = list[str]()

    def tick() -> None:
        for _ in range(20):
            answer = cloudflare.client.post(url, params={"cron": "* * * * *"})
            outcomes.append(answer.json()["result"]["outcome"])

    ticking = threading.Thread(target=tick)
    ticking.start()
    for number in range(3):
        deployed(cloudflare, "timed", timed.replace("VERSION", str(number)))
    ticking.join()
    assert set(outcomes) == {"ok"}
    assert call(cloudflare, "timed", "read", "a", "ticks") == 20


def test_a_renamed_worker_keeps_its_objects(cloudflare: Api) -> None:
    deployed(cloudflare, "named", migrations=NEW)
    assert call(cloudflare, "named", "add") == 1
    found = next(
        each
        for each in cloudflare.client.get("/workers/workers?per_page=100").json()["result"]
        if each["name"] == "named"
    )
    assert cloudflare.client.patch(f"/workers/workers/{found['id']}", json={"name": "anew"}).is_success
    assert call(cloudflare, "anew", "add") == 2
    assert list(namespaces(cloudflare, "anew")) == ["Counter"]


def test_what_was_acknowledged_survives_a_kill_of_the_runtime(cloudflare: Api) -> None:
    deployed(cloudflare, "killed", migrations=NEW)
    with Load(cloudflare, "killed", 4) as load:
        for _ in range(3):
            time.sleep(0.4)
            os.kill(objects_process(cloudflare.running.pid), signal.SIGKILL)
            wait_for(lambda: cloudflare.worker("killed", "GET", "/read/busy/n").is_success)
    assert len(set(load.answers)) == len(load.answers)
    assert call(cloudflare, "killed", "read", "busy") >= max(load.answers)


def test_a_kill_of_everything_loses_nothing_and_alarms_due_meanwhile_fire_at_the_start(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    try:
        deployed(api, "survives", migrations=NEW)
        counts = [call(api, "survives", "add") for _ in range(20)]
        call(api, "survives", "later", "asleep", "1500")
        api.client.close()
        os.kill(api.running.pid, signal.SIGKILL)
        wait_for(lambda: not local.daemon.alive(api.running.pid))
        time.sleep(2)
        api = start_cloudflare(tmp_path)
        assert call(api, "survives", "add") == counts[-1] + 1
        assert wait_for(lambda: call(api, "survives", "read", "asleep", "alarms") == 1)
    finally:
        api.client.close()
        local.stop(tmp_path)
