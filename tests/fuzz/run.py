"""Fuzzes the local Cloudflare's API and, through a Worker, its bindings: `python -m tests.fuzz.run --seconds 600 --seed 1`.

Hypothesis and not schemathesis: the routes are a subset, and the bindings have no OpenAPI description.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from inferstack import local
from tests.conftest import ROOT, Api, start_cloudflare
from tests.fuzz.requests import ODD, TEXTS, TYPES, Sent, as_bytes, bodies
from tests.fuzz.workflows import CLASS, PATHS
from tests.local.test_workers_run import deploy, wait_for

HANG = 5
BATCH = 20
# These would take the healthy Worker's own address away.
LEFT_OUT = {("put", "/accounts/{account_id}/workers/subdomain"), ("delete", "/accounts/{account_id}/workers/subdomain")}
GATEWAY = {
    "id": "odd",
    "cache_ttl": 0,
    "cache_invalidate_on_update": False,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
    "rate_limiting_technique": "fixed",
}
CALLS = {"KV": "get put delete list getWithMetadata", "R2": "get put head delete list", "D1": "prepare exec batch"}
CALLS |= {"Q": "send sendBatch", "V": "query insert upsert getByIds deleteByIds describe", "AI": "run toMarkdown"}
CALLS |= {"W": "create createBatch get deleteBatch"}
WORKER = """export default { async fetch(request, env) {
  if (new URL(request.url).pathname === "/healthy") return new Response("healthy")
  try {
    const { binding, method, args } = await request.json()
    let got = env[binding][method](...args)
    if (binding === "D1" && method === "prepare") got = got.bind(...args.slice(1)).all()
    return new Response("said " + typeof (await got))
  } catch (error) { return new Response("refused: " + error) }
} }"""


@dataclass
class Figures:
    """What was tried and what came back."""

    tried: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    netted: int = 0

    @property
    def good(self) -> bool:
        return bool(self.right) and not (self.faults or self.hangs or self.wrong)

    def told(self) -> str:
        lines = [
            f"tried {sum(self.tried.values())}: {dict(self.tried)}",
            f"answers {dict(sorted(self.statuses.items()))}",
        ]
        lines += [
            f"answers of 500 {len(self.faults)}",
            *self.faults,
            f"hangs over {HANG} s {len(self.hangs)}",
            *self.hangs,
        ]
        lines += [f"healthy: {self.right} right, {len(self.wrong)} wrong", *self.wrong]
        return "\n".join([*lines, f"caught by the net {self.netted}"])


class Fuzz:
    """One local Cloudflare under odd requests."""

    def __init__(self, api: Api) -> None:
        self.api, self.figures, self.count = api, Figures(), itertools.count()
        self.ids: dict[str, str] = {}
        self.document = json.loads((ROOT / "tests" / "data" / "openapi-subset.json").read_text())
        self.document["paths"] |= PATHS
        self.namespace, self.database = self._create()
        self.routes = self._routes()

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.api.client.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return dict(answer.json()["result"])

    def _create(self) -> tuple[str, str]:
        """The healthy ones apart from those whose ids the odd requests know."""
        space = self._post("/storage/kv/namespaces", {"title": "healthy"})["id"]
        database = self._post("/d1/database", {"name": "healthy"})["uuid"]
        # Bindings have a set of their own: an odd DELETE over the API may take the other away.
        inner = [self._post("/storage/kv/namespaces", {"title": "inner"})["id"]]
        inner.append(self._post("/d1/database", {"name": "inner"})["uuid"])
        self._post("/queues", {"queue_name": "inner"})
        self._post("/r2/buckets", {"name": "inner"})
        self._post("/vectorize/v2/indexes", {"name": "inner", "config": {"dimensions": 3, "metric": "cosine"}})
        bindings = [
            {"name": "KV", "type": "kv_namespace", "namespace_id": inner[0]},
            {"name": "D1", "type": "d1", "id": inner[1]},
            {"name": "R2", "type": "r2_bucket", "bucket_name": "inner"},
            {"name": "Q", "type": "queue", "queue_name": "inner"},
            {"name": "V", "type": "vectorize", "index_name": "inner"},
            {"name": "AI", "type": "ai"},
            {"name": "W", "type": "workflow", "workflow_name": "odd"},
        ]
        deploy(self.api, "healthy-worker", WORKER, bindings)
        wait_for(lambda: self.api.worker("healthy-worker", "GET", "/healthy").text == "healthy")
        return space, database

    def make_targets(self) -> None:
        """What the odd requests know by id; those that an odd DELETE took away are there again."""
        made = {
            "namespace_id": ("/storage/kv/namespaces", {"title": "odd"}, "id"),
            "database_id": ("/d1/database", {"name": "odd"}, "uuid"),
            "queue_id": ("/queues", {"queue_name": "odd"}, "queue_id"),
            "bucket_name": ("/r2/buckets", {"name": "odd"}, "name"),
            "index_name": (
                "/vectorize/v2/indexes",
                {"name": "odd", "config": {"dimensions": 3, "metric": "cosine"}},
                "name",
            ),
            "gateway_id": ("/ai-gateway/gateways", GATEWAY, "id"),
            "store_id": ("/secrets_store/stores", [{"name": "odd"}], "id"),
        }
        for name, (path, body, field_name) in made.items():
            answer = self.api.client.post(path, json=body)
            if answer.is_success:
                result = answer.json()["result"]
                self.ids[name] = (result[0] if isinstance(result, list) else result)[field_name]
        deploy(self.api, "odd", CLASS + WORKER, [])
        self.api.client.put("/workflows/odd", json={"script_name": "odd", "class_name": "Odd"})
        self.api.client.post("/workflows/odd/instances", json={"instance_id": "odd"})
        self.ids |= {"workflow_name": "odd", "instance_id": "odd"}

    def _routes(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Those that are emulated: the others say so."""
        found = []
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                sample = path.replace("{account_id}", local.ACCOUNT_ID)
                sample = re.sub(r"\{\w+\}", "none", sample)
                if (method, path) in LEFT_OUT or method == "delete":
                    found += [] if (method, path) in LEFT_OUT else [(method, path, operation)]
                elif "(not emulated)" not in self._raw(method, sample, {}, b"{").text:
                    found.append((method, path, operation))
        return found

    def _raw(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        address = self.api.running.base_url + path
        return self.api.client.request(method, address, headers=headers, content=body, timeout=HANG)

    def over_api(self, data: st.DataObject) -> None:
        method, template, operation = data.draw(st.sampled_from(self.routes))

        def part(match: re.Match[str]) -> str:
            known = self.ids.get(match[1], "odd")
            text = data.draw(st.sampled_from([known, known, known, "none", *TEXTS[2:]]))
            return quote(text, safe="", errors="surrogatepass")

        path = re.sub(r"\{(\w+)\}", part, template.replace("{account_id}", local.ACCOUNT_ID))
        query = [p["name"] for p in operation.get("parameters", []) if p.get("in") == "query"]
        for name in query[:4]:
            if data.draw(st.booleans()):
                value = quote(str(data.draw(ODD)), safe="", errors="surrogatepass")[:2000]
                path += ("&" if "?" in path else "?") + f"{name}={value}"
        kind = data.draw(st.sampled_from(["application/json"] * 4 + TYPES))
        body = b"" if method == "get" else data.draw(bodies(self.document, operation))
        product = next((p for p in template.split("/")[3:] if p), "account")
        self._send(product, Sent(method, path, {"content-type": kind}, body))

    def _send(self, product: str, sent: Sent) -> None:
        def send() -> httpx.Response:
            return self._raw(sent.method, sent.path, sent.headers, sent.body)

        self._judge(product, repr(sent)[:2000], send)

    def over_bindings(self, data: st.DataObject) -> None:
        binding = data.draw(st.sampled_from(sorted(CALLS)))
        method = data.draw(st.sampled_from(CALLS[binding].split()))
        call = {"binding": binding, "method": method, "args": data.draw(st.lists(ODD, max_size=3))}
        body = as_bytes(call)

        def send() -> httpx.Response:
            return self.api.worker("healthy-worker", "POST", "/", content=body)

        self._judge(f"binding {binding}", repr(body)[:2000], send)

    def _judge(self, product: str, line: str, send: Any) -> None:
        self.figures.tried[product] += 1
        start = time.monotonic()
        try:
            answer = send()
        except httpx.TimeoutException:
            self.figures.hangs.append(line)
            return
        except httpx.HTTPError as error:
            self.figures.faults.append(f"{error!r} {line}")
            return
        self.figures.statuses[answer.status_code] += 1
        if time.monotonic() - start > HANG:
            self.figures.hangs.append(line)
        inner = product.startswith("binding") and "An unknown error has occurred" in answer.text
        if answer.status_code == 500 or inner:
            self.figures.faults.append(f"{answer.status_code} {answer.text[:200]} {line}")

    def healthy(self) -> None:
        """What others do meanwhile goes on as ever."""
        value = f"value-{next(self.count)}"
        key = f"/storage/kv/namespaces/{self.namespace}/values/k"
        select = {"sql": "select ?1 as a", "params": [value]}
        checks = {
            "KV put": lambda: self.api.client.put(key, content=value).status_code == 200,
            "KV get": lambda: self.api.client.get(key).text == value,
            "D1": lambda: self._post_rows(select) == [{"a": value}],
            "Worker": lambda: self.api.worker("healthy-worker", "GET", "/healthy").text == "healthy",
            "list": lambda: self.api.client.get("/r2/buckets").status_code == 200,
        }
        for name, check in checks.items():
            try:
                right = check()
            except (httpx.HTTPError, LookupError, ValueError, TypeError) as error:
                self.figures.wrong.append(f"{name}: {error!r}")
                continue
            if right:
                self.figures.right += 1
            else:
                self.figures.wrong.append(f"{name} {value}")

    def _post_rows(self, select: dict[str, Any]) -> Any:
        return self.api.client.post(f"/d1/database/{self.database}/query", json=select).json()["result"][0]["results"]

    def run(self, seconds: float, number: int) -> Figures:
        end = time.monotonic() + seconds
        for batch in itertools.count():
            if time.monotonic() >= end:
                break
            self.make_targets()
            for way in (self.over_api, self.over_bindings):
                _batch(way, number * 1_000_003 + batch)
            self.healthy()
        log = (self.api.folder / "server.log").read_text(errors="replace")
        self.figures.netted = log.count("was not foreseen")
        return self.figures


def _batch(way: Any, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def each(data: st.DataObject) -> None:
        way(data)

    each()


def fuzz(folder: Path, seconds: float, number: int) -> Figures:
    api = start_cloudflare(folder)
    try:
        return Fuzz(api).run(seconds, number)
    finally:
        api.client.close()
        local.stop(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="where the server's log is copied to")
    given_options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = fuzz(Path(folder), given_options.seconds, given_options.seed)
        if given_options.log:
            given_options.log.write_bytes((Path(folder) / "server.log").read_bytes())
    print(f"seed {given_options.seed}, {given_options.seconds:g} s\n{figures.told()}".encode(errors="replace").decode())
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main())
