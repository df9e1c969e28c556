"""Rendered Workers against the smallest hand-written ones with the same calls, side by side on one local Cloudflare.

Requests per second with four at once, which warms both up; then the latency of one request at a time, the two taking
turns. Beside them the bytes of each template's modules, and the time to the first event of a stream.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inferstack import local
from inferstack.config import load_stack
from inferstack.config.templates import template_names
from inferstack.render import render_worker
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

AT_ONCE, SECONDS = 4, 4.0
LATENCY_SECONDS, FEWEST = 10.0, 100  # for both together; pairs
LARGE, EMBED = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/baai/bge-base-en-v1.5"
HELLO = "Hello there"
# template → path, request, and what a hand-written Worker does for it.
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "chat": (
        "/chat",
        {"message": HELLO},
        f"""const {{ message }} = await request.json();
    const system = {{ role: "system", content: "Answer in one short paragraph." }};
    const messages = [system, {{ role: "user", content: message }}];
    return Response.json(await env.AI.run("{LARGE}", {{ messages, max_tokens: 512, temperature: 0.2 }}));""",
    ),
    "structured": (
        "/extract",
        {"input": "It is with you within 5 days."},
        f"""const {{ input }} = await request.json();
    const json_schema = {{ type: "object", properties: {{ topic: {{ type: "string", enum: ["delivery", "payment", "returns"] }},
      days: {{ type: "integer" }}, quote: {{ type: "string" }} }}, required: ["topic", "days", "quote"] }};
    const system = {{ role: "system", content: "Take the facts out of the text." }};
    const messages = [system, {{ role: "user", content: input }}];
    const response_format = {{ type: "json_schema", json_schema }};
    return Response.json(await env.AI.run("{LARGE}", {{ messages, max_tokens: 512, response_format }}));""",
    ),
    "embed": (
        "/search",
        {"query": "parcels"},
        f"""const {{ query }} = await request.json();
    const {{ data }} = await env.AI.run("{EMBED}", {{ text: [query] }});
    return Response.json(await env.DOCS.query(data[0], {{ topK: 5, returnMetadata: "all" }}));""",
    ),
    "image": (
        "/images",
        {"prompt": "a red bicycle", "format": "json"},
        """const { prompt } = await request.json();
    return Response.json(await env.AI.run("@cf/black-forest-labs/flux-1-schnell", { prompt, steps: 4 }));""",
    ),
    "classify": (
        "/classify",
        {"texts": ["I love it"]},
        """const { texts } = await request.json();
    return Response.json(await env.AI.run("@cf/huggingface/distilbert-sst-2-int8", { text: texts[0] }));""",
    ),
    "translate": (
        "/translate",
        {"texts": [HELLO], "target": "fr"},
        """const { texts, target } = await request.json();
    const input = { text: texts[0], source_lang: "en", target_lang: target };
    return Response.json(await env.AI.run("@cf/meta/m2m100-1.2b", input));""",
    ),
    "moderate": (
        "/moderate",
        {"text": HELLO},
        """const { text } = await request.json();
    const messages = [{ role: "user", content: text }];
    return Response.json(await env.AI.run("@cf/meta/llama-guard-3-8b", { messages, max_tokens: 100, temperature: 0 }));""",
    ),
    "speak": (
        "/speak",
        {"text": HELLO},
        """const { text } = await request.json();
    return new Response(await env.AI.run("@cf/deepgram/aura-1", { text }));""",
    ),
}


@dataclass
class Worker:
    """How one is called."""

    url: str
    host: str
    token: str
    path: str
    body: dict[str, Any]

    def client(self) -> httpx.Client:
        headers = {"host": self.host, "authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def seconds(self, client: httpx.Client) -> float:
        started = time.perf_counter()
        client.post(self.path, json=self.body).raise_for_status()
        return time.perf_counter() - started

    def per_second(self) -> float:
        counts = [0] * AT_ONCE
        end = time.perf_counter() + SECONDS

        def work(place: int) -> None:
            with self.client() as client:
                while time.perf_counter() < end:
                    client.post(self.path, json=self.body).raise_for_status()
                    counts[place] += 1

        threads = [threading.Thread(target=work, args=(place,)) for place in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / SECONDS

    def first_event(self) -> float:
        with self.client() as client:
            started = time.perf_counter()
            with client.stream("POST", self.path, json={**self.body, "stream": True}) as answer:
                next(answer.iter_bytes())
                return time.perf_counter() - started


@contextmanager
def deployed(folder: Path) -> Iterator[Project]:
    project = make_project(folder)
    (project.root / "examples").unlink()
    shutil.copytree(ROOT / "examples", project.root / "examples")
    bindings = {"embed": "DOCS: { index: texts }, "}
    workers = ""
    for name, (_, _, code) in CASES.items():
        file = project.root / "workers" / name / "index.js"
        file.parent.mkdir(parents=True)
        file.write_text(f"export default {{\n  async fetch(request, env) {{\n    {code}\n  }},\n}};\n")
        workers += f"  small-{name}:\n    source: workers/{name}\n    compatibility_date: '2026-06-01'\n"
        workers += f"    bindings: {{ {bindings.get(name, '')}AI: {{ ai: true }} }}\n"
    bases = ", ".join(f"../examples/{name}.yaml" for name in CASES)
    text = f"extends: [{bases}]\nlocal: {{ port: 0, api_port: 0 }}\ngateways: {{ main: null }}\n"
    models = (
        "models: { chat: { gateway: null }, small: { gateway: null } }\n"  # the small ones go past the gateway, too
    )
    (project.root / "stacks" / "bench.yaml").write_text(f"{text}{models}workers:\n{workers}")
    try:
        project.run("up", "bench")
        yield project
    finally:
        local.stop(project.root / ".inferstack" / "local")


def measure() -> dict[str, Any]:
    """By template: medians and p99 in milliseconds, requests per second, and their ratios; bytes of all templates."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, deployed(Path(name)) as project:
        token = (project.root / ".inferstack/secrets/sample-api-token").read_text()
        url = f"http://127.0.0.1:{project.running.port}"
        for template, (path, body, _) in CASES.items():
            ours = Worker(url, f"{template}-sample.local.localhost", token, path, body)
            theirs = Worker(url, f"small-{template}-sample.local.localhost", token, path, body)
            results[template] = compare(ours, theirs)
        chat = Worker(url, "chat-sample.local.localhost", token, "/chat", {"message": HELLO})
        first = [chat.first_event() for _ in range(40)]
        results["first event of a chat, ms"] = round(statistics.median(first) * 1000, 2)
    results["bytes"] = {template: size(template) for template in template_names(ROOT)}
    return results


