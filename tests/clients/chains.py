"""LiteLLM, LangChain and LlamaIndex ask the local Cloudflare for texts, streams, tools and vectors.

    python chains.py BASE-URL ACCOUNT TOKEN GATEWAY

prints one JSON object: what each call said, by the name of its client and where it asked. Runs in the environment of the
clients; imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import litellm
from langchain_cloudflare import ChatCloudflareWorkersAI, CloudflareWorkersAIEmbeddings
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

CHAT, EMBED = "@cf/meta/llama-3.2-3b-instruct", "@cf/baai/bge-base-en-v1.5"
HELLO = "Say hello"
ASKED = "What is the weather of Paris?"

Call = Callable[[], Any]


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return city


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def of_litellm(model: str, url: str, key: str) -> Iterator[tuple[str, Call]]:
    def ask(content: str, **options: Any) -> Any:
        said = [{"role": "user", "content": content}]
        return litellm.completion(model=model, messages=said, api_base=url, api_key=key, **options)

    def tools() -> Any:
        [call] = ask(ASKED, tools=[WEATHER], tool_choice="required").choices[0].message.tool_calls
        return [call.function.name, json.loads(call.function.arguments)]

    yield "chat", lambda: ask(HELLO).choices[0].message.content
    yield "stream", lambda: "".join(part.choices[0].delta.content or "" for part in ask(HELLO, stream=True))
    yield "tools", tools


def of_langchain(model: Any) -> Iterator[tuple[str, Call]]:
    def tools() -> Any:
        [call] = model.bind_tools([weather], tool_choice="required").invoke(ASKED).tool_calls
        return [call["name"], call["args"]]

    yield "chat", lambda: model.invoke(HELLO).content
    yield "stream", lambda: "".join(part.content for part in model.stream(HELLO))
    yield "tools", tools


def of_llama_index(model: OpenAILike) -> Iterator[tuple[str, Call]]:
    yield "chat", lambda: model.complete(HELLO).text
    yield "stream", lambda: "".join(part.delta or "" for part in model.stream_complete(HELLO))


def in_openai_s_form(url: str, model: str, key: str) -> Iterator[tuple[str, Call]]:
    chain = ChatOpenAI(model=model, base_url=url, api_key=key)
    index = OpenAILike(model=model, api_base=url, api_key=key, is_chat_model=True)
    for client, calls in (
        ("litellm", of_litellm("openai/" + model, url, key)),
        ("langchain-openai", of_langchain(chain)),
        ("llama-index", of_llama_index(index)),
    ):
        yield from ((f"{client} {name}", call) for name, call in calls)
    structured = chain.with_structured_output(City, method="json_schema")
    yield "langchain-openai structured", lambda: type(structured.invoke("Paris")).__name__


def vectors(url: str, key: str) -> Iterator[tuple[str, Call]]:
    def of_litellm() -> int:
        made = litellm.embedding(model="openai/" + EMBED, input=["a", "b"], api_base=url, api_key=key)
        return len(made.data[1]["embedding"])

    chain = OpenAIEmbeddings(model=EMBED, base_url=url, api_key=key, check_embedding_ctx_length=False)
    index = OpenAILikeEmbedding(model_name=EMBED, api_base=url, api_key=key, max_retries=0)
    yield "litellm vectors", of_litellm
    yield "langchain-openai vectors", lambda: len(chain.embed_documents(["a", "b"])[1])
    yield "llama-index vectors", lambda: len(index.get_text_embedding("a"))


def calls(base: str, account: str, key: str, gateway: str) -> Iterator[tuple[str, Call]]:
    own, compat = f"{base}/accounts/{account}/ai/v1", f"{base.split('/client/')[0]}/v1/{account}/{gateway}/compat"
    yield from ((f"/ai/v1 {name}", call) for name, call in in_openai_s_form(own, CHAT, key))
    yield from ((f"/ai/v1 {name}", call) for name, call in vectors(own, key))
    yield from ((f"compat {name}", call) for name, call in in_openai_s_form(compat, "workers-ai/" + CHAT, key))
    native = f"{base}/accounts/{account}/ai/run/"
    yield from ((f"native litellm {name}", call) for name, call in of_litellm("cloudflare/" + CHAT, native, key))
    told = {"account_id": account, "api_token": key}
    chain = ChatCloudflareWorkersAI(model=CHAT, base_url=base, **told)
    yield from ((f"native langchain-cloudflare {name}", call) for name, call in of_langchain(chain))
    embed = CloudflareWorkersAIEmbeddings(model_name=EMBED, api_base_url=f"{base}/accounts", **told)
    yield "native langchain-cloudflare vectors", lambda: len(embed.embed_documents(["a", "b"])[1])


def said(call: Call) -> Any:
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:400]


if __name__ == "__main__":
    print(json.dumps({name: said(call) for name, call in calls(*sys.argv[1:])}))
