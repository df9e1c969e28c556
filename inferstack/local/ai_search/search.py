"""Questions: what may be asked, and which parts answer it, by meaning, by words or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inferstack.local._store import Document
from inferstack.local.ai.run import InferenceError, Models
from inferstack.local.ai_search.filters import Test, filter_of
from inferstack.local.ai_search.index import Index, Kept
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.rules import GENERATION, RERANKER, bad
from inferstack.local.ai_search.state import Instances

CANDIDATES = 50  # of each way, before they are brought together
RANKED = 60  # what reciprocal rank fusion adds to a rank (Cormack, Clarke, Buettcher: SIGIR 2009)
BOOST = 0.2  # at most, of a score. Unsourced: Cloudflare's pages tell no amount
REWRITE = "Rewrite the question as a short search query. Answer with the query only."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question; what is None is the instance's to say."""

    query: str
    way: str | None = None
    fusion: str | None = None
    every_word: bool | None = None
    threshold: float | None = None
    most: int | None = None
    test: Test | None = None
    around: int = 0
    without_text: bool = False
    empty_on_failure: bool = True
    boosts: Sequence[Document] | None = None
    rewrite: Document = field(default_factory=dict)
    reranking: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A part that answers, its item, and where its score comes from."""

    part: Kept
    item: Document
    score: float
    text: str
    details: Document


def asked_of(body: Document) -> Asked:
    """From the body of a search or a chat; raises `ApiError`."""
    options = _object(body, "ai_search_options")
    given = _object(options, "retrieval")
    mode = _one_of(given, "keyword_match_mode", "and", "or")
    return Asked(
        query=_query(body),
        way=_one_of(given, "retrieval_type", "vector", "keyword", "hybrid"),
        fusion=_one_of(given, "fusion_method", "max", "rrf"),
        every_word=None if mode is None else mode == "and",
        threshold=_number(given, "match_threshold", 0, 1),
        most=_whole(given, "max_num_results", 1, 50),
        test=filter_of(given.get("filters")),
        around=_whole(given, "context_expansion", 0, 3) or 0,
        without_text=given.get("metadata_only") is True,
        boosts=_boosts(given),
        empty_on_failure=given.get("return_on_failure") is not False,
        rewrite=_object(options, "query_rewrite"),
        reranking=_object(options, "reranking"),
    )


class Searches:
    """Answers questions to one instance or to several."""

    def __init__(self, instances: Instances, models: Models, reader: Reader) -> None:
        self._instances, self._models, self._reader = instances, models, reader

    async def search(self, instance: Document, asked: Asked) -> tuple[str, list[Found]]:
        """The query as it was searched for, and what was found, best first.

        A model that fails means that nothing is found, or raises `InferenceError`, as is asked for.
        """
        self._reader.start_due(instance)
        try:
            return await self._search(instance, asked)
        except InferenceError:
            if asked.empty_on_failure:
                return asked.query, []
            raise

    async def _search(self, instance: Document, asked: Asked) -> tuple[str, list[Found]]:
        index = self._instances.index(instance)
        asked = replace(asked, query=await self._rewritten(instance, asked))
        items = {item["id"]: item for item in index.items()}
        allowed = None if asked.test is None else [i for i, item in items.items() if asked.test(item["metadata"])]
        scores = await self._scores(instance, index, asked, allowed)
        parts = index.parts(scores)
        # An item that is being read again is there in none of its parts for a moment.
        found = [
            Found(part, items[part.item], scores[name]["score"], part.text, scores[name])
            for name, part in parts.items()
            if part.item in items
        ]
        boosts = asked.boosts if asked.boosts is not None else (instance["retrieval_options"] or {}).get("boost_by")
        found = _boosted(found, boosts or [])
        found.sort(key=lambda each: (-each.score, each.item["key"], each.part.place))
        found = await self._reranked(instance, asked, found)
        found = found[: asked.most or instance["max_num_results"]]
        return asked.query, [_widened(index, each, asked) for each in found]

    async def _scores(
        self, instance: Document, index: Index, asked: Asked, allowed: list[str] | None
    ) -> dict[str, Document]:
        """By part: its score, and those of which it is made."""
        method = instance["index_method"]
        kept = {way for way in ("vector", "keyword") if method.get(way)}
        way = asked.way or ("hybrid" if len(kept) == 2 else next(iter(kept)))
        ways = {"vector", "keyword"} if way == "hybrid" else {way}
        if not ways <= kept:
            raise bad(f"retrieval_type {way}: index_method of the instance does not keep it")
        threshold = instance["score_threshold"] if asked.threshold is None else asked.threshold
        details: dict[str, Document] = {}
        if "vector" in ways:
            vector = (await self._reader.embed(instance, [asked.query]))[0]
            near = [hit for hit in index.nearest(vector, CANDIDATES, allowed) if hit[1] >= threshold]
            for rank, (part, score) in enumerate(near, 1):
                details.setdefault(part, {}).update(vector_score=score, vector_rank=rank)
        if "keyword" in ways:
            mode = (instance["retrieval_options"] or {}).get("keyword_match_mode") or "and"
            every = mode == "and" if asked.every_word is None else asked.every_word
            for rank, (part, score) in enumerate(index.matching(asked.query, every, CANDIDATES, allowed), 1):
                details.setdefault(part, {}).update(keyword_score=score, keyword_rank=rank)
        fusion = asked.fusion or instance["fusion_method"]
        return {part: _fused(each, fusion if way == "hybrid" else None) for part, each in details.items()}

    async def _rewritten(self, instance: Document, asked: Asked) -> str:
        enabled = asked.rewrite.get("enabled")
        if not (instance["rewrite_query"] if enabled is None else enabled):
            return asked.query
        prompt = asked.rewrite.get("rewrite_prompt") or instance["system_prompt_rewrite_query"] or REWRITE
        model = asked.rewrite.get("model") or instance["rewrite_model"] or GENERATION
        messages = [{"role": "system", "content": str(prompt)}, {"role": "user", "content": asked.query}]
        value = (await self._models.run(str(model), {"messages": messages}, openai=True)).value
        return str(value["choices"][0]["message"].get("content") or "").strip() or asked.query

    async def _reranked(self, instance: Document, asked: Asked, found: list[Found]) -> list[Found]:
        enabled = asked.reranking.get("enabled")
        if not found or not (instance["reranking"] if enabled is None else enabled):
            return found
        model = str(asked.reranking.get("model") or instance["reranking_model"] or RERANKER)
        found = found[:CANDIDATES]
        inputs = {"query": asked.query, "contexts": [{"text": each.text} for each in found]}
        value = (await self._models.run(model, inputs)).value
        least = _number(asked.reranking, "match_threshold", 0, 1) or 0
        return [
            replace(
                found[each["id"]],
                score=each["score"],
                details=found[each["id"]].details | {"reranking_score": each["score"]},
            )
            for each in value["response"]
            if each["score"] >= least
        ]


def _fused(details: Document, fusion: str | None) -> Document:
    if fusion is None:
        return details | {"score": details.get("vector_score", details.get("keyword_score", 0.0))}
    if fusion == "max":
        score = max(details.get("vector_score", 0.0), details.get("keyword_score", 0.0))
    else:
        ranks = [details[name] for name in ("vector_rank", "keyword_rank") if name in details]
        score = sum((1 + RANKED) / (rank + RANKED) for rank in ranks) / 2
    return details | {"score": score, "fusion_method": fusion}


def _boosted(found: list[Found], boosts: Sequence[Document]) -> list[Found]:
    """Scores that fields of the items raise, each by its share of `BOOST`."""
    for boost in boosts:
        name, direction = boost["field"], boost.get("direction") or "asc"
        values = [each.item["metadata"].get(name) for each in found]
        numbers = [v for v in values if isinstance(v, int | float)]
        low, span = min(numbers, default=0), (max(numbers, default=0) - min(numbers, default=0)) or 1
        raised = []
        for each, value in zip(found, values, strict=True):
            share = float((value is not None) == (direction == "exists"))
            if direction in ("asc", "desc"):
                place = (value - low) / span if isinstance(value, int | float) else None
                share = 0.0 if place is None else place if direction == "desc" else 1 - place
            raised.append(replace(each, score=min(1.0, each.score * (1 + BOOST * share))))
        found = raised
    return found


def _widened(index: Index, found: Found, asked: Asked) -> Found:
    """With the parts beside it, or without any text."""
    if asked.without_text:
        return replace(found, text="")
    if not asked.around:
        return found
    first = max(0, found.part.place - asked.around)
    beside = index.parts_of(found.part.item, first, found.part.place + asked.around - first + 1)
    return replace(found, text="\n".join(each.text for each in beside))


def _query(body: Document) -> str:
    """What is asked: `query`, or the last message of the user."""
    query, messages = body.get("query"), body.get("messages")
    if query is not None and messages is not None:
        raise bad("query and messages: exactly one of them must be given")
    if isinstance(query, str) and query.strip():
        return query
    said = (
        [m for m in messages if isinstance(m, dict) and m.get("role") == "user"] if isinstance(messages, list) else []
    )
    text = _text(said[-1].get("content")) if said else ""
    if not text.strip():
        raise bad("query, or messages with one of the user that has text, is needed")
    return text


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _boosts(given: Document) -> list[Document] | None:
    boosts = given.get("boost_by")
    if boosts is None:
        return None
    if not isinstance(boosts, list) or len(boosts) > 3 or not all(isinstance(each, dict) for each in boosts):
        raise bad("boost_by must be a list of at most 3 objects")
    for boost in boosts:
        _one_of(boost, "direction", "asc", "desc", "exists", "not_exists")
        if not isinstance(boost.get("field"), str) or not boost["field"]:
            raise bad("boost_by: field: a text is needed")
    return boosts


def _object(body: Document, name: str) -> Document:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad(f"{name} must be an object")
    return value or {}


def _one_of(body: Document, name: str, *allowed: str) -> str | None:
    value = body.get(name)
    if value is not None and value not in allowed:
        raise bad(f"{name} must be one of: {', '.join(allowed)}")
    return value


def _number(body: Document, name: str, least: float, most: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise bad(f"{name} must be a number from {least} to {most}")
    return value


def _whole(body: Document, name: str, least: int, most: int) -> int | None:
    value = _number(body, name, least, most)
    if value is not None and value != int(value):
        raise bad(f"{name} must be a whole number from {least} to {most}")
    return None if value is None else int(value)
