"""Template `agent`: runs that nobody listens to, streams that are taken up, approvals, restarts, tenants, deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.templates.conftest import Deployed

STACKS = ["agent"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
ANN, BOB = "a" * 20, "b" * 20
EXTRAS = """
workers:
  agent: { secrets: { API_TOKEN: env:AGENT_KEYS } }
  brief:
    template: agent
    compatibility_date: "2026-06-01"
    models: { chat: chat }
    bindings: { AI: { ai: true } }
    objects: { AGENT: { class_name: Conversation }, DIRECTORY: { class_name: Directory } }
    options: { expire_days: 0.00003 }   # 2.6 seconds
    secrets: { API_TOKEN: env:AGENT_KEYS }
"""
LONG = " ".join(f"word{n}" for n in range(60))
Event = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGENT_KEYS", f"ann={ANN},bob={BOB}")
        yield


def ask(
    deployed: Deployed, method: str, path: str, body: Any = None, token: str = ANN, **headers: str
) -> httpx.Response:
    with deployed.client("agent", token) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.request(method, path, json=body, headers=named)


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    found: Event = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line == "":
            if "event" in found:
                yield found
            found = {}
        elif name == "data":
            found |= json.loads(value)
        elif name:
            found[name] = value


def listen(deployed: Deployed, conversation: str, after: str | None = None) -> list[Event]:
    headers = {"last_event_id": after} if after else {}
    answer = ask(deployed, "GET", f"/conversations/{conversation}/events", **headers)
    assert answer.status_code in (200, 204), answer.text
    return list(events_in(iter([*answer.text.splitlines(), ""])))


def cut(deployed: Deployed, message: str, pieces: int) -> list[Event]:
    """The first events of a stream, which is then closed."""
    with (
        deployed.client("agent", ANN) as client,
        client.stream("POST", "/conversations", json={"message": message, "stream": True}) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        found: list[Event] = []
        for event in events_in(answer.iter_lines()):
            found.append(event)
            if sum(each["event"] == "token" for each in found) == pieces:
                break
    return found


def text_of(events: list[Event]) -> str:
    return "".join(event["text"] for event in events if event["event"] == "token")


def state_of(deployed: Deployed, conversation: str) -> str:
    return str(ask(deployed, "GET", f"/conversations/{conversation}").json()["state"])


def wait(deployed: Deployed, conversation: str, state: str) -> None:
    end = time.monotonic() + 30
    while state_of(deployed, conversation) != state:
        assert time.monotonic() < end
        time.sleep(0.1)


def status(deployed: Deployed, number: int) -> str:
    [database] = deployed.project.api("GET", "/d1/database")
    sql = {"sql": "SELECT status FROM orders WHERE number = ?", "params": [number]}
    [found] = deployed.project.api("POST", f"/d1/database/{database['uuid']}/query", json=sql)
    return str(found["results"][0]["status"])


def test_a_message_is_answered_with_the_help_of_tools(deployed: Deployed) -> None:
    made = ask(deployed, "POST", "/conversations", {"message": "What is the status of order 17?"})
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "idle"
    assert "packed and waiting for the van" in made.json()["answer"]
    kept = ask(deployed, "GET", f"/conversations/{made.json()['id']}").json()
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert kept["messages"][1]["calls"][0]["arguments"] == {"number": 17}
    assert kept["title"] == "What is the status of order 17?"
    again = ask(deployed, "POST", f"/conversations/{kept['id']}/messages", {"message": "Thank you"})
    assert again.json()["answer"]
    assert len(ask(deployed, "GET", f"/conversations/{kept['id']}").json()["messages"]) == 6


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_stream_that_is_cut_is_taken_up_without_a_lost_or_repeated_word(deployed: Deployed, pieces: int) -> None:
    deployed.fault(model=LARGE, answer=LONG, token_ms=30, times=1)
    before = cut(deployed, "Tell me much", pieces)
    assert before[0]["event"] == "started"
    rest = listen(deployed, before[0]["conversation"], before[-1]["id"])
    assert rest[-1]["event"] == "done"
    assert len([each for each in rest if each["event"] == "token"]) > 3, "it was cut while it spoke"
    assert text_of(before + rest) == LONG == rest[-1]["answer"]
    ids = [int(event["id"]) for event in before + rest]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert listen(deployed, before[0]["conversation"], rest[-1]["id"]) == []


def test_a_run_goes_on_when_nobody_listens(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer=LONG, token_ms=20, times=1)
    [first, *_] = cut(deployed, "Tell me much", 1)
    busy = ask(deployed, "POST", f"/conversations/{first['conversation']}/messages", {"message": "And now?"})
    assert (busy.status_code, busy.json()["code"]) == (409, "busy")
    wait(deployed, first["conversation"], "idle")
    kept = ask(deployed, "GET", f"/conversations/{first['conversation']}").json()
    assert kept["messages"][-1]["content"] == LONG


def test_a_person_approves_after_a_restart(deployed: Deployed) -> None:
    made = ask(deployed, "POST", "/conversations", {"message": "Cancel order 18"}).json()
    assert (made["state"], made["approvals"][0]["tool"]) == ("waiting", "cancel_order")
    assert made["approvals"][0]["arguments"] == {"number": 18}
    where = f"/conversations/{made['id']}"
    assert ask(deployed, "POST", f"{where}/messages", {"message": "Well?"}).json()["code"] == "waiting"
    assert status(deployed, 18) == "delivered on Monday"
    deployed.project.run("local", "stop")
    deployed.project.run("up", "samples")
    approval = made["approvals"][0]["id"]
    assert ask(deployed, "GET", where).json()["approvals"] == made["approvals"]
    done = ask(deployed, "POST", f"{where}/approvals/{approval}", {"approve": True})
    assert (done.status_code, done.json()["state"]) == (200, "idle")
    assert status(deployed, 18) == "cancelled"
    twice = ask(deployed, "POST", f"{where}/approvals/{approval}", {"approve": True})
    assert (twice.status_code, twice.json()["code"]) == (409, "decided")


def test_a_person_refuses_and_the_model_is_told_why(deployed: Deployed) -> None:
    made = ask(deployed, "POST", "/conversations", {"message": "Cancel order 17"}).json()
    where = f"/conversations/{made['id']}"
    body = {"approve": False, "note": "The van has left", "stream": True}
    answer = ask(deployed, "POST", f"{where}/approvals/{made['approvals'][0]['id']}", body)
    events = list(events_in(iter([*answer.text.splitlines(), ""])))
    assert [events[0]["event"], events[1]["event"], events[-1]["event"]] == ["decided", "result", "done"]
    assert events[1]["error"] == "a person refused the call: The van has left"
    assert status(deployed, 17) == "packed and waiting for the van"


def test_a_run_that_a_restart_breaks_off_is_made_anew(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer=LONG, token_ms=100, times=1)
    before = cut(deployed, "Hello there", 3)
    known = deployed.inferences()
    deployed.project.run("local", "stop")
    deployed.project.run("up", "samples")
    end = time.monotonic() + 90
    while all(each in known for each in deployed.inferences()):  # nobody asks for the conversation: its alarm wakes it
        assert time.monotonic() < end
        time.sleep(0.2)
    rest = listen(deployed, before[0]["conversation"], before[-1]["id"])
    retracted = [each["event"] for each in rest].index("retract")
    assert text_of(rest[retracted:]) == rest[-1]["answer"] == "You said: Hello there"


def test_conversations_belong_to_their_tenant(deployed: Deployed) -> None:
    made = [ask(deployed, "POST", "/conversations", {}).json()["id"] for _ in range(3)]
    where = f"/conversations/{made[0]}"
    for method, path, body in (
        ("GET", where, None),
        ("DELETE", where, None),
        ("GET", f"{where}/events", None),
        ("POST", f"{where}/messages", {"message": "Hello"}),
        ("POST", f"{where}/approvals/x", {"approve": True}),
    ):
        assert ask(deployed, method, path, body, BOB).status_code == 404
    listed = ask(deployed, "GET", "/conversations?limit=2").json()
    assert [each["id"] for each in listed["conversations"]] == [made[2], made[1]]
    rest = ask(deployed, "GET", f"/conversations?limit=100&after={listed['next']}").json()
    assert rest["conversations"][0]["id"] == made[0]
    assert ask(deployed, "GET", "/conversations", token=BOB).json()["conversations"] == []


def test_a_deleted_conversation_is_gone_its_run_too(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer=LONG, token_ms=50, times=1)
    [first, *_] = cut(deployed, "Tell me much", 1)
    where = f"/conversations/{first['conversation']}"
    assert ask(deployed, "DELETE", where).status_code == 204
    assert ask(deployed, "GET", where).status_code == 404
    assert ask(deployed, "DELETE", where).status_code == 404
    assert first["conversation"] not in ask(deployed, "GET", "/conversations").text
    time.sleep(0.5)
    assert ask(deployed, "GET", where).status_code == 404


def test_an_old_conversation_is_deleted_by_itself(deployed: Deployed) -> None:
    with deployed.client("brief", ANN) as client:
        made = client.post("/conversations", json={"message": "Hello there"}).json()
        assert client.get(f"/conversations/{made['id']}").json()["state"] == "idle"
        end = time.monotonic() + 30
        while client.get(f"/conversations/{made['id']}").status_code != 404:
            assert time.monotonic() < end
            time.sleep(0.2)
        assert client.get("/conversations").json()["conversations"] == []


def test_a_model_that_fails_ends_the_run_and_the_next_message_works(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, status=500, code=500, message="broken", times=4)
    made = ask(deployed, "POST", "/conversations", {})
    where = f"/conversations/{made.json()['id']}"
    failed = ask(deployed, "POST", f"{where}/messages", {"message": "Hello"})
    assert (failed.status_code, failed.json()["code"]) == (502, "model_failed")
    assert state_of(deployed, made.json()["id"]) == "idle"
    again = ask(deployed, "POST", f"{where}/messages", {"message": "Hello there"})
    assert again.json()["answer"] == "You said: Hello there"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/conversations/none", None, 404),
        ("POST", "/conversations", {"message": ""}, 400),
        ("POST", "/conversations", {"massage": "x"}, 400),
        ("GET", "/conversations?limit=0", None, 400),
        ("GET", "/conversations?after=x", None, 400),
        ("GET", f"/conversations/{'0' * 32}/events?after=-1", None, 400),
        ("GET", f"/conversations/{'0' * 32}/events", None, 404),
        ("POST", f"/conversations/{'0' * 32}/messages", {"message": "x"}, 404),
        ("GET", f"/conversations/{'0' * 32}?limit=x", None, 400),
    ],
)
def test_what_is_wrong_is_told(deployed: Deployed, method: str, path: str, body: Any, code: int) -> None:
    answer = ask(deployed, method, path, body)
    assert answer.status_code == code, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_too_long_for_the_model_ends_no_conversation(deployed: Deployed) -> None:
    """The message is refused; the next ones are answered without it."""
    made = ask(deployed, "POST", "/conversations", {"message": "Hello there."})
    path = f"/conversations/{made.json()['id']}/messages"
    refused = ask(deployed, "POST", path, {"message": "word " * 60_000})
    assert (refused.status_code, refused.json()["title"]) == (400, "context_length_exceeded"), refused.text
    after = ask(deployed, "POST", path, {"message": "What is the status of order 17?"})
    assert (after.status_code, "17" in after.json()["answer"]) == (200, True), after.text
