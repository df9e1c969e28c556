"""Durable Objects in Workers: what they keep through deploys and kills."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.crowd import Crowd
from tests.local.counters import CODE, NEW, call, deployed, namespaces, socket_of
from tests.local.test_workers_run import wait_for
from tests.local.websocket import Closed


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


class Load(Crowd):
    """Clients that count on one object; `answers` is all that was acknowledged."""

    def __init__(self, api: Api, worker: str, clients: int) -> None:
        super().__init__(clients)
        self.answers: list[int] = []
        self.failures: list[str] = []
        self._url, self._headers = f"http://127.0.0.1:{api.running.port}", {"host": f"{worker}.local.localhost"}

    def work(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=60) as client:
            while not self.ended.is_set():
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


def answers(cloudflare: Api, worker: str, path: str) -> bool:
    """A request that is under way when its process is killed ends without an answer."""
    try:
        return cloudflare.worker(worker, "GET", path).is_success
    except httpx.TransportError:
        return False


def test_what_was_acknowledged_survives_a_kill_of_the_runtime(cloudflare: Api) -> None:
    deployed(cloudflare, "killed", migrations=NEW)
    with Load(cloudflare, "killed", 4) as load:
        for _ in range(3):
            time.sleep(0.4)
            os.kill(objects_process(cloudflare.running.pid), signal.SIGKILL)
            wait_for(lambda: answers(cloudflare, "killed", "/read/busy/n"))
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
