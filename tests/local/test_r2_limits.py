"""R2's limits, at the limit and one over, from a Worker and by the API: Cloudflare's simulator and the front before it agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { how, key = "k", options, sizes, numbers } = await request.json();
  const done = async () => {
    if (how === "put") return Boolean(await env.B.put(key, "x", options));
    if (how === "list") return (await env.B.list(options)).objects.length >= 0;
    if (how === "delete") { await env.B.delete(Array.from({ length: options.count }, (_, i) => "d" + i)); return true; }
    const upload = await env.B.createMultipartUpload(key, options), parts = [];
    for (const [i, size] of sizes.entries()) {
      parts.push(await upload.uploadPart(numbers?.[i] ?? i + 1, new Uint8Array(size)));
    }
    return Boolean(await upload.complete(parts));
  };
  return Response.json(await done().catch((error) => error.message));
} };"""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def told(cloudflare: Api) -> Any:
    cloudflare.client.post("/r2/buckets", json={"name": "limits"})
    deploy(cloudflare, "r2-limits", CODE, [{"type": "r2_bucket", "name": "B", "bucket_name": "limits"}])
    return lambda **asked: cloudflare.worker("r2-limits", "POST", "/", json=asked).json()


def metadata(size: int) -> dict[str, Any]:
    return {"customMetadata": {"a": "x" * (size - 1)}}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"how": "put", "key": "k" * 1024}, True),
        ({"how": "put", "key": "k" * 1025}, "put: The specified object name is not valid. (10020)"),
        ({"how": "put", "key": "é" * 512}, True),
        ({"how": "put", "key": "é" * 513}, "put: The specified object name is not valid. (10020)"),
        ({"how": "put", "options": metadata(8192)}, True),
        ({"how": "put", "options": metadata(8193)}, "(10012)"),
        ({"how": "list", "options": {"limit": 1000}}, True),
        ({"how": "list", "options": {"limit": 1001}}, "list: MaxKeys params must be positive integer <= 1000. (10022)"),
        ({"how": "delete", "options": {"count": 1000}}, True),
        ({"how": "parts", "sizes": [5 * MIB, 1]}, True),
        ({"how": "parts", "sizes": [5 * MIB - 1, 1]}, "smaller than the minimum allowed object size. (10011)"),
        ({"how": "parts", "sizes": [5 * MIB, 6 * MIB, 1]}, "problem with the multipart upload. (10048)"),
        ({"how": "parts", "sizes": [1], "numbers": [10_000]}, True),
        ({"how": "parts", "sizes": [1], "numbers": [10_001]}, "Part number must be between 1 and 10000 (inclusive)."),
        ({"how": "parts", "sizes": [1], "numbers": [0]}, "Part number must be between 1 and 10000 (inclusive)."),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_worker_may_store(told: Any, asked: dict[str, Any], words: Any) -> None:
    said = told(**asked)
    assert said is True if words is True else words in said, said


@pytest.mark.parametrize(("key", "stored"), [("k" * 1024, True), ("k" * 1025, False), ("%C3%A9" * 513, False)])
def test_the_api_counts_the_bytes_of_a_key(cloudflare: Api, told: Any, key: str, stored: bool) -> None:
    answer = cloudflare.client.put(f"/r2/buckets/limits/objects/{key}", content=b"x")
    assert answer.is_success is stored
    assert stored or answer.json()["errors"][0]["code"] == 10020
