"""`expect` and `budget`: the traffic that the cost estimate computes with, as figures of a day unless they say otherwise."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Key = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    # Not strict: 1e6 and 1000000 are the same figure to whoever writes it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class WorkerTraffic(_Model):
    """Requests to a Worker and the CPU time of one, in milliseconds; requests for static assets run no code."""

    requests: Count
    cpu_ms: Count = 0
    asset_requests: Count = 0


class ModelTraffic(_Model):
    """Calls of a model, and what one call carries.

    `input_tokens`, `output_tokens`, `characters`, `audio_minutes`, `images`, `tiles` (512 × 512 pixels of one image)
    and `steps` (of one image) are per call. `cache_hits` is the share that the AI Gateway answers from its cache,
    `cached_input` the share of input tokens that the model's own prompt cache holds.
    """

    requests: Count
    input_tokens: Count = 0
    output_tokens: Count = 0
    characters: Count = 0
    audio_minutes: Count = 0
    images: Count = 0
    tiles: Count = 0
    input_tiles: Count = 0
    steps: Count = 0
    cache_hits: Share = 0
    cached_input: Share = 0


class IndexTraffic(_Model):
    """Vectors that an index holds, and queries of a day."""

    vectors: Count
    queries: Count = 0


class DatabaseTraffic(_Model):
    """Rows read and written a day, gigabytes held."""

    rows_read: Count = 0
    rows_written: Count = 0
    storage_gb: Count = 0


class BucketTraffic(_Model):
    """Writes and lists (class A) and reads (class B) a day, gigabytes held; of infrequent access gigabytes read a day."""

    writes: Count = 0
    reads: Count = 0
    storage_gb: Count = 0
    retrieved_gb: Count = 0


class NamespaceTraffic(_Model):
    """KV operations a day, gigabytes held."""

    reads: Count = 0
    writes: Count = 0
    deletes: Count = 0
    lists: Count = 0
    storage_gb: Count = 0


class QueueTraffic(_Model):
    """Messages a day, their size in KB (each 64 are an operation), and the share of them that is retried once."""

    messages: Count
    message_kb: Annotated[float, Field(gt=0, le=128)] = 1
    retries: Share = 0


class ObjectTraffic(_Model):
    """Of the Durable Objects of a Worker's classes, a day: requests (RPC calls and alarms too), incoming messages of
    WebSockets, seconds that objects are active (each of several at once counts); rows, gigabytes held.

    Classes with the older storage read and write units of 4 KB instead of rows, and delete keys.
    """

    requests: Count
    messages: Count = 0
    active_seconds: Count = 0
    rows_read: Count = 0
    rows_written: Count = 0
    read_units: Count = 0
    write_units: Count = 0
    deletes: Count = 0
    storage_gb: Count = 0

    @property
    def older(self) -> bool:
        """Whether it says what the older storage is billed by."""
        return bool(self.read_units or self.write_units or self.deletes)


class WorkflowTraffic(_Model):
    """Of a Worker's workflows: instances that are made a day, the CPU time of one in milliseconds, gigabytes held."""

    instances: Count
    cpu_ms: Count = 0
    storage_gb: Count = 0


class LogTraffic(_Model):
    """Of a Worker's logs, a day: events and gigabytes that Workers Logs keeps, events that Logpush sends on.

    Cloudflare bills events until 2026-12-01, gigabytes (kept for seven days) from then on.
    """

    events: Count = 0
    gb: Count = 0
    pushed: Count = 0


class SearchTraffic(_Model):
    """Of an AI Search instance: tokens of texts and of images that it reads in a day, queries a day, gigabytes held."""

    ingested_tokens: Count = 0
    image_tokens: Count = 0
    semantic_queries: Count = 0
    text_queries: Count = 0
    storage_gb: Count = 0


class AnalyticsTraffic(_Model):
    """Of a dataset of Analytics Engine: data points and queries a day."""

    points: Count = 0
    queries: Count = 0


class Expectations(_Model):
    """What a day brings, by the names that the stack declares."""

    plan: Literal["free", "paid"] = "paid"
    workers: dict[Key, WorkerTraffic] = {}
    models: dict[Key, ModelTraffic] = {}
    indexes: dict[Key, IndexTraffic] = {}
    databases: dict[Key, DatabaseTraffic] = {}
    buckets: dict[Key, BucketTraffic] = {}
    namespaces: dict[Key, NamespaceTraffic] = {}
    queues: dict[Key, QueueTraffic] = {}
    objects: dict[Key, ObjectTraffic] = {}
    workflows: dict[Key, WorkflowTraffic] = {}
    logs: dict[Key, LogTraffic] = {}
    searches: dict[Key, SearchTraffic] = {}
    analytics: dict[Key, AnalyticsTraffic] = {}


class Budget(_Model):
    """The most that the estimate may come to, in US dollars a month."""

    monthly_usd: Annotated[float, Field(gt=0)]
