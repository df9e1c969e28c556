"""Rules of buckets act here, too: events in a queue, locks that hold, objects that expire, CORS; from all three doors."""

from __future__ import annotations

import itertools
import time
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from inferstack import local
from tests.conftest import Api
from tests.local.test_s3 import client as s3_client
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { call, key, keys, value, parts } = await request.json();
  const B = env.B;
  const calls = {
    put: () => B.put(key, value),
    stream: () => B.put(key, new Blob([value.repeat(300000)]).stream().pipeThrough(new FixedLengthStream(300000 * value.length))),
    once: () => B.put(key, value, { onlyIf: { etagMatches: "another" } }),
    remove: () => B.delete(keys ?? key),
    get: async () => (await B.get(key))?.text(),
    parts: async () => {
      const upload = await B.createMultipartUpload(key);
      return upload.complete([await upload.uploadPart(1, value)]);
    },
  };
  try {
    return Response.json((await calls[call]()) ?? null);
  } catch (error) {
    return new Response(error.message, { status: 400 });
  }
} };"""
ALL = ["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "LifecycleDeletion"]
numbers = itertools.count()


class Bucket:
    """A bucket of a test's own, with a Worker that is bound to it and a queue that is pulled."""

    def __init__(self, api: Api) -> None:
        self.api, self.name = api, f"rules-{next(numbers)}"
        self.path = f"/r2/buckets/{self.name}"
        api.client.post("/r2/buckets", json={"name": self.name}).raise_for_status()
        made = api.client.post("/queues", json={"queue_name": self.name}).json()["result"]
        self.queue = made["queue_id"]
        api.client.post(f"/queues/{self.queue}/consumers", json={"type": "http_pull"}).raise_for_status()
        deploy(api, self.name, CODE, [{"name": "B", "type": "r2_bucket", "bucket_name": self.name}])

    def ask(self, call: str, key: str = "", **more: Any) -> httpx.Response:
        return self.api.worker(self.name, "POST", "/", json={"call": call, "key": key, **more})

    def rules(self, kind: str, *rules: dict[str, Any]) -> httpx.Response:
        return self.api.client.put(f"{self.path}/{kind}", json={"rules": list(rules)})

    def notify(self, *rules: dict[str, Any]) -> httpx.Response:
        path = f"/event_notifications/r2/{self.name}/configuration/queues/{self.queue}"
        return self.api.client.put(path, json={"rules": list(rules)})

    def events(self) -> list[dict[str, Any]]:
        asked = {"batch_size": 100, "visibility_timeout_ms": 60000}
        found = self.api.client.post(f"/queues/{self.queue}/messages/pull", json=asked).json()["result"]["messages"]
        return [
            each["body"] if isinstance(each["body"], dict) else httpx.Response(200, text=each["body"]).json()
            for each in found
        ]

    def expire(self) -> int:
        host = f"http://127.0.0.1:{self.api.running.api_port}"
        answer = httpx.post(f"{host}/__local/lifecycle", headers=dict(self.api.client.headers), timeout=60)
        return int(answer.json()["result"]["deleted"])


@pytest.fixture
def bucket(cloudflare: Api) -> Bucket:
    return Bucket(cloudflare)


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["action"], each["object"]["key"]) for each in events]


def test_changes_by_every_door_are_messages(bucket: Bucket, cloudflare: Api) -> None:
    assert bucket.notify({"actions": ALL}).is_success
    put = bucket.ask("put", "a", value="four").json()
    bucket.ask("stream", "big", value="ab")
    bucket.ask("parts", "c", value="whole")
    cloudflare.client.put(f"{bucket.path}/objects/d", content=b"by REST").raise_for_status()
    s3 = s3_client(cloudflare)
    s3.copy_object(Bucket=bucket.name, Key="e", CopySource={"Bucket": bucket.name, "Key": "d"})
    bucket.ask("remove", keys=["a", "never"])
    s3.delete_object(Bucket=bucket.name, Key="e")
    events = bucket.events()
    assert told(events) == [
        ("PutObject", "a"),
        ("PutObject", "big"),
        ("CompleteMultipartUpload", "c"),
        ("PutObject", "d"),
        ("CopyObject", "e"),
        ("DeleteObject", "a"),
        ("DeleteObject", "e"),
    ]
    first, copy = events[0], events[4]
    assert (first["account"], first["bucket"]) == (local.ACCOUNT_ID, bucket.name)
    assert first["object"] == {"key": "a", "size": 4, "eTag": put["etag"]}
    assert events[1]["object"]["size"] == 600_000
    assert copy["copySource"] == {"bucket": bucket.name, "object": "d"}
    assert events[5]["object"] == {"key": "a"}
    assert first["eventTime"].endswith("Z")
    assert bucket.ask("get", "big").json() == "ab" * 300_000


