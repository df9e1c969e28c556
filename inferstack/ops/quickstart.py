"""The first success: a stack up, the sample corpus in, a question answered, and what to try next."""

from __future__ import annotations

from pathlib import Path

from inferstack.config import load_stack
from inferstack.ops import rag, runs
from inferstack.ops.environment import STATE

CORPUS = Path("examples/handbook")
QUESTION = "How long does a lithium battery pack need to cool before it is charged again?"


def quickstart(name: str, root: Path) -> None:
    changes = runs.up(name, root)
    changed = sum(count for operation, count in changes.items() if operation != "same")
    runs.say(f"loading the sample corpus from {CORPUS}")
    count = rag.load(name, root, root / CORPUS)
    endpoint = rag.Endpoint(name, root)
    print(f"\n{count} documents loaded. A question, answered by the Worker:\n\n> {QUESTION}\n")
    rag.print_answer(rag.ask(name, root, QUESTION))
    spec = load_stack(name, root)
    reference = spec.workers[endpoint.key].secrets.get(rag.TOKEN_SECRET, "")
    token = reference.removeprefix("file:") if reference.startswith(f"file:{STATE}") else "…"
    host = endpoint.url.removeprefix("http://")
    local_address = f"http://127.0.0.1:{host.rpartition(':')[2]}"
    print(
        f"""
The stack `{name}` is up ({changed} changes).
  Worker   {endpoint.url}
  API      the local Cloudflare on port {spec.local.api_port}; `inferstack env {name}` prints what Pulumi and wrangler need

Try next:
  .venv/bin/inferstack ask {name} "What should I do when the bike does not switch on?"
  curl -s {local_address}/ask -H 'Host: {host}' -d '{{"question": "Who pays for a lost parcel?"}}'
  curl -s {local_address}/documents -H 'Host: {host}' -H "Authorization: Bearer $(cat {token})" \\
       -d '{{"id": "mine", "title": "Mine", "topic": "notes", "text": "The answer is 42."}}'
  edit stacks/{name}.yaml, then: .venv/bin/inferstack preview {name}; .venv/bin/inferstack up {name}
  make down"""
    )
