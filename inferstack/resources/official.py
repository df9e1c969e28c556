"""The resource types of Cloudflare's official provider that stacks use, as thin classes with its own tokens.

`import pulumi_cloudflare` costs about 2.5 s and 165 MB (measured); these cost nothing. A test proves that tokens,
inputs and outputs agree with the real classes. Properties are the provider's own, in camelCase.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi

from inferstack.versions import CLOUDFLARE_PROVIDER

Inputs = dict[str, Any]


class CloudflareResource(pulumi.CustomResource):
    """A resource of the official provider; `outputs` are the computed properties that stacks read."""

    token: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]] = ()
    secret_outputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = {key: value for key, value in inputs.items() if value is not None}
        properties = {**dict.fromkeys(self.outputs), **given}
        own = pulumi.ResourceOptions(version=CLOUDFLARE_PROVIDER, additional_secret_outputs=list(self.secret_outputs))
        super().__init__(self.token, name, properties, pulumi.ResourceOptions.merge(own, opts))

    def output(self, name: str) -> pulumi.Output[Any]:
        found: pulumi.Output[Any] = getattr(self, name)
        return found


class D1Database(CloudflareResource):
    """Outputs: uuid."""

    token = "cloudflare:index/d1Database:D1Database"  # noqa: S105 - type tokens
    outputs = ("uuid",)


class R2Bucket(CloudflareResource):
    """An R2 bucket."""

    token = "cloudflare:index/r2Bucket:R2Bucket"  # noqa: S105


class R2BucketCors(CloudflareResource):
    """What pages of others may do with a bucket."""

    token = "cloudflare:index/r2BucketCors:R2BucketCors"  # noqa: S105


class R2BucketLifecycle(CloudflareResource):
    """What becomes of a bucket's objects; its end takes no rule away."""

    token = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"  # noqa: S105


class R2BucketLock(CloudflareResource):
    """Which objects of a bucket stay as they are; its end takes no rule away."""

    token = "cloudflare:index/r2BucketLock:R2BucketLock"  # noqa: S105


class R2BucketEventNotification(CloudflareResource):
    """A bucket's rules for one queue."""

    token = "cloudflare:index/r2BucketEventNotification:R2BucketEventNotification"  # noqa: S105


class R2CustomDomain(CloudflareResource):
    """A host name of a bucket."""

    token = "cloudflare:index/r2CustomDomain:R2CustomDomain"  # noqa: S105


class WorkersKvNamespace(CloudflareResource):
    """Its id is the namespace id."""

    token = "cloudflare:index/workersKvNamespace:WorkersKvNamespace"  # noqa: S105


class Queue(CloudflareResource):
    """Outputs: queueId."""

    token = "cloudflare:index/queue:Queue"  # noqa: S105
    outputs = ("queueId",)


class HyperdriveConfig(CloudflareResource):
    """A database of one's own; its id is what bindings name."""

    token = "cloudflare:index/hyperdriveConfig:HyperdriveConfig"  # noqa: S105
    secret_outputs = ("origin",)


class WorkersForPlatformsDispatchNamespace(CloudflareResource):
    """A dispatch namespace of Workers for Platforms; its id is its name."""

    token = "cloudflare:index/workersForPlatformsDispatchNamespace:WorkersForPlatformsDispatchNamespace"  # noqa: S105
    outputs = ("namespaceName",)


class QueueConsumer(CloudflareResource):
    """A queue's consumer."""

    token = "cloudflare:index/queueConsumer:QueueConsumer"  # noqa: S105


class AiGateway(CloudflareResource):
    """Its id is the gateway id."""

    token = "cloudflare:index/aiGateway:AiGateway"  # noqa: S105


class AiSearchInstance(CloudflareResource):
    """Its id is the instance's name."""

    token = "cloudflare:index/aiSearchInstance:AiSearchInstance"  # noqa: S105


class Worker(CloudflareResource):
    """The shell of a Worker, without code."""

    token = "cloudflare:index/worker:Worker"  # noqa: S105


class WorkerVersion(CloudflareResource):
    """An immutable version: modules and bindings."""

    token = "cloudflare:index/workerVersion:WorkerVersion"  # noqa: S105
    secret_outputs = ("bindings",)


class WorkersDeployment(CloudflareResource):
    """Which versions take the traffic."""

    token = "cloudflare:index/workersDeployment:WorkersDeployment"  # noqa: S105


class Workflow(CloudflareResource):
    """A workflow's name, and the class behind it."""

    token = "cloudflare:index/workflow:Workflow"  # noqa: S105


class WorkersCronTrigger(CloudflareResource):
    """The times at which a Worker is called."""

    token = "cloudflare:index/workersCronTrigger:WorkersCronTrigger"  # noqa: S105


class WorkersRoute(CloudflareResource):
    """Requests of a zone that go to a Worker."""

    token = "cloudflare:index/workersRoute:WorkersRoute"  # noqa: S105


class WorkersCustomDomain(CloudflareResource):
    """A host name of a Worker."""

    token = "cloudflare:index/workersCustomDomain:WorkersCustomDomain"  # noqa: S105