def test_only_what_a_rule_names(bucket: Bucket) -> None:
    rule = {"actions": ["PutObject"], "prefix": "in/", "suffix": ".pdf"}
    assert bucket.notify(rule).is_success
    for key in ("in/a.pdf", "in/a.txt", "out/a.pdf"):
        bucket.ask("put", key, value="x")
    bucket.ask("once", "in/a.pdf", value="y")  # its condition is not met
    bucket.ask("remove", "in/a.pdf")
    assert told(bucket.events()) == [("PutObject", "in/a.pdf")]
    path = f"/event_notifications/r2/{bucket.name}/configuration/queues/{bucket.queue}"
    assert bucket.api.client.delete(path).is_success
    bucket.ask("put", "in/b.pdf", value="x")
    assert bucket.events() == []


def test_a_queue_that_is_gone_stops_no_write(bucket: Bucket, cloudflare: Api) -> None:
    assert bucket.notify({"actions": ALL}).is_success
    cloudflare.client.delete(f"/queues/{bucket.queue}").raise_for_status()
    assert bucket.ask("put", "a", value="x").is_success


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ({"prefix": "a/"}, {"prefix": "b/"}, True),
        ({"prefix": "a/"}, {"prefix": "a/b"}, False),
        ({"prefix": "a/"}, {}, False),
        ({"suffix": ".a"}, {"suffix": ".b"}, True),
        ({"prefix": "a/", "suffix": ".a"}, {"prefix": "a/", "suffix": ".b"}, True),
        ({}, {"actions": ["DeleteObject"]}, True),
    ],
    ids=str,
)
def test_two_rules_for_one_change_are_refused(bucket: Bucket, one: Any, other: Any, fits: bool) -> None:
    answer = bucket.notify({"actions": ["PutObject"], **one}, {"actions": ["PutObject"], **other})
    assert (answer.status_code == 200) is fits, answer.text


def test_a_queue_that_is_not_there_is_refused(bucket: Bucket) -> None:
    path = f"/event_notifications/r2/{bucket.name}/configuration/queues/{'0' * 32}"
    refused = bucket.api.client.put(path, json={"rules": [{"actions": ALL}]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (404, 11000)


def test_a_locked_object_stays_as_it_is(bucket: Bucket, cloudflare: Api) -> None:
    bucket.ask("put", "audit/1", value="before")
    age = {"type": "Age", "maxAgeSeconds": 3600}
    assert bucket.rules("lock", {"id": "audit", "enabled": True, "prefix": "audit/", "condition": age}).is_success
    assert bucket.ask("put", "audit/2", value="new ones come").is_success
    for call, more in {"put": {"value": "x"}, "parts": {"value": "x"}, "remove": {}}.items():
        refused = bucket.ask(call, "audit/1", **more)
        assert refused.status_code == 400
        assert "The object is locked by the bucket policy. (10069)" in refused.text
    assert bucket.ask("remove", keys=["free", "audit/1"]).status_code == 400
    by_rest = cloudflare.client.delete(f"{bucket.path}/objects/audit%2F1")
    assert (by_rest.status_code, by_rest.json()["errors"][0]["code"]) == (409, 10069)
    s3 = s3_client(cloudflare)
    for act in (
        lambda: s3.put_object(Bucket=bucket.name, Key="audit/1", Body=b"x"),
        lambda: s3.delete_object(Bucket=bucket.name, Key="audit/1"),
    ):
        with pytest.raises(ClientError) as said:
            act()
        assert said.value.response["Error"]["Code"] == "ObjectLockedByBucketPolicy"
        assert said.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert bucket.ask("get", "audit/1").json() == "before"
    assert bucket.rules("lock").is_success
    assert bucket.ask("remove", "audit/1").is_success
    assert bucket.ask("get", "audit/1").json() is None


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"type": "Indefinite"}, True),
        ({"type": "Date", "date": "2999-01-01T00:00:00Z"}, True),
        ({"type": "Date", "date": "2001-01-01T00:00:00Z"}, False),
    ],
    ids=str,
)
def test_until_when_a_lock_holds(bucket: Bucket, condition: dict[str, Any], holds: bool) -> None:
    bucket.ask("put", "a", value="x")
    assert bucket.rules("lock", {"id": "l", "enabled": True, "condition": condition}).is_success
    assert (bucket.ask("remove", "a").status_code == 400) is holds


