"""Queues: what `queues:` in a stack file becomes. Consumers come after the Worker that they call."""

from __future__ import annotations

import pulumi

from inferstack.resources.context import Context
from inferstack.resources.official import Queue as CloudflareQueue
from inferstack.resources.official import QueueConsumer


class Queue(pulumi.ComponentResource):
    """A queue; `attach_consumer` gives it its consumer."""

    name: pulumi.Output[str]
    queue_id: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:Queue", key, {}, opts)
        self._key, self._context = key, context
        spec = context.spec.queues[key]
        settings = {"deliveryDelay": spec.delivery_delay, "messageRetentionPeriod": spec.retention}
        queue = CloudflareQueue(
            key,
            {
                "accountId": context.account_id,
                "queueName": context.spec.name_of("queues", key),
                "settings": settings,
                **spec.raw,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.queue_id = queue.output("queueId")
        self.name = queue.output("queueName")
        self.register_outputs({"queueId": self.queue_id, "name": self.name})

    def attach_consumer(
        self, script_name: pulumi.Input[str], dead_letter: pulumi.Input[str] | None, after: list[pulumi.Resource]
    ) -> None:
        consumer = self._context.spec.queues[self._key].consumer
        assert consumer is not None
        settings = {
            "batchSize": consumer.batch_size,
            "maxRetries": consumer.max_retries,
            "maxWaitTimeMs": consumer.max_wait_ms,
            "retryDelay": consumer.retry_delay,
            "maxConcurrency": consumer.max_concurrency,
        }
        QueueConsumer(
            f"{self._key}-consumer",
            {
                "accountId": self._context.account_id,
                "queueId": self.queue_id,
                "type": "worker",
                "scriptName": script_name,
                "deadLetterQueue": dead_letter,
                "settings": {name: value for name, value in settings.items() if value is not None},
            },
            pulumi.ResourceOptions(parent=self, depends_on=after),
        )
