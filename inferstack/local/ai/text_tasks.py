"""The smaller text tasks: rank, classify, translate, summarize. Shapes: facts `ai-binding.md` §3."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from inferstack.local.ai.embeddings import BASE_DIMENSIONS, embed
from inferstack.local.ai.engines import Engines, firefox, vader
from inferstack.local.ai.faults import InferenceError

WORD = re.compile(r"[a-z0-9']+")
GOOD = "excellent great wonderful love happy pleased perfect recommend delightful friendly fast thank best good"
BAD = "terrible awful hate angry disappointed broken useless refund horrible worst slow bad rude never again"
LANGUAGE = re.compile(r"^[A-Za-z]{2,20}(?:[-_][A-Za-z]{2,8})?$")


def text_field(inputs: dict[str, Any], name: str) -> str:
    text = inputs.get(name)
    if not isinstance(text, str) or not text:
        raise InferenceError(400, 5006, f"Error: required properties at '/' are '{name}'")
    return text


def contexts_of(inputs: dict[str, Any]) -> list[str]:
    contexts = inputs.get("contexts")
    if not isinstance(contexts, list) or not contexts:
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'query,contexts'")
    if not all(isinstance(context, dict) and isinstance(context.get("text", ""), str) for context in contexts):
        raise InferenceError(400, 5006, "Error: Type mismatch of '/contexts': each is an object with a 'text'")
    return [context.get("text", "") for context in contexts]


def rerank(inputs: dict[str, Any], engines: Engines) -> dict[str, Any]:
    """Contexts by nearness of meaning, best first; `id` is the place in `contexts`."""
    query, texts = text_field(inputs, "query"), contexts_of(inputs)
    near = engines.nearness(query, texts)
    scores = _shared(query, texts) if near is None else near
    order = sorted(range(len(texts)), key=lambda place: (-float(scores[place]), place))
    kept = order[: int(inputs.get("top_k") or len(order))]
    return {"response": [{"id": place, "score": max(0.0, min(1.0, float(scores[place])))} for place in kept]}


def _shared(query: str, texts: list[str]) -> Any:
    """Nearness of word vectors and the share of the query's words, half and half."""
    vectors = embed([query, *texts], BASE_DIMENSIONS)
    wanted = set(WORD.findall(query.lower()))
    shared = [len(wanted & set(WORD.findall(text.lower()))) / max(1, len(wanted)) for text in texts]
    return (vectors[1:] @ vectors[0] + np.array(shared, dtype=np.float32)) / 2


def classify(inputs: dict[str, Any], engines: Engines) -> list[dict[str, Any]]:
    """POSITIVE and NEGATIVE with scores that add up to 1."""
    text = text_field(inputs, "text")
    real = "sentiment" in engines.real
    good = engines.ask("sentiment", lambda process: vader.good(process, text)) if real else _good(text)
    found = [{"label": "POSITIVE", "score": good}, {"label": "NEGATIVE", "score": 1 - good}]
    return sorted(found, key=lambda entry: -float(str(entry["score"])))


def _good(text: str) -> float:
    vectors = embed([text, GOOD, BAD], BASE_DIMENSIONS)
    words = WORD.findall(text.lower())
    counted = sum(word in GOOD.split() for word in words) - sum(word in BAD.split() for word in words)
    return 1 / (1 + float(np.exp(-(6 * float((vectors[1] - vectors[2]) @ vectors[0]) + 2 * counted))))


def translate(inputs: dict[str, Any], engines: Engines) -> dict[str, Any]:
    """By the real engine for the pairs that it has. Else nothing is translated: the text comes back marked with the two
    languages, and says so by its form."""
    text, target = text_field(inputs, "text"), text_field(inputs, "target_lang")
    source = str(inputs.get("source_lang") or "en")
    for language in (source, target):
        if not LANGUAGE.match(language):
            raise InferenceError(400, 5006, f"Error: '{language}' is no language")
    pair = firefox.pair_of(inputs) if "translation" in engines.real else None
    if pair is None:
        return {"translated_text": f"[{source}→{target}] {text}"}
    return {"translated_text": engines.ask("translation", lambda process: firefox.translate(process, text, pair))}


def summarize(inputs: dict[str, Any]) -> dict[str, Any]:
    """The first sentences, up to `max_length` characters."""
    text, most = text_field(inputs, "input_text"), int(inputs.get("max_length") or 1024)
    kept = ""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if kept and len(kept) + len(sentence) + 1 > most:
            break
        kept = f"{kept} {sentence}".strip()
    return {"summary": kept[:most]}
