"""The dev stack as a person writes it by hand with `pulumi_cloudflare`: the same resources, no YAML, no checks."""

import json
from pathlib import Path

import pulumi
import pulumi_cloudflare as cloudflare

inputs = json.loads((Path(__file__).parent / "resources.json").read_text())
CLASSES = {
    kind.pulumi_type: kind
    for kind in (
        cloudflare.AiGateway,
        cloudflare.D1Database,
        cloudflare.Queue,
        cloudflare.QueueConsumer,
        cloudflare.R2Bucket,
        cloudflare.Worker,
        cloudflare.WorkersDeployment,
        cloudflare.WorkersKvNamespace,
        cloudflare.WorkerVersion,
    )
}


def snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def arguments(value: object) -> object:
    if isinstance(value, dict):
        return {snake(key): arguments(item) for key, item in value.items()}
    return [arguments(item) for item in value] if isinstance(value, list) else value


class Own(pulumi.CustomResource):
    def __init__(self, token: str, name: str, given: dict[str, object]) -> None:
        super().__init__(token, name, given)


for resource in inputs:
    kind, name, given = resource["type"], resource["name"], resource["inputs"]
    if kind in CLASSES:
        CLASSES[kind](name, **arguments(given))
    else:
        Own(kind, name, given)
