"""Rules of buckets beside a wrangler file, which has no word for them: files, and the commands that set them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from inferstack.config import StackSpec, cors_rules, lifecycle_rules, lock_rules

SAID = {"cors", "lifecycle", "lock", "events", "domains"}
EVENTS = {"created": "object-create", "deleted": "object-delete"}
FOLDER = "buckets"


def rule_files(spec: StackSpec) -> dict[str, bytes]:
    """By path under the folder of the export."""
    files: dict[str, bytes] = {}
    for key, bucket in spec.buckets.items():
        found = {
            "cors": cors_rules(bucket) if bucket.cors else None,
            "lifecycle": lifecycle_rules(bucket) if bucket.lifecycle is not None else None,
            "lock": lock_rules(bucket) if bucket.lock is not None else None,
        }
        for kind, rules in found.items():
            if rules is not None:
                files[f"{FOLDER}/{key}/{kind}.json"] = (json.dumps({"rules": rules}, indent=2) + "\n").encode()
    return files


def commands(spec: StackSpec, out: Path) -> Iterator[tuple[str, str]]:
    """What of the stack each one is for, and the command. The bucket must be there."""
    for key, bucket in spec.buckets.items():
        name = spec.name_of("buckets", key)
        place = ["--jurisdiction", bucket.jurisdiction] if bucket.jurisdiction else []

        def command(kind: str, verb: str, *options: str, name: str = name, place: list[str] = place) -> str:
            return shlex.join(["wrangler", "r2", "bucket", kind, verb, name, *options, *place])

        for path in rule_files(spec):
            _, of, file = path.split("/")
            if of == key:
                kind = file.removesuffix(".json")
                yield f"buckets.{key}.{kind}", command(kind, "set", "--file", str(out / path), "--force")
        for event in bucket.events:
            options = ["--queue", spec.name_of("queues", event.queue)]
            options += [part for one in event.of for part in ("--event-types", EVENTS[one])]
            given = {"prefix": event.prefix, "suffix": event.suffix, "description": event.description}
            options += [part for option, value in given.items() if value for part in (f"--{option}", value)]
            yield f"buckets.{key}.events", command("notification", "create", *options)
        for domain in bucket.domains:
            host = ["--domain", domain.hostname, "--zone-id", domain.zone, "--min-tls", domain.min_tls, "--force"]
            yield f"buckets.{key}.domains", command("domain", "add", *host)
