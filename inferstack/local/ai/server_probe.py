"""What an OpenAI-compatible server says of itself: which model it runs, and whether that one sees images and calls tools.

llama.cpp says it in `/v1/models` (`architecture.input_modalities`, `capabilities`; measured 2026-11-27), Ollama in
`/api/show` (`capabilities`, https://docs.ollama.com/api, read on 2026-11-27), vLLM only the length of its context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.server_answer import failed
from inferstack.local.ai.upstream import trusted

SECONDS = 5.0
LISTED = 8  # models that a message names at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The model that speaks. None: the server does not say; `context` counts tokens.

    `others`: what the server has where it does not list the model that the stack names. It is asked all the same, since
    some servers list less than they run.
    """

    model: str
    sees: bool | None = None
    calls: bool | None = None
    context: int | None = None
    others: tuple[str, ...] = ()


async def ask_served(base: str, wanted: str, headers: Mapping[str, str] = MappingProxyType({})) -> Served:
    """`wanted` is the model that the stack names; empty for the first that the server lists. Raises `InferenceError`."""
    try:
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False, verify=trusted(), headers=headers) as client:
            listed = await _listed(client, base, wanted)
            entry = _entry(listed, wanted)
            if entry is None:
                return Served(model=wanted, others=tuple(str(each["id"]) for each in listed["data"][:LISTED]))
            found = _of_llama_cpp(entry, listed) or await _of_ollama(client, base, str(entry["id"]))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise failed(f"{base} does not answer: {type(error).__name__}") from None
    return found or Served(model=str(entry["id"]), context=entry.get("max_model_len"))


async def _listed(client: httpx.AsyncClient, base: str, wanted: str) -> dict[str, Any]:
    answer = await client.get(f"{base}/models")
    if answer.status_code in (401, 403):
        raise failed(
            f"{base} wants a key ({answer.status_code}), and the local Cloudflare has none to give: start it without"
        )
    if answer.status_code == 503:
        raise InferenceError(
            429, 3040, "Capacity temporarily exceeded, please try again. (the text server loads its model)"
        )
    try:
        listed = answer.json()
        names = [entry["id"] for entry in listed["data"]]
    except (ValueError, KeyError, TypeError):
        names = []
    if names:
        return dict(listed)
    if wanted:  # not every server lists its models
        return {"data": [{"id": wanted}]}
    raise failed(f"{base}/models names no model; give one: text_server: {base}#<model>")


def _entry(listed: dict[str, Any], wanted: str) -> dict[str, Any] | None:
    entries: list[dict[str, Any]] = listed["data"]
    if not wanted:
        return entries[0]
    found = next((entry for entry in entries if entry["id"] in (wanted, f"{wanted}:latest")), None)
    if found is None and entries[0].get("owned_by") == "llamacpp":  # it has one, whatever it is called
        found = entries[0]
    return {**found, "id": wanted} if found else None


def _of_llama_cpp(entry: dict[str, Any], listed: dict[str, Any]) -> Served | None:
    if entry.get("owned_by") != "llamacpp":
        return None
    modalities = (entry.get("architecture") or {}).get("input_modalities") or []
    abilities = [each for model in listed.get("models") or [] for each in model.get("capabilities") or []]
    known = bool(modalities or abilities)
    sees = "image" in modalities or "multimodal" in abilities
    name = str(entry["id"]).rpartition("/")[2]
    return Served(model=name, sees=sees if known else None, context=(entry.get("meta") or {}).get("n_ctx"))


async def _of_ollama(client: httpx.AsyncClient, base: str, name: str) -> Served | None:
    """None where it is no Ollama."""
    if not base.endswith("/v1"):
        return None
    answer = await client.post(f"{base.removesuffix('/v1')}/api/show", json={"model": name})
    try:
        told = answer.json() if answer.status_code == 200 else {}
        abilities = told.get("capabilities")
    except (ValueError, AttributeError):
        return None
    if not isinstance(abilities, list):
        return None
    return Served(model=name, sees="vision" in abilities, calls="tools" in abilities)
