"""The first success: a stack up, the sample corpus in, a question answered, and what to try next."""

from __future__ import annotations

from pathlib import Path

from inferstack import local
from inferstack.change import deploy
from inferstack.clients.curl_samples import curl_lines
from inferstack.config import find_template, load_stack
from inferstack.engine import runs
from inferstack.engine.environment import local_settings
from inferstack.live import rag
from inferstack.live.first_fetch import fetch_embeddings
from inferstack.local.ai.engines import bge_small
from inferstack.shipped import HOME, IS_CHECKOUT

CORPUS = Path("examples/handbook")
FETCH_SECONDS = 60
QUESTION = "How long does a lithium battery pack need to cool before it is charged again?"
COMMAND = ".venv/bin/inferstack" if IS_CHECKOUT else "inferstack"
# Sample stacks whose first request is offered, brought up by the same line.
SAMPLES = ("structured", "embed", "image", "transcribe", "batch")


def quickstart(name: str, root: Path, *, fetch: bool = False) -> None:
    """`fetch`: real embeddings are fetched for a new local Cloudflare, when that takes under a minute."""
    _prefer_real(name, root, fetch=fetch)
    changes = deploy.up(name, root)
    changed = sum(count for operation, count in changes.items() if operation != "same")
    corpus = root / CORPUS if (root / CORPUS).is_dir() else HOME / CORPUS
    runs.say("loading the sample corpus, the handbook of a delivery service")
    count = rag.load(name, root, corpus)
    endpoint = rag.Endpoint(name, root)
    print(f"\n{count} documents loaded. A question, answered by the Worker:\n\n> {QUESTION}\n")
    rag.print_answer(rag.ask(name, root, QUESTION))
    spec = load_stack(name, root)
    port = int(endpoint.url.rpartition(":")[2])
    print(
        f"""
The stack `{name}` is up ({changed} changes).
  Worker   {endpoint.url}
  API      the local Cloudflare on port {spec.local.api_port}; `inferstack env {name}` prints what Pulumi and wrangler need

Try next, each line as it stands (docs/templates.md has more):

# ask
{COMMAND} ask {name} "What should I do when the bike does not switch on?"
"""
    )
    for about, line in offers(name, endpoint.key, port, root):
        print(f"# {about}\n{line}")
    end = "make down" if IS_CHECKOUT else f"{COMMAND} down {name}"
    print(f"\nOr edit stacks/{name}.yaml, then: {COMMAND} preview {name}; {COMMAND} up {name}. At the end: {end}")


def _prefer_real(name: str, root: Path, *, fetch: bool) -> None:
    """Real embeddings for a local Cloudflare that is new, when they are installed; `up` says who answers."""
    spec = load_stack(name, root)
    if spec.target != "local" or spec.local.models is not None:
        return
    folder = local_settings(spec, root).folder
    if bge_small.missing() and fetch and local.is_new(folder):
        runs.say(f"fetching real embeddings, for {FETCH_SECONDS} s at most")
        why = fetch_embeddings(FETCH_SECONDS)
        later = f"the small vectors stay: {why}; later: {COMMAND} local models install embeddings"
        runs.say(later if why else "real embeddings are installed")
    if not bge_small.missing():
        local.choose_at_first(folder, ("embeddings", "rerank"))


def offers(name: str, key: str, port: int, root: Path) -> list[tuple[str, str]]:
    """(what it shows, a line to paste): the stack's own stream, then the sample stacks."""
    own, template = load_stack(name, root), find_template("rag", root)
    assert template is not None
    found = [("stream", line) for about, line in curl_lines(template, own, key, port) if about == "Stream"]
    for sample in SAMPLES if (root / "examples").is_dir() else ():
        spec, template = load_stack(sample, root), find_template(sample, root)
        assert template is not None
        line = next(line for _, line in curl_lines(template, spec, sample, port))
        found.append((sample, f"{COMMAND} up {sample} > /dev/null && {line}"))
    return found
