"""AI Gateway's data plane: dynamic routes, limits by requests and money, external providers and their keys."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from openai import APIStatusError, OpenAI

from inferstack import local
from tests.conftest import Api
from tests.local.test_workers_run import deploy

SMALL, LARGE = "@cf/meta/llama-3.2-3b-instruct", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
HELLO = {"messages": [{"role": "user", "content": "Hello there"}]}


def gateway(api: Api, name: str, **settings: Any) -> None:
    body = {"id": name, "cache_ttl": 0, "collect_logs": True, "cache_invalidate_on_update": True}
    body |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0, **settings}
    made = api.client.post("/ai-gateway/gateways", json=body)
    assert made.status_code == 200, made.text


def call(api: Api, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{api.running.api_port}/v1/{local.ACCOUNT_ID}/{path}"
    token = {"cf-aig-authorization": f"Bearer {local.token_of(api.folder)}"}
    return httpx.post(
        url, json=body, headers=token | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def routed(api: Api, name: str, route: str, metadata: str = "{}") -> httpx.Response:
    return call(
        api, f"{name}/compat/chat/completions", {**HELLO, "model": f"dynamic/{route}"}, cf_aig_metadata=metadata
    )


def element(identifier: str, kind: str, properties: dict[str, Any] | None = None, **outputs: str) -> dict[str, Any]:
    to = {key.strip("_"): {"elementId": value} for key, value in outputs.items()}
    return {"id": identifier, "type": kind, "outputs": to} | ({"properties": properties} if properties else {})


def model(identifier: str, name: str, fallback: str = "end", provider: str = "workers-ai") -> dict[str, Any]:
    properties = {"provider": provider, "model": name, "timeout": 1000, "retries": 0}
    return element(identifier, "model", properties, success="end", fallback=fallback)


END = {"id": "end", "type": "end", "outputs": {}}


@pytest.mark.parametrize(
    ("test", "metadata", "expected"),
    [
        ({"$eq": "free"}, '{"plan": "free"}', SMALL),
        ({"$eq": "free"}, '{"plan": "paid"}', LARGE),
        ({"$in": ["free", "trial"]}, '{"plan": "trial"}', SMALL),
        ({"$in": ["free", "trial"]}, "{}", LARGE),
        ({"$gt": 3}, '{"plan": 4}', SMALL),
    ],
)
def test_a_condition_chooses_by_metadata(cloudflare: Api, test: Any, metadata: str, expected: str) -> None:
    name = f"cond-{abs(hash((str(test), metadata)))}"
    gateway(cloudflare, name)
    elements = [
        element("start", "start", next="if"),
        element("if", "conditional", {"conditions": {"metadata.plan": test}}, true="small", false="large"),
        model("small", SMALL),
        model("large", LARGE),
        END,
    ]
    made = cloudflare.client.post(f"/ai-gateway/gateways/{name}/routes", json={"name": "r", "elements": elements})
    assert made.status_code == 200, made.text
    answer = routed(cloudflare, name, "r", metadata)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cf-aig-model"] == expected


def test_a_limit_counts_each_user_and_then_another_model_answers(cloudflare: Api) -> None:
    gateway(cloudflare, "rate")
    limit = {"key": "metadata.user", "limitType": "count", "limit": 2, "window": 3600}
    elements = [
        element("start", "start", next="limit"),
        element("limit", "rate", limit, success="large", fallback="small"),
        model("small", SMALL),
        model("large", LARGE),
        END,
    ]
    cloudflare.client.post("/ai-gateway/gateways/rate/routes", json={"name": "r", "elements": elements})
    ann = [routed(cloudflare, "rate", "r", '{"user": "ann"}').headers["cf-aig-model"] for _ in range(3)]
    assert ann == [LARGE, LARGE, SMALL]
    assert routed(cloudflare, "rate", "r", '{"user": "bob"}').headers["cf-aig-model"] == LARGE


def test_a_failing_model_hands_on_to_its_fallback(cloudflare: Api) -> None:
    gateway(cloudflare, "falls")
    elements = [element("start", "start", next="a"), model("a", LARGE, "b"), model("b", SMALL), END]
    cloudflare.client.post("/ai-gateway/gateways/falls/routes", json={"name": "r", "elements": elements})
    faults = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/faults"
    fault = {"model": LARGE, "status": 429, "code": 3040, "times": 1}
    cloudflare.client.post(faults, json=fault).raise_for_status()
    answer = routed(cloudflare, "falls", "r")
    assert (answer.status_code, answer.headers["cf-aig-model"]) == (200, SMALL)
    assert routed(cloudflare, "falls", "r").headers["cf-aig-model"] == LARGE


def test_spending_stops_at_its_limit(cloudflare: Api) -> None:
    rule = {"limit": 0.0001, "limitType": "cost", "window": 3600, "metadata": {"team": {"mode": "partition"}}}
    gateway(cloudflare, "spend", spend_limits={"enabled": True, "rules": [rule]})
    first = call(cloudflare, f"spend/workers-ai/{LARGE}", HELLO, cf_aig_metadata='{"team": "a"}')
    assert first.status_code == 200, first.text
    second = call(cloudflare, f"spend/workers-ai/{LARGE}", HELLO, cf_aig_metadata='{"team": "a"}')
    assert (second.status_code, second.json()["error"][0]["code"]) == (429, 2003)
    other = call(cloudflare, f"spend/workers-ai/{LARGE}", HELLO, cf_aig_metadata='{"team": "b"}')
    assert other.status_code == 200
    [*_, oldest] = cloudflare.client.get("/ai-gateway/gateways/spend/logs").json()["result"]
    tokens = oldest["tokens_in"] * 0.293 + oldest["tokens_out"] * 2.253  # USD for a million, facts of 2026-10
    assert oldest["cost"] == pytest.approx(tokens / 1e6, rel=0.01)


def test_spending_on_another_provider_counts_by_its_prices(cloudflare: Api) -> None:
    rule = {"limit": 0.00001, "limitType": "cost", "window": 3600}
    gateway(cloudflare, "spend-outside", spend_limits={"enabled": True, "rules": [rule]})
    asked = {**HELLO, "model": "openai/gpt-4o-mini"}
    key = "Bearer sk-of-the-caller"
    assert call(cloudflare, "spend-outside/compat/chat/completions", asked, authorization=key).status_code == 200
    refused = call(cloudflare, "spend-outside/compat/chat/completions", asked, authorization=key)
    assert (refused.status_code, refused.json()["error"][0]["code"]) == (429, 2003)
    [*_, oldest] = cloudflare.client.get("/ai-gateway/gateways/spend-outside/logs").json()["result"]
    tokens = oldest["tokens_in"] * 0.15 + oldest["tokens_out"] * 0.6  # USD for a million, external_prices.json
    assert (oldest["provider"], oldest["cost"]) == ("openai", pytest.approx(tokens / 1e6, rel=0.01))


def test_an_authenticated_gateway_wants_the_account_s_token(cloudflare: Api) -> None:
    gateway(cloudflare, "closed", authentication=True)
    refused = call(cloudflare, f"closed/workers-ai/{SMALL}", HELLO, cf_aig_authorization="")
    assert (refused.status_code, refused.json()["error"][0]["code"]) == (401, 2009)
    token = f"Bearer {local.token_of(cloudflare.folder)}"
    assert call(cloudflare, f"closed/workers-ai/{SMALL}", HELLO, cf_aig_authorization=token).status_code == 200


def test_an_external_provider_needs_a_key_and_answers_in_its_own_shape(cloudflare: Api) -> None:
    gateway(cloudflare, "outside")
    asked = {**HELLO, "model": "openai/gpt-x"}
    refused = call(cloudflare, "outside/compat/chat/completions", asked)
    assert (refused.status_code, refused.json()["error"][0]["code"]) == (401, 2009)
    sent = call(cloudflare, "outside/compat/chat/completions", asked, authorization="Bearer sk-of-the-caller")
    assert sent.json()["choices"][0]["message"]["content"] == "You said: Hello there"
    kept = {"provider_slug": "anthropic", "alias": "default", "default_config": True, "secret": "sk-ant-kept"}
    cloudflare.client.post("/ai-gateway/gateways/outside/provider_configs", json=kept).raise_for_status()
    message = call(cloudflare, "outside/anthropic/v1/messages", {**HELLO, "model": "claude-x", "max_tokens": 50}).json()
    assert (message["type"], message["content"][0]["text"]) == ("message", "You said: Hello there")
    assert call(cloudflare, "outside/anthropic/v1/embed", {"model": "claude-x"}).status_code == 501
    run = call(cloudflare, f"outside/workers-ai/run/{SMALL}", HELLO)
    assert run.json()["result"]["response"] == "You said: Hello there"


ASKING = """export default { async fetch(request, env) {
  const { prompt, options } = await request.json();
  const answer = await env.AI.run("@cf/meta/llama-3.2-3b-instruct", { prompt }, { returnRawResponse: true, gateway: options });
  const log = env.AI.aiGatewayLogId, gateway = env.AI.gateway(options.id);
  const kept = await gateway.getLog(log).then((found) => found, (error) => String(error));
  return Response.json({ cache: answer.headers.get("cf-aig-cache-status"), log, kept });
} };"""
JUDGING = """export default { async fetch(request, env) {
  const { log, verdict } = await request.json();
  const gateway = env.AI.gateway("judged");
  try { await gateway.patchLog(log, verdict); } catch (error) { return Response.json({ error: error.message }); }
  return Response.json(await gateway.getLog(log));
} };"""


def test_a_worker_and_a_client_see_whether_an_answer_was_cached(cloudflare: Api) -> None:
    gateway(cloudflare, "kept", cache_ttl=300)
    gateway(cloudflare, "fresh")
    deploy(cloudflare, "asking", ASKING, [{"type": "ai", "name": "AI"}])

    def seen(prompt: str, **options: Any) -> Any:
        return cloudflare.worker("asking", "POST", "/", json={"prompt": prompt, "options": options}).json()["cache"]

    assert [seen("One", id="kept"), seen("One", id="kept"), seen("One", id="kept", skipCache=True)] == [
        "MISS",
        "HIT",
        "MISS",
    ]
    assert [seen("One", id="fresh"), seen("One", id="fresh", cacheTtl=60)] == [None, "MISS"]
    body = {**HELLO, "model": f"workers-ai/{SMALL}"}
    answers = [call(cloudflare, "kept/compat/chat/completions", body) for _ in range(2)]
    assert [answer.headers["cf-aig-cache-status"] for answer in answers] == ["MISS", "HIT"]
    assert answers[0].json()["choices"] == answers[1].json()["choices"]


def test_a_log_has_both_bodies_and_takes_a_verdict(cloudflare: Api) -> None:
    gateway(cloudflare, "judged")
    deploy(cloudflare, "asking", ASKING, [{"type": "ai", "name": "AI"}])
    deploy(cloudflare, "judging", JUDGING, [{"type": "ai", "name": "AI"}])
    made = cloudflare.worker("asking", "POST", "/", json={"prompt": "Two", "options": {"id": "judged"}}).json()
    kept = made["kept"]
    assert (kept["request_head"], kept["request_head_complete"]) == ('{"prompt": "Two"}', True)
    assert "You said: Two" in kept["response_head"]

    def judged(**verdict: Any) -> Any:
        return cloudflare.worker("judging", "POST", "/", json={"log": made["log"], "verdict": verdict}).json()

    told = judged(feedback=1, score=90, metadata={"user": "z2"})
    assert (told["feedback"], told["score"], told["metadata"]) == (1, 90, {"user": "z2"})
    assert judged(feedback=-1)["score"] == 90
    for wrong in ({"feedback": 2}, {"score": 101}, {"score": -1}, {"score": "90"}, {"metadata": {"a": {}}}):
        assert "error" in judged(**wrong), wrong
    path = f"/ai-gateway/gateways/judged/logs/{made['log']}"
    assert cloudflare.client.get(path).json()["result"]["score"] == 90
    assert cloudflare.client.patch(path, json={"score": 5}).is_success
    assert cloudflare.client.patch(path, json={"score": 500}).json()["errors"][0]["code"] == 7001
    assert cloudflare.client.get(f"{path}/request").json() == {"prompt": "Two"}
    assert cloudflare.client.get(f"{path}/response").json()["response"] == "You said: Two"
    [listed] = cloudflare.client.get("/ai-gateway/gateways/judged/logs").json()["result"]
    assert listed["score"] == 5
    assert "request" not in listed
    assert cloudflare.client.get("/ai-gateway/gateways/judged/logs/none").status_code == 404


def test_a_log_keeps_five_entries_of_metadata(cloudflare: Api) -> None:
    gateway(cloudflare, "marked")
    given = {f"m{n}": n for n in range(7)} | {"object": {"a": 1}}
    call(cloudflare, f"marked/workers-ai/{SMALL}", HELLO, cf_aig_metadata=json.dumps(given))
    [log] = cloudflare.client.get("/ai-gateway/gateways/marked/logs").json()["result"]
    assert log["metadata"] == {f"m{n}": n for n in range(5)}


def test_a_request_can_ask_for_no_log(cloudflare: Api) -> None:
    gateway(cloudflare, "quiet")
    deploy(cloudflare, "asking", ASKING, [{"type": "ai", "name": "AI"}])
    options = {"id": "quiet", "collectLog": False}
    assert (
        "Not Found" in cloudflare.worker("asking", "POST", "/", json={"prompt": "x", "options": options}).json()["kept"]
    )
    call(cloudflare, f"quiet/workers-ai/{SMALL}", HELLO, cf_aig_collect_log="false")
    assert cloudflare.client.get("/ai-gateway/gateways/quiet/logs").json()["result"] == []


def openai(api: Api, where: str, name: str) -> OpenAI:
    """OpenAI's own client, at Workers AI's address and at the gateway's."""
    gateway(api, name)
    token = local.token_of(api.folder)
    base = f"http://127.0.0.1:{api.running.api_port}"
    account = f"{base}/client/v4/accounts/{local.ACCOUNT_ID}/ai/v1"
    urls = {
        "api": account,
        "compat": f"{base}/v1/{local.ACCOUNT_ID}/{name}/compat",
        "provider": f"{base}/v1/{local.ACCOUNT_ID}/{name}/workers-ai/v1",
    }
    return OpenAI(base_url=urls[where], api_key=token, max_retries=0)


