"""What an instance may say: its fields, their bounds and what they are when left out."""

from __future__ import annotations

import re
from typing import Any

from inferstack import catalog
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document

NAME = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)*")
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
INVALID, ABSENT, TAKEN = 7001, 7002, 7004
EMBEDDING, GENERATION = "@cf/qwen/qwen3-embedding-0.6b", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
RERANKER = "@cf/baai/bge-reranker-base"
LARGEST_BYTES = 4_000_000  # of a document (developers.cloudflare.com/ai-search/platform/limits-pricing, 2026-11-26)
LONGEST_KEY = 128  # characters of an uploaded item's name (the official SDK's `item_upload_params`, 2026-11-27)
FILTERABLE = ("filename", "folder", "timestamp")  # of every item
FIXED = ("type", "source")  # they cannot be changed: the official provider replaces an instance for them
REINDEXED = (
    *("chunk", "chunk_size", "chunk_overlap", "custom_metadata"),
    *("embedding_model", "index_method", "indexing_options"),
)
DEFAULTS: Document = {
    "ai_gateway_id": None,
    "ai_search_model": GENERATION,
    "cache": True,
    "cache_threshold": "close_enough",
    "cache_ttl": 172_800,
    "chunk": True,
    "chunk_overlap": 10,
    "chunk_size": 256,
    "custom_metadata": None,
    "embedding_model": EMBEDDING,
    "fusion_method": "rrf",
    "index_method": {"keyword": True, "vector": True},
    "indexing_options": None,
    "max_num_results": 10,
    "metadata": None,
    "paused": False,
    "public_endpoint_params": None,
    "reranking": False,
    "reranking_model": RERANKER,
    "retrieval_options": None,
    "rewrite_model": GENERATION,
    "rewrite_query": False,
    "score_threshold": 0.4,
    "source": None,
    "source_params": None,
    "summarization": False,
    "summarization_model": None,
    "sync_interval": 21_600,
    "system_prompt_ai_search": None,
    "system_prompt_index_summarization": None,
    "system_prompt_rewrite_query": None,
    "token_id": None,
    "type": None,
}
MODELS = {  # field → the task that its model has
    "embedding_model": "Text Embeddings",
    "ai_search_model": "Text Generation",
    "rewrite_model": "Text Generation",
    "summarization_model": "Text Generation",
    "reranking_model": "Text Classification",
}


def bad(message: str) -> ApiError:
    return ApiError(400, INVALID, message)


def fields(body: Document, known: Document | None = None) -> Document:
    """What `body` sets, checked; `known` is the instance that it changes. Raises `ApiError`."""
    given = {name: body[name] for name in DEFAULTS if body.get(name) is not None and body[name] != ""}
    _check_source(given, known)
    _check_numbers(given)
    _check_models(given)
    # The old name of one half of `index_method`.
    if body.get("hybrid_search_enabled") is not None and "index_method" not in given:
        given["index_method"] = {"vector": True, "keyword": bool(body["hybrid_search_enabled"])}
    method = given.get("index_method")
    if method is not None and not (isinstance(method, dict) and any(method.get(k) for k in ("vector", "keyword"))):
        raise bad("index_method: one of vector and keyword must be true")
    for field in given.get("custom_metadata") or []:
        if field["field_name"] in FILTERABLE:
            raise bad(f"custom_metadata: {field['field_name']} is a field of every item")
    return given


def _check_source(given: Document, known: Document | None) -> None:
    source = given.get("source")
    if source and known is None and "type" not in given:
        given["type"] = "web-crawler" if str(source).startswith(("http://", "https://")) else "r2"
    kind = given.get("type")
    if kind == "web-crawler":
        raise bad("type web-crawler: the local Cloudflare reads buckets (r2) and uploaded items, no websites")
    if kind not in (None, "r2"):
        raise bad("type must be one of: r2, web-crawler")
    if kind == "r2" and known is None and not isinstance(source, str):
        raise bad("source: the name of a bucket is needed")
    for field in FIXED if known is not None else ():
        if field in given and given[field] != (known or {}).get(field):
            raise bad(f"{field} of an instance cannot be changed")


def _check_numbers(given: Document) -> None:
    """Again what the API's description bounds: Workers' bindings come without it."""
    bounds = {"chunk_size": (64, 8192), "chunk_overlap": (0, 30), "max_num_results": (1, 50), "score_threshold": (0, 1)}
    for field, (least, most) in bounds.items():
        value: Any = given.get(field)
        whole = field != "score_threshold"
        if value is None:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else int | float)
            or not least <= value <= most
        ):
            raise bad(f"{field} must be a {'whole ' if whole else ''}number from {least} to {most}")


def _check_models(given: Document) -> None:
    for field, task in MODELS.items():
        name = given.get(field)
        if not isinstance(name, str) or not name.startswith("@"):
            continue  # another provider's, by the gateway
        model = catalog.find_model(name)
        if model is None or (model.task != task and not (task == "Text Classification" and "rerank" in name)):
            raise bad(f"{field}: {name[:80]} is no model for it ({task})")


def name_of(body: Document, field: str = "id") -> str:
    name = body.get(field)
    pattern, most = (NAME, 64) if field == "id" else (NAMESPACE, 64)
    if not isinstance(name, str) or len(name) > most or not pattern.fullmatch(name):
        raise bad(f"{field} must be lower case letters, digits and hyphens between them, 1 to {most}")
    return name
