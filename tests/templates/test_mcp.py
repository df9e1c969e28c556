"""Template `mcp` on the wire: messages, versions, origins, refusals; each kind of tool; resources and prompts."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.templates.conftest import Deployed

STACKS = ["mcp"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
# A second one, which calls the first, asks AI Search, and knows its callers' tenants.
EXTRAS = """
searches: { handbook: { threshold: 0.1, fields: { owner: text } } }
databases: { desk: { migrations: migrations/desk } }
workers:
  desk:
    template: mcp
    compatibility_date: "2026-06-01"
    bindings:
      FIRST: { service: mcp }
      BOOK: { search: handbook }
      DESK: { database: desk }
      RATE_LIMITER: { rate_limit: { requests: 1000 } }
    options:
      cors: ["https://friend.example"]
      max_body_bytes: 2000
      tools:
        - name: orders
          description: Messages to the other
          input: { type: object, properties: { jsonrpc: {}, id: {}, method: {} } }
          service: { binding: FIRST, path: /mcp, method: POST, headers: { authorization: "Bearer {UPSTREAM}" } }
        - name: open
          description: What the other says of itself
          input: { type: object, properties: { page: { type: string } }, required: [page] }
          service: { binding: FIRST, path: "/{page}" }
        - name: look
          description: Looks into the handbook
          input: { type: object, properties: { words: { type: string } }, required: [words] }
          search: { binding: BOOK, query: words }
        - name: look_mine
          description: Looks into what is the caller's
          input: { type: object, properties: { words: { type: string } }, required: [words] }
          search: { binding: BOOK, query: words, filter: { owner: $tenant } }
        - name: note
          description: Writes a note
          input: { type: object, properties: { text: { type: string }, tags: { type: array } }, required: [text] }
          d1:
            binding: DESK
            write: true
            query: "INSERT INTO notes (owner, text, tags) VALUES ($tenant, :text, :tags) -- not :this, nor ':that'"
        - name: notes
          description: Notes of the caller
          d1: { binding: DESK, query: "SELECT text, tags, ':text' AS quoted FROM notes WHERE owner = $tenant" }
        - name: many
          description: Many rows
          d1:
            binding: DESK
            query: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n"
    secrets: { API_TOKEN: env:DESK_KEYS, UPSTREAM: file:.inferstack/secrets/sample-api-token }
