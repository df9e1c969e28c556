"""Answers on Workflows have the shapes of Cloudflare's client. Source: cloudflare-python 5.9.0 `types/workflows`.

The OpenAPI subset that the other products are compared with has none of these paths.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.conftest import Api
from tests.local.ingests import ask, ingesting, until

STATUSES = {"queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting"}
TIME, TEXT, MAYBE = "a time", "a text", "a time or nothing"
WORKFLOW = {"id": TEXT, "name": TEXT, "class_name": TEXT, "script_name": TEXT, "created_on": TIME, "modified_on": TIME}
WORKFLOW |= {"triggered_on": MAYBE}
PUT = {**WORKFLOW, "version_id": TEXT, "is_deleted": 0, "terminator_running": 0}
VERSION = {"id": TEXT, "class_name": TEXT, "created_on": TIME, "modified_on": TIME, "workflow_id": TEXT}
VERSION |= {"has_dag": False, "language": "javascript"}
MADE = {"id": TEXT, "status": STATUSES, "version_id": TEXT, "workflow_id": TEXT}
LISTED = {**MADE, "created_on": TIME, "modified_on": TIME, "started_on": MAYBE, "ended_on": MAYBE}
WHOLE = {"queued": TIME, "start": MAYBE, "end": MAYBE, "success": {True, False, None}, "status": STATUSES}
WHOLE |= {"trigger": {"source": {"api", "binding"}}, "versionId": TEXT, "step_count": int, "steps": list}
WHOLE |= {"params": object, "output": object, "error": object, "rollback": None}
STEP = {"type": {"step"}, "name": TEXT, "start": TIME, "end": MAYBE, "success": {True, False, None}, "output": object}
STEP |= {"attempts": list, "config": {"retries": {"limit": int, "delay": object, "backoff": TEXT}, "timeout": object}}
ATTEMPT = {"start": TIME, "end": MAYBE, "success": {True, False, None}, "error": object}
SLEEP = {"type": {"sleep"}, "name": TEXT, "start": TIME, "end": TIME, "finished": {True, False}, "error": object}
WAIT = {"type": {"waitForEvent"}, "name": TEXT, "start": TIME, "end": MAYBE, "finished": {True, False}}
WAIT |= {"error": object, "output": object}


def fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict):
        return isinstance(value, dict) and value.keys() == shape.keys() and all(fits(value[k], shape[k]) for k in shape)
    if isinstance(shape, set):
        return value in shape
    if isinstance(shape, type):
        return isinstance(value, shape)
    if shape == MAYBE and value is None:
        return True
    if shape in (TIME, MAYBE):
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, str) if shape == TEXT else bool(value == shape)


def result(api: Api, method: str, path: str, body: Any = None) -> Any:
    answer = api.client.request(method, f"/workflows{path}", json=body)
    assert answer.status_code == 200, answer.text
    envelope = answer.json()
    assert (envelope["success"], envelope["errors"], envelope["messages"]) == (True, [], [])
    return envelope["result"]


def test_workflows_and_versions(cloudflare: Api) -> None:
    ingesting(cloudflare, "shapes")
    body = {"script_name": "shapes", "class_name": "Ingest", "limits": {"steps": 100}}
    assert fits(result(cloudflare, "PUT", "/shapes", body), PUT)
    with_instances = {**WORKFLOW, "instances": dict.fromkeys([*STATUSES, "rollingBack"], int)}
    assert fits(result(cloudflare, "GET", "/shapes"), with_instances)
    assert all(fits(each, with_instances) for each in result(cloudflare, "GET", "?per_page=50"))
    newest, oldest = result(cloudflare, "GET", "/shapes/versions")
    assert fits(newest, {**VERSION, "limits": {"steps": 100}})
    assert fits(oldest, VERSION)
    assert fits(result(cloudflare, "DELETE", "/shapes"), {"status": "ok", "success": True})


def test_instances(cloudflare: Api) -> None:
    ingesting(cloudflare, "shaped")
    assert fits(result(cloudflare, "POST", "/shaped/instances", {"instance_id": "one"}), MADE)
    [made] = result(cloudflare, "POST", "/shaped/instances/batch", [{"params": {"seconds": 1, "wait": "go"}}])
    assert fits(made, MADE)
    ask(cloudflare, "shaped", "/create/bound?fail=3")
    for instance, status in (("one", "complete"), ("bound", "errored"), (made["id"], "waiting")):
        whole = until(cloudflare, "shaped", instance, status)
        assert fits(whole, WHOLE), whole
        for step in whole["steps"]:
            assert fits(step, {"step": STEP, "sleep": SLEEP, "waitForEvent": WAIT}[step["type"]]), step
            assert all(fits(each, ATTEMPT) for each in step.get("attempts", []))
    listed = result(cloudflare, "GET", "/shaped/instances")
    assert len(listed) == 3
    assert all(fits(each, LISTED) for each in listed)
    change = result(cloudflare, "PATCH", f"/shaped/instances/{made['id']}/status", {"status": "terminate"})
    assert fits(change, {"status": {"terminated"}, "timestamp": TIME})
