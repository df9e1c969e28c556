"""The thin resource classes agree with the real ones of pulumi_cloudflare."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from inferstack.resources import official
from inferstack.versions import CLOUDFLARE_PROVIDER
from tests.conftest import ROOT

# pulumi_cloudflare warns on import about itself and takes 165 MB: a process of its own.
PROBE = """
import inspect, json, sys, warnings
warnings.simplefilter("ignore")
import pulumi, pulumi_cloudflare as real
found = {}
for name in sys.argv[1:]:
    kind = getattr(real, name)
    module = sys.modules[kind.__module__]
    arguments = getattr(module, name + "InitArgs", None) or getattr(module, name + "Args")
    properties = [n for n, v in inspect.getmembers(kind) if isinstance(v, property)]
    inputs = list(inspect.signature(arguments.__init__).parameters)
    found[name] = {"type": kind.pulumi_type, "properties": properties, "inputs": inputs}
print(json.dumps(found))
"""
USED = {
    "D1Database": ["accountId", "name", "primaryLocationHint", "readReplication"],
    "R2Bucket": ["accountId", "name", "location", "storageClass"],
    "R2BucketCors": ["accountId", "bucketName", "jurisdiction", "rules"],
    "R2BucketLifecycle": ["accountId", "bucketName", "jurisdiction", "rules"],
    "R2BucketLock": ["accountId", "bucketName", "jurisdiction", "rules"],
    "R2BucketEventNotification": ["accountId", "bucketName", "jurisdiction", "queueId", "rules"],
    "R2CustomDomain": ["accountId", "bucketName", "jurisdiction", "domain", "zoneId", "minTls", "enabled"],
    "WorkersKvNamespace": ["accountId", "title"],
    "Queue": ["accountId", "queueName", "settings"],
    "HyperdriveConfig": ["accountId", "name", "origin", "caching", "originConnectionLimit"],
    "WorkersForPlatformsDispatchNamespace": ["accountId", "name"],
    "QueueConsumer": ["accountId", "queueId", "type", "scriptName", "deadLetterQueue", "settings"],
    "AiGateway": ["accountId", "aiGatewayId", "authentication", "cacheTtl", "collectLogs", "rateLimitingTechnique"],
    "Worker": ["accountId", "name", "observability", "subdomain", "tags"],
    "WorkerVersion": ["accountId", "workerId", "mainModule", "modules", "bindings", "compatibilityDate"],
    "Workflow": ["accountId", "workflowName", "className", "scriptName", "limits"],
    "WorkersCronTrigger": ["accountId", "scriptName", "schedules"],
    "WorkersRoute": ["zoneId", "pattern", "script"],
    "WorkersCustomDomain": ["accountId", "hostname", "service", "zoneId"],
    "WorkersDeployment": ["accountId", "scriptName", "strategy", "versions"],
}


@pytest.fixture(scope="module")
def real() -> dict[str, dict[str, list[str]]]:
    done = subprocess.run([sys.executable, "-c", PROBE, *USED], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return found


def snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


@pytest.mark.parametrize("name", USED)
def test_token_inputs_and_outputs_agree(name: str, real: dict[str, dict[str, list[str]]]) -> None:
    thin = getattr(official, name)
    assert thin.token == real[name]["type"]
    assert {snake(i) for i in USED[name]} <= set(real[name]["inputs"])
    assert {snake(o) for o in thin.outputs} <= set(real[name]["properties"])


def test_the_plugin_version_is_that_of_the_pinned_package() -> None:
    assert version("pulumi_cloudflare") == CLOUDFLARE_PROVIDER
