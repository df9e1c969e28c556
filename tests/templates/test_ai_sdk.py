"""Vercel's AI SDK, unchanged: against the OpenAI-compatible Worker, and inside a Worker by workers-ai-provider."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.templates.conftest import Deployed

STACKS = ["chat"]
EXTRAS = """
workers:
  sdk:
    source: workers/sdk
    compatibility_date: "2026-06-01"
    compatibility_flags: [nodejs_compat]
    bindings: { AI: { ai: true } }
"""
FILES = {
    "workers/sdk/index.ts": """import { generateText, streamText } from "ai";
import { createWorkersAI } from "workers-ai-provider";

export default {
  async fetch(request: Request, env: { AI: Ai }): Promise<Response> {
    const model = createWorkersAI({ binding: env.AI })("@cf/meta/llama-3.3-70b-instruct-fp8-fast");
    if (new URL(request.url).pathname === "/stream") {
      return streamText({ model, prompt: "Hello there" }).toTextStreamResponse();
    }
    const { text, usage } = await generateText({ model, prompt: "Hello there" });
    return Response.json({ text, usage });
  },
};
""",
}
SCRIPT = """import dns from "node:dns";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";

// Not every resolver knows that *.localhost is this machine.
dns.lookup = (_, options, done) => done(null, ...(options.all ? [[{ address: "127.0.0.1", family: 4 }]] : ["127.0.0.1", 4]));
const { URL: baseURL, TOKEN: apiKey } = process.env;
const provider = createOpenAICompatible({ name: "worker", baseURL, apiKey, includeUsage: true });
const model = provider("chat");
const { text } = await generateText({ model, prompt: "Hello there" });
const stream = streamText({ model, prompt: "Hello there" });
let streamed = "";
for await (const part of stream.textStream) streamed += part;
const city = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] });
const weather = tool({ description: "The weather of a city", inputSchema: city });
const called = await generateText({ model, prompt: "What is the weather in Paris?", tools: { get_weather: weather } });
const { embeddings } = await embedMany({ model: provider.textEmbeddingModel("embedding"), values: ["one", "two"] });
const calls = called.toolCalls.map(({ toolName, input }) => [toolName, input]);
console.log(JSON.stringify({ text, streamed, calls, dimensions: embeddings.map((vector) => vector.length) }));
"""


def test_ai_sdk_speaks_to_the_openai_compatible_worker(deployed: Deployed) -> None:
    given = {"URL": f"{deployed.url('chat')}/v1", "TOKEN": deployed.token}
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=SCRIPT,
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["text"] == answer["streamed"] == "You said: Hello there"
    assert answer["calls"] == [["get_weather", {"city": "Paris"}]]
    assert answer["dimensions"] == [768, 768]


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_workers_ai_provider_runs_in_a_worker_of_ones_own(deployed: Deployed, path: str) -> None:
    answer = deployed.call("sdk", "GET", path)
    assert answer.status_code == 200, answer.text
    text = answer.text if path == "/stream" else answer.json()["text"]
    assert text == "You said: Hello there"