"""
FILES = {"migrations/desk/0001_notes.sql": "CREATE TABLE notes (owner TEXT NOT NULL, text TEXT NOT NULL, tags TEXT);\n"}
ANN, BOB = "a" * 20, "b" * 20
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.fixture(scope="module", autouse=True)
def keys() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_KEYS", f"ann={ANN},bob={BOB}")
        yield


def send(
    deployed: Deployed, body: Any, worker: str = "mcp", token: str | None = None, **headers: str
) -> httpx.Response:
    with deployed.client(worker, token) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post("/mcp", json=body, headers=named)


def ask(deployed: Deployed, method: str, params: Any = None, worker: str = "mcp", token: str | None = None) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, **({"params": params} if params else {})}
    answer = send(deployed, body, worker, token)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["id"] == 7
    return said.get("result") or said["error"]


def use(deployed: Deployed, tool: str, worker: str = "mcp", token: str | None = None, **arguments: Any) -> Any:
    return ask(deployed, "tools/call", {"name": tool, "arguments": arguments}, worker, token)


def modern(method: str, headers: dict[str, str] | None = None, **params: Any) -> tuple[Any, dict[str, str]]:
    body = {"jsonrpc": "2.0", "id": "x", "method": method, "params": {"_meta": META, **params}}
    return body, {"mcp_protocol_version": "2026-07-28", "mcp_method": method, **(headers or {})}


@pytest.mark.parametrize(
    ("asked", "told"), [("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")]
)
def test_the_version_is_settled_by_the_handshake(deployed: Deployed, asked: str, told: str) -> None:
    said = ask(deployed, "initialize", {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t"}})
    assert said["protocolVersion"] == told
    assert said["serverInfo"]["name"] == "mcp"
    assert set(said["capabilities"]) == {"tools", "resources", "prompts"}
    assert said["instructions"].startswith("Answers questions")
    assert send(deployed, {"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202


def test_a_request_that_says_all_of_itself_needs_no_handshake(deployed: Deployed) -> None:
    body, headers = modern("server/discover")
    said = send(deployed, body, **headers).json()["result"]
    assert said["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"]
    assert (said["resultType"], said["cacheScope"]) == ("complete", "public")
    body, headers = modern("tools/call", {"mcp_name": "order_status"}, name="order_status", arguments={"number": 18})
    answer = send(deployed, body, **headers).json()
    assert (answer["id"], answer["result"]["structuredContent"]["rows"][0]["status"]) == ("x", "delivered on Monday")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mcp_protocol_version": "2099-01-01"}, -32022),
        ({"mcp_method": "tools/list"}, -32020),
        ({"mcp_name": "set_status"}, -32020),
        ({"mcp_name": "=?base64?###?="}, -32020),
    ],
)
def test_headers_that_say_something_else_are_refused(deployed: Deployed, change: dict[str, str], code: int) -> None:
    body, headers = modern("tools/call", {"mcp_name": "order_status"}, name="order_status", arguments={"number": 18})
    answer = send(deployed, body, **(headers | change))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_request_without_its_own_version_is_refused(deployed: Deployed) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = send(deployed, body, mcp_protocol_version="2026-07-28", mcp_method="tools/list")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    body, headers = modern("nothing/here")
    answer = send(deployed, body, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)
    assert ask(deployed, "nothing/here")["code"] == -32601


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "' + b"x" * 2000 + b'"}', 413, -32000),
    ],
    ids=["no JSON", "a batch", "another version", "an odd id", "nothing", "too long"],
)
def test_what_is_no_message_is_refused_in_the_protocol_s_terms(
    deployed: Deployed, content: bytes, status: int, code: int
) -> None:
    with deployed.client("desk", ANN) as client:
        answer = client.post("/mcp", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (status, code, None)


def test_who_may_call_and_how(deployed: Deployed) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    refused = send(deployed, ping, token="wrong")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["error"]["data"]["code"] == "unauthorized"
    for method in ("GET", "DELETE"):
        answer = deployed.call("mcp", method, "/mcp")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    foreign = send(deployed, ping, origin="https://elsewhere.example")
    assert (foreign.status_code, foreign.json()["error"]["data"]["code"]) == (403, "origin_refused")
    friend = send(deployed, ping, "desk", ANN, origin="https://friend.example")
    assert (friend.status_code, friend.headers["access-control-allow-origin"]) == (200, "https://friend.example")
    assert send(deployed, ping, accept="text/html").status_code == 406


def test_tools_are_listed_with_what_they_do(deployed: Deployed) -> None:
    tools = {tool["name"]: tool for tool in ask(deployed, "tools/list")["tools"]}
    assert tools["order_status"]["inputSchema"]["required"] == ["number"]
    assert tools["order_status"]["annotations"] == {"readOnlyHint": True, "openWorldHint": False}
    assert tools["set_status"]["annotations"]["readOnlyHint"] is False
    assert tools["service_health"]["inputSchema"] == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_query_takes_its_arguments_by_name_and_only_as_values(deployed: Deployed) -> None:
    said = use(deployed, "order_status", number=17)
    assert said["structuredContent"] == {"rows": [{"number": 17, "status": "packed and waiting for the van"}]}
    assert json.loads(said["content"][0]["text"]) == said["structuredContent"]
    hostile = "x'; DROP TABLE orders; --"
    assert use(deployed, "set_status", number=18, status=hostile)["structuredContent"]["changes"] == 1
    assert use(deployed, "order_status", number=18)["structuredContent"]["rows"][0]["status"] == hostile
    use(deployed, "set_status", number=18, status="delivered on Monday")


def test_wrong_arguments_are_told_to_the_model(deployed: Deployed) -> None:
    for arguments in ({"number": "17"}, {}, {"number": 17, "more": 1}):
        said = use(deployed, "order_status", **arguments)
        assert said["isError"] is True
        assert "number" in said["content"][0]["text"] or "more" in said["content"][0]["text"]
    assert ask(deployed, "tools/call", {"name": "none"}) == {"code": -32602, "message": "Unknown tool: none"}


def test_tenants_see_their_own_rows(deployed: Deployed) -> None:
    use(deployed, "note", "desk", ANN, text="ann's", tags=["a", "b"])
    use(deployed, "note", "desk", BOB, text="bob's")
    said = use(deployed, "notes", "desk", ANN)["structuredContent"]
    assert said == {"rows": [{"text": "ann's", "tags": '["a","b"]', "quoted": ":text"}]}


def test_a_long_result_says_that_there_is_more(deployed: Deployed) -> None:
    said = use(deployed, "many", "desk", ANN)["structuredContent"]
    assert (len(said["rows"]), said["more"]) == (100, True)


def test_searches_requests_and_other_workers(deployed: Deployed) -> None:
    assert use(deployed, "search_notes", subject="parcels")["structuredContent"] == {"matches": []}
    assert use(deployed, "service_health")["structuredContent"] == {"ok": True, "service": "mcp"}
    assert use(deployed, "open", "desk", ANN, page="healthz")["structuredContent"]["service"] == "mcp"
    climbing = use(deployed, "open", "desk", ANN, page="../healthz")
    assert "cannot stand in the address" in climbing["content"][0]["text"]
    other = use(deployed, "orders", "desk", ANN, jsonrpc="2.0", id=1, method="tools/list")["structuredContent"]
    assert {"order_status", "summarize"} <= {tool["name"] for tool in other["result"]["tools"]}


def test_ai_search_is_asked(deployed: Deployed) -> None:
    files = {"file": ("late.md", "Late parcels are refunded in full.", "text/markdown")}
    deployed.project.api("POST", "/ai-search/namespaces/default/instances/handbook-sample/items", files=files)
    said = use(deployed, "look", "desk", ANN, words="When is a late parcel refunded?")["structuredContent"]
    assert said["chunks"][0]["item"] == "late.md"
    assert "refunded in full" in said["chunks"][0]["text"]
    assert use(deployed, "look_mine", "desk", ANN, words="When is a late parcel refunded?")["structuredContent"] == {
        "chunks": []
    }
    own = {
        "metadata": (None, '{"owner": "ann"}'),
        "file": ("ann.md", "Parcels of Ann are never late.", "text/markdown"),
    }
    deployed.project.api("POST", "/ai-search/namespaces/default/instances/handbook-sample/items", files=own)
    for token, items in ((ANN, ["ann.md"]), (BOB, [])):
        found = use(deployed, "look_mine", "desk", token, words="late parcels")["structuredContent"]["chunks"]
        assert [each["item"] for each in found] == items


def test_a_model_s_answer_comes_with_its_progress(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer="One two three four five six.", times=1)
    params = {"name": "summarize", "arguments": {"text": "Much."}, "_meta": {"progressToken": "p"}}
    body = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params}
    answer = send(deployed, body, accept="application/json, text/event-stream")
    assert answer.headers["content-type"] == "text/event-stream"
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    told = [event["params"] for event in events[:-1]]
    assert [each["progress"] for each in told] == list(range(1, len(told) + 1))
    assert len(told) > 1
    assert "".join(each["message"] for each in told) == events[-1]["result"]["content"][0]["text"]
    assert (told[0]["progressToken"], events[-1]["id"]) == ("p", 3)


def test_resources_are_read_from_the_stack_and_from_a_bucket(deployed: Deployed) -> None:
    uris = [each["uri"] for each in ask(deployed, "resources/list")["resources"]]
    assert uris == ["shop://rules", "shop://prices"]
    [rules] = ask(deployed, "resources/read", {"uri": "shop://rules"})["contents"]
    assert (rules["mimeType"], rules["text"]) == ("text/markdown", "Orders leave within two days.")
    assert ask(deployed, "resources/read", {"uri": "shop://prices"})["code"] == -32002
    deployed.project.api("PUT", "/r2/buckets/papers-sample/objects/prices.csv", content=b"a,1\n")
    assert ask(deployed, "resources/read", {"uri": "shop://prices"})["contents"][0]["text"] == "a,1\n"
    assert ask(deployed, "resources/read", {"uri": "shop://none"})["code"] == -32002
    assert ask(deployed, "resources/templates/list") == {"resourceTemplates": []}


def test_prompts_are_filled(deployed: Deployed) -> None:
    [listed] = ask(deployed, "prompts/list")["prompts"]
    assert listed["arguments"][0]["required"] is True
    said = ask(deployed, "prompts/get", {"name": "apologise", "arguments": {"customer": "Ann {customer}"}})
    assert said["messages"][0]["content"]["text"].startswith("Write a short apology to Ann {customer}, whose")
    assert "needs `customer`" in ask(deployed, "prompts/get", {"name": "apologise"})["message"]
