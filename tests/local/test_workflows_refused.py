"""What Workflows refuse, before anything changes: classes that are not there, and input beyond the limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.counters import deployed, error, version_of
from tests.local.counters import put as upload
from tests.local.ingests import CODE, ask, binding, ingesting, put, until

PLAIN = "export default { fetch: () => new Response('plain') };"
LONG = "x" * 101


def test_a_class_that_is_not_exported_is_refused_at_the_upload_and_for_the_workflow(cloudflare: Api) -> None:
    code, text = error(upload(cloudflare, "lacks", PLAIN, bindings=[binding("lacks")]))
    assert (code, "'Ingest', which the script does not export as a WorkflowEntrypoint" in text) == (10021, True)
    assert cloudflare.client.get("/workers/scripts/lacks/settings").status_code == 404
    deployed(cloudflare, "plain", PLAIN, bindings=[])
    assert error(put(cloudflare, "plain")) == (
        10021,
        "Worker 'plain' does not export the class 'Ingest' as a WorkflowEntrypoint.",
    )
    assert cloudflare.client.get("/workflows/plain").status_code == 404
    assert cloudflare.worker("plain", "GET", "/").text == "plain"


def test_a_durable_object_is_no_workflow(cloudflare: Api) -> None:
    code = 'import { DurableObject } from "cloudflare:workers";\nexport class Ingest extends DurableObject {}\n' + PLAIN
    assert error(upload(cloudflare, "object", code, bindings=[binding("object")]))[0] == 10021


def test_a_worker_that_is_not_there_is_refused(cloudflare: Api) -> None:
    answer = put(cloudflare, "nobody")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == 10007
    to_nobody = [binding("nobody", script_name="nobody")]
    assert error(upload(cloudflare, "asks", PLAIN, bindings=to_nobody)) == (
        10061,
        "Cannot create binding for workflow 'nobody' in script 'nobody' that does not exist.",
    )


def test_a_class_does_not_go_away_under_instances_that_have_not_ended(cloudflare: Api) -> None:
    ingesting(cloudflare, "busy")
    ask(cloudflare, "busy", "/create/one?seconds=3600")
    until(cloudflare, "busy", "one", "waiting")
    code, text = error(upload(cloudflare, "busy", PLAIN, bindings=[]))
    assert code == 10021
    assert "Workflow 'busy' has instances that have not ended (one)" in text
    deleted = cloudflare.client.delete("/workers/scripts/busy")
    assert "nothing would export its class 'Ingest'" in error(deleted)[1]
    assert until(cloudflare, "busy", "one", "waiting")
    assert ask(cloudflare, "busy", "/terminate/one") == {"status": "terminated"}
    deployed(cloudflare, "busy", PLAIN, bindings=[])
    assert cloudflare.worker("busy", "GET", "/").text == "plain"
    assert cloudflare.client.get("/workflows/busy").json()["result"]["instances"] == {}
    lost = cloudflare.client.post("/workflows/busy/instances", json={})
    assert (lost.status_code, "no deployed version" in lost.text) == (409, True)


def test_a_version_of_before_is_asked_for_its_classes_when_it_is_deployed(cloudflare: Api) -> None:
    deployed(cloudflare, "early", CODE, bindings=[])
    version = version_of(cloudflare, "early", CODE, bindings=[])
    assert put(cloudflare, "early").status_code == 200
    body = {"strategy": "percentage", "versions": [{"version_id": version, "percentage": 100}]}
    assert cloudflare.client.post("/workers/scripts/early/deployments", json=body).status_code == 200
    made = cloudflare.client.post("/workflows/early/instances", json={"instance_id": "one"})
    assert made.status_code == 200, made.text
    until(cloudflare, "early", "one", "complete")


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "/instances", {"instance_id": "a b"}, "instance id 'a b' is invalid: 1 to 100 characters that match"),
        ("POST", "/instances", {"instance_id": "-a"}, "is invalid"),
        ("POST", "/instances", {"instance_id": ""}, "is invalid"),
        ("POST", "/instances", {"instance_id": LONG}, "is invalid"),
        ("POST", "/instances", {"instance_id": 7}, "is invalid"),
        ("POST", "/instances", {"params": "{"}, "`params` are not valid JSON"),
        ("POST", "/instances", {"params": '"' + "x" * 2**20 + '"'}, "exceed the limit of 1048576 bytes"),
        ("POST", "/instances", [], "must be a JSON object"),
        ("POST", "/instances/batch", [], "a batch has 1 to 100 instances"),
        ("POST", "/instances/batch", [{}] * 101, "a batch has 1 to 100 instances"),
        ("POST", "/instances/batch", [1], "a batch is a list of objects"),
        ("POST", "/instances/batch", [{"instance_id": "a/b"}], "is invalid"),
        ("POST", "/instances/one/events/a.b", {}, "event type 'a.b' is invalid"),
        ("POST", f"/instances/one/events/{LONG}", {}, "is invalid"),
        ("PATCH", "/instances/one/status", {"status": 1}, "`status` must be one of"),
        ("PATCH", "/instances/one/status", {"status": []}, "`status` must be one of"),
        ("GET", "/instances?status=x", None, "`status` must be one of"),
        ("GET", "/instances?date_start=yesterday", None, "`date_start` must be a time"),
        ("PUT", "", {"script_name": "limits"}, "class_name"),
        ("PUT", "", {"script_name": "limits", "class_name": "Ingest", "limits": {"steps": 0}}, "from 1 to 25000"),
        ("PUT", "", {"script_name": "limits", "class_name": "Ingest", "limits": [1]}, "`limits.steps` must be"),
    ],
)
def test_input_beyond_the_limits_is_told(cloudflare: Api, method: str, path: str, body: Any, text: str) -> None:
    if cloudflare.client.get("/workflows/limits").status_code == 404:
        ingesting(cloudflare, "limits")
    answer = cloudflare.client.request(method, f"/workflows/limits{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert text in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("name", ["a.b", "a b", "x" * 65])
def test_names_are_checked(cloudflare: Api, name: str) -> None:
    code, text = error(put(cloudflare, name, "limits"))
    assert (code, "workflow name" in text) == (10001, True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/create/a.b", "instance id is invalid"),
        (f"/create/{LONG}", "instance id is invalid"),
        ("/send/held?type=a.b", "event type is invalid"),
        ("/send/none?type=a", "not found"),
    ],
)
def test_the_binding_refuses_the_same(cloudflare: Api, path: str, text: str) -> None:
    if cloudflare.client.get("/workflows/bound").status_code == 404:
        ingesting(cloudflare, "bound")
        ask(cloudflare, "bound", "/create/held?wait=go")
    answer = cloudflare.worker("bound", "GET", path)
    assert answer.status_code == 400, answer.text
    assert text in answer.json()["error"]


def test_an_instance_that_has_ended_takes_no_events_and_steps_are_limited(cloudflare: Api) -> None:
    ingesting(cloudflare, "few", limits={"steps": 1})
    ask(cloudflare, "few", "/create/one")
    failed = until(cloudflare, "few", "one", "errored")
    assert "1" in failed["error"]["message"]
    late = cloudflare.client.post("/workflows/few/instances/one/events/go", json=1)
    assert error(late) == (10001, "(instance.not_running) the instance is errored")
    versions = cloudflare.client.get("/workflows/few/versions").json()["result"]
    assert [each["limits"] for each in versions] == [{"steps": 1}]
    assert cloudflare.client.get(f"/workflows/few/versions/{versions[0]['id']}").json()["result"] == versions[0]
    assert cloudflare.client.get("/workflows/few/versions/none").status_code == 404
