"""Queues: how deep they are, what waits, and dead letters, which can be sent again."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import RedirectResponse, Response

from inferstack.local.console.api import ApiProblem
from inferstack.local.console.door import HEADERS, ROOT
from inferstack.local.console.views import Seen

PEEKED = 100


async def listed(seen: Seen) -> Response:
    queues = await seen.api.get("/queues", per_page=100)
    dead = {c["dead_letter_queue"] for queue in queues for c in queue["consumers"] if c.get("dead_letter_queue")}
    rows = []
    for queue in queues:
        metrics = await seen.api.get(f"/queues/{queue['queue_id']}/metrics")
        consumers = ", ".join(c.get("script_name") or c["type"] for c in queue["consumers"]) or "nobody"
        kind = "dead letters" if queue["queue_name"] in dead else consumers
        rows.append((queue["queue_name"], queue["queue_id"], metrics.get("backlog_count", 0), kind))
    heads = ("Queue", "Waiting", "Consumer")
    return seen.page("list", title="Queues", kind="queues", heads=heads, rows=rows, sizes=())


async def one(seen: Seen) -> Response:
    identifier = seen.path("name")
    base = f"/queues/{identifier}"
    try:
        queue = await seen.api.get(base)
    except ApiProblem:
        return seen.page("missing", 404, what=f"the queue {identifier}", where="queues")
    sources = [
        other
        for other in await seen.api.get("/queues", per_page=100)
        if any(c.get("dead_letter_queue") == queue["queue_name"] for c in other["consumers"])
    ]
    if seen.request.method == "POST":
        await _send_again(seen, base, sources)
        return RedirectResponse(f"{ROOT}/queues/{identifier}", 303, HEADERS)
    metrics = await seen.api.get(f"{base}/metrics")
    found = await seen.api.call("POST", f"{base}/messages/peek", json={"batch_size": PEEKED})
    return seen.page("queue", queue=queue, metrics=metrics, messages=_messages(found), sources=sources)


def _messages(found: dict[str, Any]) -> list[dict[str, Any]]:
    return list(found["messages"])


async def _send_again(seen: Seen, base: str, sources: list[dict[str, Any]]) -> None:
    """Dead letters go back to the queue that they came from, and leave this one only then.

    The API takes JSON and text: what only a Worker can read stays.
    """
    found = _messages(await seen.api.call("POST", f"{base}/messages/peek", json={"batch_size": PEEKED}))
    kinds = {each["ref"]: each["metadata"]["CF-Content-Type"] for each in found}
    sent = [each for each in found if kinds[each["ref"]] in ("json", "text")] if sources else []
    if not sent:
        return
    bodies = [
        {
            "body": json.loads(each["body"]) if kinds[each["ref"]] == "json" else each["body"],
            "content_type": kinds[each["ref"]],
        }
        for each in sent
    ]
    await seen.api.call("POST", f"/queues/{sources[0]['queue_id']}/messages/batch", json={"messages": bodies})
    await seen.api.call("POST", f"{base}/messages/purge", json={"refs": [{"ref": each["ref"]} for each in sent]})
