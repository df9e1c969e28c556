"""Texts of all kinds through every edge: what REST writes a Worker reads in real workerd, and the other way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

TEXTS = {
    "ascii": "plain",
    "latin-1": "Straße é",
    "cjk": "日本語",
    "emoji": "a😀b",
    "combining": "e\u0301",
    "escaped slash": "a%2Fb%25",
    "slashes": "a//b/../c",
    "newline": "a\nb",
}
HALF = ("x\\ud83dy", "x\ufffdy")  # as JavaScript and JSON write it, and what is kept of it
CODE = """
const all = async (list, pick) => (await list).map(pick);
const DO = {
  r2put: (e, a) => e.R2.put(a.key, "v", { customMetadata: { note: a.key }, httpMetadata: { contentType: a.kind } }),
  r2get: async (e, a) => {
    const found = await e.R2.get(a.key), head = await e.R2.head(a.key);
    const listed = await e.R2.list({ prefix: a.key.slice(0, 1), include: ["customMetadata"] });
    return { key: found?.key, head: head?.customMetadata, kind: head?.httpMetadata.contentType,
      listed: listed.objects.map((o) => o.key) };
  },
  r2delete: async (e, a) => { await e.R2.delete(a.key); return await e.R2.head(a.key); },
  kvput: (e, a) => e.KV.put(a.key, a.key.toWellFormed(), { metadata: { note: a.key, [a.key]: 1 } }),
  kvget: async (e, a) => ({
    one: await e.KV.getWithMetadata(a.key), bulk: Object.fromEntries(await e.KV.get([a.key])),
    listed: (await e.KV.list({ prefix: a.key })).keys }),
  kvdelete: async (e, a) => { await e.KV.delete(a.key); return await e.KV.get(a.key); },
  send: (e, a) => e.Q.send({ text: a.key }),
  embed: async (e, a) => (await e.AI.run("@cf/baai/bge-small-en-v1.5", { text: [a.key] })).shape,
  say: async (e, a) => typeof (await e.AI.run("@cf/meta/llama-3.2-3b-instruct", { prompt: a.key })).response,
  vput: (e, a) => e.V.upsert(a.vectors.map((v) => ({ ...v, values: v.values.map((n) => n === "NaN" ? NaN : n) }))),
  batch: (e, a) => e.Q.sendBatch(Array.from({ length: a.count }, () => ({ body: "x".repeat(a.size) })), a.options),
  big: (e, a) => e.Q.send("x".repeat(a.size), a.options),
  kvset: (e, a) => e.KV.put(a.key, "x".repeat(a.size ?? 1), a.options),
  kvmany: (e, a) => e.KV.get(Array.from({ length: a.count }, (_, i) => `k${i}`)),
  r2set: (e, a) => e.R2.put(a.key, "v", a.options),
};
export default { async fetch(request, env) {
  const asked = await request.json();
  try { return Response.json({ ok: (await DO[asked.do](env, asked)) ?? null }) }
  catch (error) { return Response.json({ error: error.message }) }
} };
"""


@pytest.fixture(scope="module")
def ids(cloudflare: Api) -> dict[str, str]:
    kv = cloudflare.client.post("/storage/kv/namespaces", json={"title": "t"}).json()["result"]["id"]
    cloudflare.client.post("/r2/buckets", json={"name": "texts"})
    queue = cloudflare.client.post("/queues", json={"queue_name": "texts"}).json()["result"]["queue_id"]
    cloudflare.client.post(f"/queues/{queue}/consumers", json={"type": "http_pull"})
    config = {"dimensions": 3, "metric": "cosine"}
    cloudflare.client.post("/vectorize/v2/indexes", json={"name": "texts", "config": config})
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": kv},
        {"name": "R2", "type": "r2_bucket", "bucket_name": "texts"},
        {"name": "Q", "type": "queue", "queue_name": "texts"},
        {"name": "V", "type": "vectorize", "index_name": "texts"},
        {"name": "AI", "type": "ai"},
    ]
    deploy(cloudflare, "texts", CODE, bindings)
    return {"kv": kv, "queue": queue}


def ask(cloudflare: Api, what: str, raw: str | None = None, **given: Any) -> Any:
    body = raw or json.dumps({"do": what, **given})
    answer = cloudflare.worker("texts", "POST", "/", content=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


CASES = [pytest.param(json.dumps(text), text, id=name) for name, text in TEXTS.items()]
CASES.append(pytest.param(f'"{HALF[0]}"', HALF[1], id="half a character"))


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_r2_keys_and_metadata(cloudflare: Api, ids: dict[str, str], written: str, kept: str) -> None:
    kept = kept.replace("\ufffd", "\ufffd" * 3)  # the runtime writes half a character in three bytes, R2 reads each
    ask(cloudflare, "", raw=f'{{"do": "r2put", "key": {written}, "kind": {written}}}')
    found = ask(cloudflare, "", raw=f'{{"do": "r2get", "key": {written}}}')["ok"]
    assert (found["key"], found["head"], found["kind"]) == (kept, {"note": kept}, kept)
    assert kept in found["listed"]
    url = "/r2/buckets/texts/objects/" + quote(kept, safe="")
    assert cloudflare.client.get(url).text == "v"
    assert kept in [each["key"] for each in cloudflare.client.get("/r2/buckets/texts/objects").json()["result"]]
    assert ask(cloudflare, "", raw=f'{{"do": "r2delete", "key": {written}}}')["ok"] is None
    cloudflare.client.put(url, content=b"v").raise_for_status()
    assert ask(cloudflare, "r2get", key=kept)["ok"]["key"] == kept
    cloudflare.client.delete(url).raise_for_status()
    assert cloudflare.client.get(url).status_code == 404


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_kv_keys_and_metadata(cloudflare: Api, ids: dict[str, str], written: str, kept: str) -> None:
    note, base = {"note": kept, kept: 1}, f"/storage/kv/namespaces/{ids['kv']}"
    expected = {"value": kept, "metadata": note}

    def check() -> None:
        answer = ask(cloudflare, "kvget", key=kept)
        assert "ok" in answer, answer
        found = answer["ok"]
        assert {key: found["one"][key] for key in expected} == expected
        assert found["bulk"] == {kept: kept}
        assert found["listed"] == [{"name": kept, "metadata": note}]
        listed = cloudflare.client.get(f"{base}/keys").json()["result"]
        assert {"name": kept, "metadata": note} in listed
        assert cloudflare.client.get(f"{base}/metadata/{quote(kept, safe='')}").json()["result"] == note
        assert cloudflare.client.get(f"{base}/values/{quote(kept, safe='')}").text == kept

    ask(cloudflare, "", raw=f'{{"do": "kvput", "key": {written}}}')
    check()
    assert ask(cloudflare, "kvdelete", key=kept)["ok"] is None
    form = {"value": (None, kept.encode()), "metadata": (None, json.dumps(note, indent=2, ensure_ascii=False))}
    cloudflare.client.put(f"{base}/values/{quote(kept, safe='')}", files=form).raise_for_status()
    check()
    cloudflare.client.post(f"{base}/bulk/delete", json=[kept]).raise_for_status()
    cloudflare.client.put(f"{base}/bulk", json=[{"key": kept, "value": kept, "metadata": note}]).raise_for_status()
    check()
    cloudflare.client.delete(f"{base}/values/{quote(kept, safe='')}").raise_for_status()
    assert ask(cloudflare, "kvget", key=kept)["ok"]["one"]["value"] is None


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_queue_messages(cloudflare: Api, ids: dict[str, str], written: str, kept: str) -> None:
    url = f"/queues/{ids['queue']}/messages"
    head = {"content-type": "application/json"}
    sent = cloudflare.client.post(url, content=f'{{"body": {written}, "content_type": "text"}}', headers=head)
    assert sent.status_code == 200, sent.text
    [message] = cloudflare.client.post(f"{url}/pull", json={"batch_size": 1}).json()["result"]["messages"]
    assert message["body"] == kept
    cloudflare.client.post(f"{url}/ack", json={"acks": [{"lease_id": message["lease_id"]}]}).raise_for_status()


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_models_take_any_text(cloudflare: Api, ids: dict[str, str], written: str, kept: str) -> None:
    assert ask(cloudflare, "", raw=f'{{"do": "embed", "key": {written}}}') == {"ok": [1, 384]}
    assert ask(cloudflare, "", raw=f'{{"do": "say", "key": {written}}}') == {"ok": "string"}


@pytest.fixture(scope="module")
def outside() -> Iterator[tuple[int, list[str]]]:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.send_header("x-note", "Straße 日本".encode().decode("latin-1"))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "target", ["/a%2Fb%2F..%2Fc", "/a%25b", "/%C3%A9", "/a//b", "/%0A", "/a%20b?x=%2F&y=a+b", "/%ED%A0%BD", "/a|b^"]
)
def test_requests_of_workers_keep_their_path(cloudflare: Api, outside: tuple[int, list[str]], target: str) -> None:
    port, seen = outside
    code = f"""export default {{ async fetch() {{
      const answer = await fetch({json.dumps(f"http://127.0.0.1:{port}{target}")});
      return new Response(answer.status + " " + new URL({json.dumps(f"http://x{target}")}).pathname);
    }} }}"""
    deploy(cloudflare, "goes-out", code)
    status, path = cloudflare.worker("goes-out", "GET", "/").text.split(" ", 1)
    assert status == "200"
    assert seen[-1].split("?")[0] == path


@pytest.mark.parametrize(
    ("what", "given", "told"),
    [
        ("batch", {"count": 101, "size": 1}, "10206"),
        ("batch", {"count": 3, "size": 100_000}, "10205"),
        ("batch", {"count": 1, "size": 1, "options": {"delaySeconds": 86_401}}, "invalid delay|Delay|delay"),
        ("big", {"size": 130_000}, "message length of"),
        ("kvset", {"key": "a", "options": {"expiration": 1000}}, "400"),
        ("kvset", {"key": "a", "options": {"expirationTtl": 30}}, "400"),
        ("kvset", {"key": "a", "options": {"metadata": "x" * 1100}}, "413"),
        ("kvset", {"key": "a", "size": 26 * 1024 * 1024}, "413"),
        ("kvmany", {"count": 101}, "100 keys|400"),
        ("r2set", {"key": "k" * 1025}, "10020"),
        ("r2set", {"key": "k", "options": {"md5": "0" * 32}}, "10037"),
        ("r2set", {"key": "k", "options": {"customMetadata": {"a": "x" * 9000}}}, "10012"),
        ("vput", {"vectors": [{"id": "n", "values": [1, "NaN", 0]}]}, "40023"),
        ("vput", {"vectors": [{"id": "", "values": [1, 0, 0]}]}, "40023"),
        ("vput", {"vectors": [{"id": "m", "values": [1, 0, 0], "metadata": {"a": "x" * 11000}}]}, "40016"),
        ("vput", {"vectors": [{"id": "m", "values": [1, 0, 0], "metadata": {"$x": 1}}]}, "40017"),
        ("vput", {"vectors": [{"id": "m", "values": [1, 0, 0], "namespace": "n" * 65}]}, "40010"),
        ("vput", {"vectors": [{"id": str(i), "values": [1, 0, 0]} for i in range(1001)]}, "40004"),
    ],
)
def test_limits_are_told_to_the_worker(
    cloudflare: Api, ids: dict[str, str], what: str, given: dict[str, Any], told: str
) -> None:
    answer = ask(cloudflare, what, **given)
    assert any(part in answer.get("error", "") for part in told.split("|")), str(answer)[:300]


ODD: list[tuple[str, str, str]] = [
    *[("GET", f"{path}?{query}", "") for path in ("/queues", "/d1/database", "/r2/buckets", "/storage/kv/namespaces")
      for query in ("page=abc&per_page=abc", "page=1&per_page=-1", "page=1e9&per_page=x", "page=0&per_page=0")],
    *[("GET", f"/storage/kv/namespaces/KV/keys?limit={n}", "") for n in ("0", "-5", "abc", "1e3", "%D9%A3")],
    *[("PUT", f"/storage/kv/namespaces/KV/values/k?{q}", "x") for q in ("expiration=1e400", "expiration=abc",
      "expiration=nan", "expiration_ttl=1e400", "expiration_ttl=-1", "expiration=99999999999999999999")],
    *[("POST", path, body) for path in ("/d1/database", "/queues", "/r2/buckets", "/storage/kv/namespaces",
      "/vectorize/v2/indexes", "/ai-gateway/gateways", "/workers/workers", "/vectorize/v2/indexes/texts/query")
      for body in ("[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, "NaN", '{"name": 1e400}', "null", "5", '""', "\x00")],
    *[("POST", "/vectorize/v2/indexes/texts/query", body) for body in (
      '{"vector":[1,0,0],"topK":"abc"}', '{"vector":[1,null,0]}', '{"vector":"x"}',
      '{"vector":[1,0,0],"filter":{"a":{"$lt":{}}}}',
      '{"vector":[1,0,0],"topK":1e300}', '{"vector":[1,0,0],"returnMetadata":{}}', '{"vector":[[1],[2],[3]]}')],
    ("PUT", "/storage/kv/namespaces/KV/bulk", '[{"key":"a","value":"x"},{"key":5}]'),
    ("PUT", "/storage/kv/namespaces/KV/bulk", '[{"key":"a","value":"!","base64":true}]'),
    ("POST", "/r2/buckets", '{"name": "abc\\n"}'),
    ("POST", "/queues", '{"queue_name": "abc\\n"}'),
    ("POST", "/queues/Q/messages/batch", '{"messages": [5]}'),
    ("POST", "/queues/Q/messages", '{"body": "x", "delay_seconds": "soon"}'),
    ("POST", "/queues/Q/messages/pull", '{"batch_size": "x"}'),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), ODD, ids=range(len(ODD)))
def test_odd_requests_are_the_callers_fault(
    cloudflare: Api, ids: dict[str, str], method: str, path: str, body: str
) -> None:
    path = path.replace("/KV/", f"/{ids['kv']}/").replace("/Q/", f"/{ids['queue']}/")
    answer = cloudflare.client.request(method, path, content=body.encode())
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text[:200]}"
    assert answer.json()["errors"][0]["code"]
    assert answer.headers.get("connection") != "close"


def test_what_is_stored_can_be_listed(cloudflare: Api, ids: dict[str, str]) -> None:
    made = cloudflare.client.post("/storage/kv/namespaces", content=b'{"title": "\\ud800"}')
    assert made.status_code in (200, 400)
    form = {"value": (None, b"v"), "metadata": (None, "not JSON")}
    refused = cloudflare.client.put(f"/storage/kv/namespaces/{ids['kv']}/values/odd", files=form)
    assert refused.status_code == 400
    assert cloudflare.client.get("/storage/kv/namespaces").status_code == 200
    assert cloudflare.client.get(f"/storage/kv/namespaces/{ids['kv']}/keys").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [{"path": "("}, {"path": "*"}, {"path": 5}, {"path": "x", "status": "a"}, {"path": "x", "delay_ms": -1},
     {"path": "x", "reset": "now"}, {"model": "x", "share": "a"}, {"model": "x", "token_ms": None, "times": "b"}],
    ids=range(8),
)  # fmt: skip
def test_a_fault_that_is_none_is_refused_and_stops_nothing(cloudflare: Api, fault: dict[str, Any]) -> None:
    url = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/faults"
    refused = cloudflare.client.post(url, json=fault)
    assert refused.status_code == 400
    assert cloudflare.client.get("/queues").status_code == 200
