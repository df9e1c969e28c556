"""Workflows in Workers: instances by binding and by REST, and what they keep through deploys, kills and restarts."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.counters import deployed
from tests.local.ingests import CODE, ask, binding, described, ingesting, put, until
from tests.local.test_durable_objects import objects_process


def test_an_instance_runs_by_its_binding_and_is_described_step_by_step(cloudflare: Api) -> None:
    ingesting(cloudflare, "runs")
    assert ask(cloudflare, "runs", "/create/one?from=here") == {"id": "one"}
    whole = until(cloudflare, "runs", "one", "complete")
    assert whole["output"]["first"]["from"] == "here"
    assert [(step["type"], step["name"], step["success"]) for step in whole["steps"]] == [
        ("step", "fetch-1", True),
        ("step", "store-1", True),
    ]
    assert whole["trigger"] == {"source": "binding"}
    assert whole["params"] == {"from": "here"}
    assert whole["step_count"] == 2
    status = ask(cloudflare, "runs", "/status/one")
    assert status["status"] == "complete"
    assert status["output"] == whole["output"]
    shown = cloudflare.client.get("/workflows/runs").json()["result"]
    assert shown["instances"]["complete"] == 1
    assert shown["class_name"] == "Ingest"


def test_a_step_that_fails_is_tried_again(cloudflare: Api) -> None:
    ingesting(cloudflare, "shaky")
    ask(cloudflare, "shaky", "/create/some?fail=2")
    attempts = until(cloudflare, "shaky", "some", "complete")["steps"][1]["attempts"]
    assert [(each["success"], (each["error"] or {}).get("message")) for each in attempts] == [
        (False, "try 1"),
        (False, "try 2"),
        (True, None),
    ]
    ask(cloudflare, "shaky", "/create/all?fail=3")
    failed = until(cloudflare, "shaky", "all", "errored")
    assert failed["error"]["message"] == "try 3"
    assert failed["success"] is False


def test_instances_by_rest(cloudflare: Api) -> None:
    ingesting(cloudflare, "rest")
    made = cloudflare.client.post("/workflows/rest/instances", json={"instance_id": "a", "params": {"wait": "ok"}})
    assert made.json()["result"]["id"] == "a"
    waiting = until(cloudflare, "rest", "a", "waiting")
    assert waiting["steps"][-1]["type"] == "waitForEvent"
    sent = cloudflare.client.post("/workflows/rest/instances/a/events/ok", json={"by": "me"})
    assert sent.status_code == 200, sent.text
    assert sent.json()["result"]["instanceId"] == "a"
    assert sent.json()["result"]["timestamp"].endswith("Z")
    done = until(cloudflare, "rest", "a", "complete")
    assert done["output"]["said"] == {"by": "me"}
    assert done["trigger"] == {"source": "api"}
    batch = [{"instance_id": "a"}, {"instance_id": "b", "params": '{"from": "text"}'}, {}]
    several = cloudflare.client.post("/workflows/rest/instances/batch", json=batch).json()["result"]
    assert several[0]["id"] == "b"
    assert len(several) == 2  # `a` is there already
    assert until(cloudflare, "rest", "b", "complete")["output"]["first"]["from"] == "text"
    listed = cloudflare.client.get("/workflows/rest/instances/", params={"status": "complete"}).json()["result"]
    assert {"a", "b"} <= {each["id"] for each in listed}
    assert cloudflare.client.get("/workflows/rest/instances", params={"status": "paused"}).json()["result"] == []


def test_an_instance_is_paused_resumed_terminated_and_restarted(cloudflare: Api) -> None:
    ingesting(cloudflare, "steered")

    def change(instance: str, status: str) -> tuple[int, str]:
        answer = cloudflare.client.patch(f"/workflows/steered/instances/{instance}/status", json={"status": status})
        body = answer.json()
        return answer.status_code, (body["result"] or {}).get("status") or body["errors"][0]["message"]

    ask(cloudflare, "steered", "/create/one?wait=go")
    until(cloudflare, "steered", "one", "waiting")
    assert change("one", "pause")[0] == 200
    until(cloudflare, "steered", "one", "paused")
    assert change("one", "resume")[0] == 200
    until(cloudflare, "steered", "one", "waiting")
    assert change("one", "terminate") == (200, "terminated")
    assert described(cloudflare, "steered", "one")["steps"][-1] == {"type": "termination", "trigger": {"source": "api"}}
    assert change("one", "terminate")[0] == 400
    assert change("one", "restart")[0] == 200
    until(cloudflare, "steered", "one", "waiting")
    assert ask(cloudflare, "steered", "/send/one?type=go&payload=now")
    assert until(cloudflare, "steered", "one", "complete")["output"]["said"] == "now"
    assert change("one", "stop") == (400, "`status` must be one of: pause, resume, terminate, restart")


def test_ids_are_given_once_and_unknown_ones_leave_nothing(cloudflare: Api) -> None:
    ingesting(cloudflare, "ids")
    assert ask(cloudflare, "ids", "/create/one") == {"id": "one"}
    again = cloudflare.worker("ids", "GET", "/create/one")
    assert "already exists" in again.json()["error"]
    assert ask(cloudflare, "ids", "/batch/one,two,three") == ["two", "three"]
    conflict = cloudflare.client.post("/workflows/ids/instances", json={"instance_id": "one"})
    assert conflict.json()["errors"] == [{"code": 10405, "message": "workflows.api.error.instance.already_exists"}]
    files = objects_of(cloudflare)
    for number in range(3):
        assert "not found" in cloudflare.worker("ids", "GET", f"/status/none{number}").json()["error"]
        missing = cloudflare.client.get(f"/workflows/ids/instances/none{number}")
        assert missing.status_code == 404
        assert missing.json()["errors"][0]["code"] == 10400
    assert objects_of(cloudflare) == files


def objects_of(api: Api) -> set[str]:
    return {file.name for file in (api.folder / "storage" / "durable_objects").rglob("*.sqlite")}


def test_a_deploy_leaves_what_sleeps_and_goes_on_with_the_new_code(cloudflare: Api) -> None:
    ingesting(cloudflare, "deploys", CODE.replace("VERSION", "old"))
    ask(cloudflare, "deploys", "/create/one?wait=go")
    first = until(cloudflare, "deploys", "one", "waiting")
    began = time.monotonic()
    ingesting(cloudflare, "deploys", CODE.replace("VERSION", "new"))
    assert time.monotonic() - began < 10
    ask(cloudflare, "deploys", "/send/one?type=go&payload=now")
    done = until(cloudflare, "deploys", "one", "complete")
    assert done["output"]["last"]["version"] == "new"
    assert done["steps"][0]["start"] == first["steps"][0]["start"]  # it was not done twice


def test_deploys_under_load_lose_no_instance_that_was_acknowledged(cloudflare: Api) -> None:
    ingesting(cloudflare, "loaded")
    made, failures, stop = list[str](), list[str](), threading.Event()

    def create(client: int) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            answer = cloudflare.worker("loaded", "GET", f"/create/c{client}-{number}?seconds=1")
            (made if answer.status_code == 200 else failures).append(answer.text)
            time.sleep(0.05)

    threads = [threading.Thread(target=create, args=(client,)) for client in range(3)]
    for thread in threads:
        thread.start()
    for number in range(3):
        time.sleep(0.5)
        deployed(cloudflare, "loaded", CODE.replace("VERSION", str(number)), bindings=[binding("loaded")])
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(made) > 20
    end = time.monotonic() + 60
    while (found := cloudflare.client.get("/workflows/loaded").json()["result"]["instances"])["complete"] < len(made):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    assert sum(found.values()) == len(made)


def test_an_engine_that_is_killed_goes_on_by_itself(cloudflare: Api) -> None:
    ingesting(cloudflare, "crashes")
    ask(cloudflare, "crashes", "/create/one?seconds=2")
    first = until(cloudflare, "crashes", "one", "waiting")["steps"][0]
    os.kill(objects_process(cloudflare.running.pid), signal.SIGKILL)
    assert until(cloudflare, "crashes", "one", "complete")["steps"][0] == first


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_sleeping_instance_wakes_after_a_restart(how: str, tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    try:
        ingesting(api, "sleeps")
        ask(api, "sleeps", "/create/short?seconds=4")
        ask(api, "sleeps", "/create/long?seconds=3600")
        ask(api, "sleeps", "/create/held?wait=go")
        for name in ("short", "long", "held"):
            until(api, "sleeps", name, "waiting")
        before = described(api, "sleeps", "short")["steps"][0]
        if how == "stopped":
            local.stop(tmp_path)
        else:
            os.kill(api.running.pid, signal.SIGKILL)
        api.client.close()
        api = start_cloudflare(tmp_path)
        done = until(api, "sleeps", "short", "complete")
        assert done["steps"][0] == before
        assert described(api, "sleeps", "long")["status"] == "waiting"
        api.client.post("/workflows/sleeps/instances/held/events/go", json=1)
        assert until(api, "sleeps", "held", "complete")["output"]["said"] == 1
    finally:
        api.client.close()
        local.stop(tmp_path)


def test_another_worker_starts_instances_by_its_own_binding(cloudflare: Api) -> None:
    ingesting(cloudflare, "owner")
    deployed(cloudflare, "caller", CODE, bindings=[binding("owner", script_name="owner")])
    assert ask(cloudflare, "caller", "/create/one?from=caller") == {"id": "one"}
    assert until(cloudflare, "owner", "one", "complete")["output"]["first"]["from"] == "caller"


def test_a_workflow_that_is_deleted_takes_its_instances_along(cloudflare: Api) -> None:
    before = objects_of(cloudflare)
    ingesting(cloudflare, "gone")
    ask(cloudflare, "gone", "/create/one?seconds=3600")
    until(cloudflare, "gone", "one", "waiting")
    assert cloudflare.client.delete("/workflows/gone").json()["result"] == {"status": "ok", "success": True}
    missing = cloudflare.client.get("/workflows/gone")
    assert missing.json()["errors"] == [{"code": 10200, "message": "workflows.api.error.workflow.not_found"}]
    assert objects_of(cloudflare) - before == set()
    assert "workflow.not_found" in cloudflare.worker("gone", "GET", "/create/two").json()["error"]
    assert put(cloudflare, "gone").status_code == 200
    assert cloudflare.client.get("/workflows/gone/instances").json()["result"] == []
