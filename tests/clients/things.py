"""What the SDK's calls need to be there first: each made by the API, anew for each call that asks for it.

Runs in the environment of the clients; imports nothing of this project.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import httpx

CODE = """
import { WorkflowEntrypoint } from "cloudflare:workers"
export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    if (event.payload?.ends) return await step.do("x", async () => "said")
    return await step.waitForEvent("go", { type: "x", timeout: "1 hour" })
  }
}
export default { fetch() { return new Response("ok") }, queue() {} }
"""
ELEMENTS = [
    {"id": "a", "type": "start", "outputs": {"next": {"elementId": "z"}}},
    {"id": "z", "type": "end", "outputs": {}},
]
GATEWAY = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
SECRET = {"scopes": ["workers"], "value": "hidden"}
PUBLISHED = {"source": {"type": "r2"}, "events": ["bucket.created"], "name": "s"}

TRACES = "opentelemetry-traces"


class Things:
    """Makers of the things of one account; each returns the path parameters that lead to what it made."""

    def __init__(self, base: str, account: str, token: str) -> None:
        self.client = httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=60)
        self.account, self._numbers = account, itertools.count()

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self.client.request(method, f"/accounts/{self.account}{path}", **options)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return None
        said = answer.json()
        return said.get("result", said)  # the gateway's routes answer without an envelope

    def database(self) -> dict[str, Any]:
        made = self.ask("POST", "/d1/database", json={"name": self.name("db")})["uuid"]
        self.ask("POST", f"/d1/database/{made}/query", json={"sql": "create table myTable (field, other_field)"})
        return {"database_id": made}

    def namespace(self) -> dict[str, Any]:
        made = self.ask("POST", "/storage/kv/namespaces", json={"title": self.name("kv")})["id"]
        entry = [{"key": "My-Key", "value": "v", "metadata": {"a": 1}}]
        self.ask("PUT", f"/storage/kv/namespaces/{made}/bulk", json=entry)
        return {"namespace_id": made, "key_name": "My-Key"}

    def bucket(self) -> dict[str, Any]:
        made = self.name("bucket")
        self.ask("POST", "/r2/buckets", json={"name": made})
        return {"bucket_name": made}

    def object(self) -> dict[str, Any]:
        bucket = self.bucket()
        self.ask("PUT", f"/r2/buckets/{bucket['bucket_name']}/objects/a.txt", content=b"text")
        return bucket | {"object_key": "a.txt"}

    def notification(self) -> dict[str, Any]:
        there = self.bucket() | self.queue()
        path = f"/event_notifications/r2/{there['bucket_name']}/configuration/queues/{there['queue_id']}"
        self.ask("PUT", path, json={"rules": [{"actions": ["PutObject"], "prefix": "img/"}]})
        return there

    def zone(self) -> dict[str, Any]:
        found = self.client.get("/zones", params={"name": "example.com"}).json()["result"]
        return {"zone_id": found[0]["id"]}

    def domain(self) -> dict[str, Any]:
        there, host = self.bucket(), f"{self.name('files')}.example.com"
        body = {"domain": host, "enabled": True, **{"zoneId": self.zone()["zone_id"]}}
        self.ask("POST", f"/r2/buckets/{there['bucket_name']}/domains/custom", json=body)
        return there | {"domain": host}

    def queue(self) -> dict[str, Any]:
        made = self.ask("POST", "/queues", json={"queue_name": self.name("queue")})["queue_id"]
        self.ask("POST", f"/queues/{made}/messages", json={"body": "one"})
        return {"queue_id": made}

    def pulled(self) -> dict[str, Any]:
        there = self.queue()
        made = self.ask("POST", f"/queues/{there['queue_id']}/consumers", json={"type": "http_pull"})
        return there | {"consumer_id": made["consumer_id"]}

    def consumed(self) -> dict[str, Any]:
        there = self.queue() | self.script()
        body = {"type": "worker", "script_name": there["script_name"]}
        made = self.ask("POST", f"/queues/{there['queue_id']}/consumers", json=body)
        return there | {"consumer_id": made["consumer_id"]}

    def subscription(self) -> dict[str, Any]:
        body = PUBLISHED | {"destination": {"type": "queues.queue", "queue_id": self.queue()["queue_id"]}}
        return {"subscription_id": self.ask("POST", "/event_subscriptions/subscriptions", json=body)["id"]}

    def script(self) -> dict[str, Any]:
        made = self.name("script")
        metadata = {
            "main_module": "worker.js",
            "compatibility_date": "2026-06-01",
            "bindings": [{"type": "secret_text", "name": "mySecret", "text": "hidden"}],
        }
        files = {
            "metadata": (None, json.dumps(metadata), "application/json"),
            "worker.js": ("worker.js", CODE, "application/javascript+module"),
        }
        self.ask("PUT", f"/workers/scripts/{made}", files=files)
        version = self.ask("GET", f"/workers/scripts/{made}/versions")["items"][0]["id"]
        deployment = self.ask("GET", f"/workers/scripts/{made}/deployments")["deployments"][0]["id"]
        return {
            "script_name": made,
            "service": made,
            "secret_name": "mySecret",
            "version_id": version,
            "deployment_id": deployment,
        }

    def replaced(self) -> dict[str, Any]:
        """A deployment that is live no more."""
        there = self.script()
        body = {"strategy": "percentage", "versions": [{"version_id": there["version_id"], "percentage": 100}]}
        self.ask("POST", f"/workers/scripts/{there['script_name']}/deployments", json=body)
        return there

    def cors(self) -> dict[str, Any]:
        there = self.bucket()
        rule = {"allowed": {"methods": ["GET"], "origins": ["*"]}}
        self.ask("PUT", f"/r2/buckets/{there['bucket_name']}/cors", json={"rules": [rule]})
        return there

    def tail(self) -> dict[str, Any]:
        there = self.script()
        return there | {"id": self.ask("POST", f"/workers/scripts/{there['script_name']}/tails", json={})["id"]}

    def worker(self) -> dict[str, Any]:
        script = self.script()
        found = self.ask("GET", f"/workers/workers/{script['script_name']}")["id"]
        return {"worker_id": found, "version_id": script["version_id"]}

    def hostname(self) -> dict[str, Any]:
        body = {"hostname": f"{self.name('app')}.example.com", "service": self.script()["service"]}
        return {"domain_id": self.ask("PUT", "/workers/domains", json=body)["id"]}

    def route(self) -> dict[str, Any]:
        there, script = self.zone(), self.script()["script_name"]
        body = {"pattern": f"{self.name('r')}.example.com/*", "script": script}
        made = self.client.post(f"/zones/{there['zone_id']}/workers/routes", json=body).json()["result"]
        return there | {"route_id": made["id"], "script": script}

    def index(self) -> dict[str, Any]:
        made = self.name("index")
        self.ask("POST", "/vectorize/v2/indexes", json={"name": made, "config": {"dimensions": 3, "metric": "cosine"}})
        self.ask(
            "POST",
            f"/vectorize/v2/indexes/{made}/metadata_index/create",
            json={"propertyName": "random_metadata_property", "indexType": "string"},
        )
        return {"index_name": made}

    def gateway(self) -> dict[str, Any]:
        made = self.name("gateway")
        self.ask("POST", "/ai-gateway/gateways", json=GATEWAY | {"id": made})
        return {"gateway_id": made}

    def log(self) -> dict[str, Any]:
        there = self.gateway()
        url = f"{str(self.client.base_url).split('/client/')[0]}/v1/{self.account}/{there['gateway_id']}"
        self.client.post(f"{url}/workers-ai/@cf/meta/llama-3.2-3b-instruct", json={"prompt": "Hi"}).raise_for_status()
        path = f"/ai-gateway/gateways/{there['gateway_id']}/logs"
        for _ in range(50):
            if found := self.ask("GET", path):
                return there | {"id": found[0]["id"]}
        raise AssertionError("no log was written")

    def dynamic(self) -> dict[str, Any]:
        there = self.gateway()
        path = f"/ai-gateway/gateways/{there['gateway_id']}/routes"
        made = self.ask("POST", path, json={"name": "r", "elements": ELEMENTS})
        made = made.get("route", made)
        versions = self.ask("GET", f"{path}/{made['id']}/versions")
        versions = versions.get("data", versions)["versions"]
        return there | {"id": made["id"], "version_id": versions[0]["version_id"]}

    def dataset(self) -> dict[str, Any]:
        there = self.gateway()
        path = f"/ai-gateway/gateways/{there['gateway_id']}/datasets"
        made = self.ask("POST", path, json={"name": "d", "enable": True, "filters": []})["id"]
        return there | {"id": made, "dataset_ids": [made]}

    def evaluation(self) -> dict[str, Any]:
        there = self.dataset()
        kinds = [each["id"] for each in self.ask("GET", "/ai-gateway/evaluation-types")]
        asked = {"name": "e", "dataset_ids": there["dataset_ids"], "evaluation_type_ids": kinds}
        path = f"/ai-gateway/gateways/{there['gateway_id']}/evaluations"
        return there | {"id": self.ask("POST", path, json=asked)["id"], "evaluation_type_ids": kinds}

    def provider(self) -> dict[str, Any]:
        slug = self.name("provider")
        body = {"base_url": "https://example.com", "name": slug, "slug": slug}
        return {"id": self.ask("POST", "/ai-gateway/custom-providers", json=body)["id"]}

    def space(self) -> dict[str, Any]:
        made = self.name("space")
        self.ask("POST", "/ai-search/namespaces", json={"name": made})
        return {"name": made}

    def search(self, space: bool = False) -> dict[str, Any]:
        """An instance, in a namespace of its own or in the one that every account has, with a document and a job."""
        there, made = self.space() if space else {}, self.name("search")
        base = f"/ai-search/namespaces/{there.get('name', 'default')}/instances"
        self.ask("POST", base, json={"id": made})
        item = self.ask("POST", f"{base}/{made}/items", files={"file": ("key", b"Text of a document.", "text/plain")})
        job = self.ask("POST", f"{base}/{made}/jobs", json={})
        return there | {"id": made, "item_id": item["id"], "job_id": job["id"], "instance_ids": [made]}

    def search_token(self) -> dict[str, Any]:
        body = {"cf_api_id": "id", "cf_api_key": "key", "name": self.name("token")}
        return {"id": self.ask("POST", "/ai-search/tokens", json=body)["id"]}

    def store(self) -> dict[str, Any]:
        """An account has one store: the one that is there, or a new one."""
        made = self.ask("GET", "/secrets_store/stores")
        made = made or self.ask("POST", "/secrets_store/stores", json={"name": self.name("store")})
        return {"store_id": (made[0] if isinstance(made, list) else made)["id"]}

    def secret(self) -> dict[str, Any]:
        there = self.store()
        [made] = self.ask(
            "POST", f"/secrets_store/stores/{there['store_id']}/secrets", json=[SECRET | {"name": self.name("KEY")}]
        )
        return there | {"secret_id": made["id"]}

    def flow(self) -> dict[str, Any]:
        made, script = self.name("flow"), self.script()["script_name"]
        self.ask("PUT", f"/workflows/{made}", json={"class_name": "Flow", "script_name": script})
        version = self.ask("GET", f"/workflows/{made}/versions")[0]["id"]
        return {"workflow_name": made, "version_id": version, "class_name": "Flow", "script_name": script}

    def instance(self) -> dict[str, Any]:
        there = self.flow()
        made = self.ask("POST", f"/workflows/{there['workflow_name']}/instances", json={})["id"]
        return there | {"instance_id": made}

    def ended(self) -> dict[str, Any]:
        there = self.flow()
        path = f"/workflows/{there['workflow_name']}/instances"
        made = self.ask("POST", path, json={"params": {"ends": True}})["id"]
        deadline = time.monotonic() + 20
        while self.ask("GET", f"{path}/{made}")["status"] != "complete" and time.monotonic() < deadline:
            time.sleep(0.1)
        return there | {"instance_id": made}

    def emptied(self) -> dict[str, Any]:
        """An account without a store."""
        for store in self.ask("GET", "/secrets_store/stores"):
            self.ask("DELETE", f"/secrets_store/stores/{store['id']}", params={"force": "true"})
        return {}

    def spare_version(self) -> dict[str, Any]:
        """A version that is not live."""
        there = self.worker()
        body = {
            "main_module": "worker.js",
            "modules": [
                {
                    "name": "worker.js",
                    "content_type": "application/javascript+module",
                    "content_base64": base64.b64encode(CODE.encode()).decode(),
                }
            ],
            "compatibility_date": "2026-06-01",
        }
        return there | {
            "version_id": self.ask("POST", f"/workers/workers/{there['worker_id']}/versions", json=body)["id"]
        }

    def destination(self) -> dict[str, Any]:
        where = {"type": "logpush", "url": "https://telemetry.example.com/v1/traces", "headers": {}}
        body = {"name": self.name("there"), "enabled": True, "configuration": where | {"logpushDataset": TRACES}}
        return {"slug": self.ask("POST", "/workers/observability/destinations", json=body)["slug"]}

    def membership(self) -> dict[str, Any]:
        return {"membership_id": self.client.get("/memberships").json()["result"][0]["id"]}


MAKERS: dict[str, Callable[[Things], dict[str, Any]]] = {
    "d1.database": Things.database,
    "kv.namespaces": Things.namespace,
    "r2.buckets": Things.bucket,
    "r2.buckets.objects": Things.object,
    "r2.buckets.event_notifications": Things.notification,
    "r2.buckets.domains.custom": Things.domain,
    "r2.buckets.domains.custom.create": lambda things: things.bucket() | things.zone(),
    "r2.buckets.cors": Things.cors,
    "workers.scripts.deployments.delete": Things.replaced,
    "queues": Things.queue,
    "queues.messages": Things.pulled,
    "queues.consumers": Things.pulled,
    "queues.consumers.create": lambda things: things.queue() | things.script(),
    "queues.consumers.update": Things.consumed,
    "queues.subscriptions": Things.subscription,
    "workers.scripts": Things.script,
    "workers.scripts.tail": Things.tail,
    "workers.beta.workers": Things.worker,
    "workers.domains": Things.hostname,
    "workers.domains.update": lambda things: things.script() | things.zone(),
    "workers.routes": Things.route,
    "zones": Things.zone,
    "vectorize.indexes": Things.index,
    "aisearch.instances": Things.search,
    "aisearch.instances.create": lambda things: {"id": things.name("search")},
    "aisearch.namespaces": Things.space,
    "aisearch.namespaces.search": lambda things: things.search(space=True),
    "aisearch.namespaces.chat_completions": lambda things: things.search(space=True),
    "aisearch.namespaces.create": lambda things: {"name": things.name("space")},
    "aisearch.namespaces.instances": lambda things: things.search(space=True),
    "aisearch.namespaces.instances.create": lambda things: things.space() | {"id": things.name("search")},
    "aisearch.tokens": Things.search_token,
    "ai_gateway": Things.gateway,
    "ai_gateway.logs": Things.log,
    "ai_gateway.datasets": Things.dataset,
    "ai_gateway.evaluations": Things.evaluation,
    "ai_gateway.dynamic_routing": Things.dynamic,
    "ai_gateway.custom_providers": Things.provider,
    "secrets_store.stores": Things.store,
    "secrets_store.stores.secrets": Things.secret,
    "workflows": Things.flow,
    "workflows.instances": Things.instance,
    "workflows.instances.get": Things.ended,
    "secrets_store.stores.create": Things.emptied,
    "workers.beta.workers.versions.delete": Things.spare_version,
    "memberships": Things.membership,
    "workers.observability.destinations": Things.destination,
    "workers.observability.destinations.create": lambda things: {"name": things.name("there")},
}
