"""The samples on a text server of one's own, in each dialect: what `up` and `doctor` say of it, and how it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.dialects import DIALECTS, WORDS, Running, speaking
from tests.templates.conftest import Deployed

pytestmark = pytest.mark.slow  # whole projects, again and again

STACKS = ["rag", "chat", "tools", "structured"]
LARGE, SMALL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/meta/llama-3.2-3b-instruct"
SAID = "".join(WORDS)
Served = tuple[Deployed, Running, str]


def point(deployed: Deployed, address: str) -> str:
    """What `up` says."""
    stack = deployed.project.root / "stacks" / "samples.yaml"
    text = re.sub(r", text_server: [^ ]+", "", stack.read_text())
    stack.write_text(text.replace(", api_port: 0", f', api_port: 0, text_server: "{address}"', 1))
    return deployed.project.run("up", "samples")


@pytest.fixture(scope="module", params=list(DIALECTS))
def served(deployed: Deployed, request: pytest.FixtureRequest) -> Iterator[Served]:
    with speaking(request.param) as running:
        yield deployed, running, point(deployed, running.url)


def texts(answer: str) -> str:
    """Of the events of a Worker."""
    told = [json.loads(line.removeprefix("data: ")) for line in answer.split("\n") if line.startswith("data: {")]
    return "".join(each.get("text", "") for each in told)


def test_up_and_doctor_say_who_speaks(served: Served) -> None:
    deployed, running, said = served
    name = DIALECTS[next(name for name in DIALECTS if DIALECTS[name].name in said)].name
    assert (
        f"answers: text by text-server {name} ({running.url}) for {LARGE}, {SMALL}; embeddings by static-words" in said
    )
    examined = deployed.project.run("doctor", code=None)
    assert f"text-server {name} ({running.url}) speaks for the chat models of samples" in examined
    status = deployed.project.run("local", "status")
    assert f"text by text-server {name}: {running.url}" in status


def test_chat(served: Served) -> None:
    answer = served[0].post("chat", "/chat", {"message": "Hello there"}).json()
    assert (answer["answer"], answer["model"], answer["usage"]["completion_tokens"]) == (SAID, LARGE, 4)
    streamed = served[0].post("chat", "/chat", {"message": "Hello there", "stream": True}).text
    assert texts(streamed) == SAID


def test_a_fallback_helps_when_the_server_is_busy(served: Served) -> None:
    """Each model is the same server here; both are asked, and the error is one that Workers AI has."""
    served[1].asked.clear()
    answer = served[0].post("chat", "/chat", {"message": "busy"})
    assert answer.status_code in (429, 503), answer.text
    assert len(served[1].asked) > 1


def test_tools(served: Served) -> None:
    answer = served[0].post("tools", "/run", {"message": "What is the status of order 1002?"}).json()
    [step] = answer["steps"]
    assert (step["tool"], "error" in step) == ("order_status", False)
    assert answer["answer"] == SAID
    roles = [message["role"] for message in served[1].asked[-1]["messages"]]
    assert roles[-2:] == ["assistant", "tool"]


def test_structured(served: Served) -> None:
    answer = served[0].post("structured", "/extract", {"input": "Within 5 days"}).json()
    assert answer["value"]["topic"] in ("delivery", "payment", "returns")
    assert answer["repaired"] is False
    assert served[1].asked[-1]["response_format"]["json_schema"]["schema"]["additionalProperties"] is False


def test_rag(served: Served) -> None:
    deployed = served[0]
    document = {"id": "shop", "title": "Shop", "text": "The shop opens at nine in the morning."}
    assert deployed.post("rag", "/documents", document).status_code == 201
    answer = deployed.post("rag", "/ask", {"question": "When does the shop open?"})
    assert answer.json()["answer"] == SAID, answer.text
    asked = json.dumps(served[1].asked[-1]["messages"])
    assert "nine in the morning" in asked
    streamed = deployed.post("rag", "/ask", {"question": "At what time does the shop open?", "stream": True}).text
    assert texts(streamed) == SAID


def test_a_server_that_is_gone_is_found_out_by_up_and_doctor(deployed: Deployed) -> None:
    with speaking("Ollama") as running:
        other = point(deployed, f"{running.url}#nothing")
        assert f"warning: {running.url} does not list `nothing`; it has llama3.2:latest" in other
        gone = running.url
    said = point(deployed, gone)
    assert f"warning: {gone} does not answer: ConnectError" in said
    examined = deployed.project.run("doctor", code=1)
    assert f"{gone} does not answer: ConnectError (of samples)" in examined
    assert "fix: start it, or take `text_server` out" in examined
    answer = deployed.post("chat", "/chat", {"message": "Hello there"})
    assert answer.status_code >= 500
