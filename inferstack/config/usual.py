"""What a Worker is usually asked, and as whom, where nobody says it: by load tests and evaluations."""

from __future__ import annotations

from typing import Any

from inferstack.config.spec import StackSpec

PROMPT = "What do I do with a lost parcel?"
CHAT = {"messages": [{"role": "user", "content": PROMPT}], "stream": True}
OF_TEMPLATES: dict[str, tuple[str, Any]] = {
    "chat": ("POST /chat", CHAT),
    "rag": ("POST /ask", {"question": PROMPT, "stream": True}),
    "tools": ("POST /chat", {"messages": CHAT["messages"]}),
    "embed": ("POST /embed", {"texts": [PROMPT]}),
}
KEYS = ("API_TOKEN", "API_KEY", "TOKEN")  # secrets that callers are known by, in the samples


def usual_request(spec: StackSpec, key: str) -> tuple[str, Any]:
    """What the Worker's template is for, else its first smoke check: method with path, and body; empty where neither is known."""
    worker = spec.workers[key]
    text, body = OF_TEMPLATES.get(worker.template or "", ("", None))
    return (worker.smoke[0].request, worker.smoke[0].body) if worker.smoke and not text else (text, body)


def usual_worker(spec: StackSpec) -> str:
    """The first of a template that is known, else the first; empty where there is none."""
    known = (key for key, worker in spec.workers.items() if worker.template in OF_TEMPLATES)
    return next(known, next(iter(spec.workers), ""))


def caller_secret(spec: StackSpec, key: str, named: str | None) -> str | None:
    """The name of the Worker's secret that callers are known by: the one that is named, or one of a usual name."""
    secrets = spec.workers[key].secrets
    return named or next((each for each in KEYS if each in secrets), None)