def compare(ours: Worker, theirs: Worker) -> dict[str, float]:
    found = {"ours_rps": round(ours.per_second()), "theirs_rps": round(theirs.per_second())}  # warms both up, too
    mine: list[float] = []
    other: list[float] = []
    with ours.client() as one, theirs.client() as two:
        end = time.perf_counter() + LATENCY_SECONDS
        while len(mine) < FEWEST or time.perf_counter() < end:
            mine.append(ours.seconds(one))
            other.append(theirs.seconds(two))
    found |= {"ours_p50_ms": _ms(mine, 50), "theirs_p50_ms": _ms(other, 50)}
    found |= {"ours_p99_ms": _ms(mine, 99), "theirs_p99_ms": _ms(other, 99)}
    return {**found, "ratio_p50": round(found["ours_p50_ms"] / found["theirs_p50_ms"], 3)}


def _ms(times: list[float], percent: int) -> float:
    return round(statistics.quantiles(times, n=100)[percent - 1] * 1000, 2)


def size(template: str) -> int:
    spec = load_stack(template, ROOT)
    key = next(key for key, worker in spec.workers.items() if worker.template == template)
    modules = render_worker(spec, key, ROOT).modules
    return sum(len(module.content) for module in modules)


def table(results: dict[str, Any]) -> str:
    lines = [
        f"{'Worker, ms':14}{'p50':>8}{'theirs':>8}{'ratio':>8}{'p99':>8}{'theirs':>8}{'req/s':>8}{'theirs':>8}{'bytes':>9}"
    ]
    for name, found in results.items():
        if isinstance(found, dict) and "ratio_p50" in found:
            figures = [found[key] for key in ("ours_p50_ms", "theirs_p50_ms")]
            more = [found[key] for key in ("ours_p99_ms", "theirs_p99_ms", "ours_rps", "theirs_rps")]
            cells = "".join(f"{value:>8.2f}" for value in figures) + f"{found['ratio_p50']:>8.2f}"
            lines.append(f"{name:14}{cells}" + "".join(f"{v:>8.0f}" for v in more) + f"{results['bytes'][name]:>9}")
    lines.append(f"first event of a streamed chat: {results['first event of a chat, ms']} ms")
    return "\n".join(lines)