def expiring(**more: Any) -> dict[str, Any]:
    due = {"condition": {"type": "Age", "maxAge": 1}}
    return {"id": "old", "enabled": True, "conditions": {"prefix": "tmp/"}, "deleteObjectsTransition": due, **more}


def test_old_objects_expire_and_that_is_an_event(bucket: Bucket) -> None:
    for key in ("tmp/a", "tmp/locked", "kept"):
        bucket.ask("put", key, value="x")
    assert bucket.notify({"actions": ["LifecycleDeletion", "DeleteObject"]}).is_success
    lock = {"id": "l", "enabled": True, "prefix": "tmp/locked", "condition": {"type": "Indefinite"}}
    assert bucket.rules("lock", lock).is_success
    assert bucket.rules("lifecycle", expiring()).is_success
    time.sleep(1.1)
    bucket.ask("put", "tmp/young", value="x")
    assert bucket.expire() == 1
    assert [bucket.ask("get", key).json() for key in ("tmp/a", "tmp/locked", "kept", "tmp/young")] == [
        None,
        "x",
        "x",
        "x",
    ]
    assert told(bucket.events()) == [("LifecycleDeletion", "tmp/a")]
    assert bucket.rules("lifecycle", expiring(enabled=False)).is_success
    time.sleep(1.1)
    assert bucket.expire() == 0


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("lifecycle", expiring(deleteObjectsTransition={"condition": {"type": "Age", "maxAge": 0}})),
        ("lifecycle", expiring(deleteObjectsTransition={"condition": {"type": "Date", "date": "soon"}})),
        ("lock", {"id": "l", "enabled": True, "condition": {"type": "Age", "maxAgeSeconds": 0}}),
        ("lock", {"id": "l", "enabled": True, "condition": {"type": "Date", "date": "soon"}}),
        ("lock", {"id": "l", "enabled": True, "condition": {"type": "Never"}}),
        ("cors", {"allowed": {"methods": ["PATCH"], "origins": ["*"]}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rules_that_mean_nothing_are_refused(bucket: Bucket, kind: str, rule: dict[str, Any]) -> None:
    assert bucket.rules(kind, rule).status_code == 400


PAGE = "https://app.example.com"
CORS = {"allowed": {"methods": ["GET", "PUT"], "origins": [PAGE, "https://*.example.org"], "headers": ["content-type"]}}


@pytest.fixture
def open_to_pages(bucket: Bucket) -> Bucket:
    bucket.ask("put", "a", value="x")
    assert bucket.rules("cors", {**CORS, "exposeHeaders": ["etag"], "maxAgeSeconds": 600}).is_success
    return bucket


@pytest.mark.parametrize(
    ("origin", "method", "header", "status"),
    [
        (PAGE, "PUT", "content-type", 204),
        ("https://x.example.org", "GET", None, 204),
        ("https://evil.example.com", "PUT", None, 403),
        (PAGE, "DELETE", None, 403),
        (PAGE, "PUT", "x-other", 403),
    ],
    ids=str,
)
def test_a_browser_s_question_to_s3(
    open_to_pages: Bucket, origin: str, method: str, header: str | None, status: int
) -> None:
    found = s3_client(open_to_pages.api)
    url = f"{found.meta.endpoint_url}/{open_to_pages.name}/a"
    asked = {"origin": origin, "access-control-request-method": method}
    answer = httpx.options(url, headers=asked | ({"access-control-request-headers": header} if header else {}))
    assert answer.status_code == status, answer.text
    if status == 204:
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-max-age"] == "600"


def test_what_other_pages_may_read(open_to_pages: Bucket) -> None:
    signed = s3_client(open_to_pages.api).generate_presigned_url(
        "get_object", {"Bucket": open_to_pages.name, "Key": "a"}
    )
    seen = httpx.get(signed, headers={"origin": PAGE})
    assert (seen.text, seen.headers["access-control-allow-origin"]) == ("x", PAGE)
    assert seen.headers["access-control-expose-headers"] == "etag"
    assert (
        "access-control-allow-origin" not in httpx.get(signed, headers={"origin": "https://evil.example.com"}).headers
    )
    managed = open_to_pages.api.client.put(f"{open_to_pages.path}/domains/managed", json={"enabled": True})
    headers, url = {"host": managed.json()["result"]["domain"]}, f"http://127.0.0.1:{open_to_pages.api.running.port}/a"
    public = httpx.get(url, headers={**headers, "origin": PAGE})
    assert (public.text, public.headers["access-control-allow-origin"]) == ("x", PAGE)
    asked = {"origin": PAGE, "access-control-request-method": "GET"}
    assert httpx.options(url, headers={**headers, **asked}).status_code == 204