@pytest.mark.parametrize(("where", "prefix"), [("api", ""), ("compat", "workers-ai/"), ("provider", "")])
def test_openai_s_client_understands_every_address(cloudflare: Api, where: str, prefix: str) -> None:
    with openai(cloudflare, where, f"openai-{where}") as client:
        asked: Any = {"model": f"{prefix}{SMALL}", "messages": HELLO["messages"]}
        said = client.chat.completions.create(**asked)
        assert (said.object, said.choices[0].message.content) == ("chat.completion", "You said: Hello there")
        chunks = list(client.chat.completions.create(**asked, stream=True))
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert (
            "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            == "You said: Hello there"
        )
        assert chunks[-1].usage is not None
        function = {"name": "look", "description": "look there", "parameters": {"type": "object", "properties": {}}}
        called = client.chat.completions.create(
            **asked, tools=[{"type": "function", "function": function}], tool_choice="required"
        )
        calls: Any = called.choices[0].message.tool_calls
        assert (called.choices[0].finish_reason, calls[0].function.name) == ("tool_calls", "look")
        vectors = client.embeddings.create(model=f"{prefix}@cf/baai/bge-base-en-v1.5", input=["a", "b"])
        assert [len(entry.embedding) for entry in vectors.data] == [768, 768]
        with pytest.raises(APIStatusError) as refused:
            client.chat.completions.create(model=f"{prefix}@cf/meta/nope", messages=asked["messages"])
        assert refused.value.status_code == 400


def test_the_responses_api_is_gpt_oss_own(cloudflare: Api) -> None:
    with openai(cloudflare, "api", "responding") as client:
        assert client.responses.create(model="@cf/openai/gpt-oss-20b", input="Hi").output_text == "You said: Hi"
        with pytest.raises(APIStatusError) as refused:
            client.responses.create(model=SMALL, input="Hi")
        assert "has no Responses API" in refused.value.response.text
