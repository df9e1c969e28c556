"""Vectorize: search by text or by id, with a filter, and the vectors as a map of two dimensions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from inferstack import catalog
from inferstack.local.console.api import ApiProblem
from inferstack.local.console.charts import scatter
from inferstack.local.console.views import Seen

ON_MAP = 1000
AT_ONCE = 20  # ids that one request of the API takes


async def listed(seen: Seen) -> Response:
    rows = []
    for index in await seen.api.get("/vectorize/v2/indexes"):
        info = await seen.api.get(f"/vectorize/v2/indexes/{index['name']}/info")
        shape = f"{index['config']['dimensions']} × {index['config']['metric']}"
        rows.append((index["name"], index["name"], info["vectorCount"], shape))
    heads = ("Index", "Vectors", "Dimensions and metric")
    return seen.page("list", title="Vectorize", kind="vectorize", heads=heads, rows=rows, sizes=())


async def one(seen: Seen) -> Response:
    name, query = seen.path("name"), seen.query
    base = f"/vectorize/v2/indexes/{name}"
    try:
        index, info = await seen.api.get(base), await seen.api.get(f"{base}/info")
    except ApiProblem:
        return seen.page("missing", 404, what=f"the index {name}", where="vectorize")
    fields = (await seen.api.get(f"{base}/metadata_index/list"))["metadataIndexes"]
    known = [catalog.find_model(model) for model in catalog.model_names()]
    models = [m.name for m in known if m and m.dimensions == index["config"]["dimensions"] and m.status == "live"]
    values: dict[str, Any] = {"index": index, "info": info, "fields": fields, "models": models, "matches": None}
    values |= {"map": None, "groups": [], "vector": None}
    try:
        if query.get("text"):
            values["matches"] = await _matches(seen, base, await _vector_of_text(seen, query, models))
        elif query.get("id"):
            found = await seen.api.call("POST", f"{base}/get_by_ids", json={"ids": [query["id"]]})
            if not found:
                return seen.page("index", 404, **values | {"problem": f"there is no vector {query['id']}"})
            values["vector"] = found[0]
            values["matches"] = await _matches(seen, base, found[0]["values"])
        values["map"], values["groups"] = await _map(seen, base, query.get("colour", ""))
    except ApiProblem as problem:
        return seen.page("index", 400, **values | {"problem": problem.message})
    return seen.page("index", **values)


async def _vector_of_text(seen: Seen, query: dict[str, str], models: list[str]) -> list[float]:
    model = query.get("model") or next(iter(models), "")
    if model not in models:
        raise ApiProblem(400, "no embedding model of the catalogue has this index's dimensions: search by id")
    answer = await seen.api.call("POST", f"/ai/run/{model}", json={"text": [query["text"]]})
    vector: list[float] = answer["data"][0]
    return vector


async def _matches(seen: Seen, base: str, vector: list[float]) -> Any:
    body: dict[str, Any] = {"vector": vector, "topK": 20, "returnMetadata": "all"}
    if seen.query.get("filter"):
        try:
            body["filter"] = json.loads(seen.query["filter"])
        except ValueError:
            raise ApiProblem(400, 'the filter is no JSON; such as {"topic": "parcels"}') from None
    if seen.query.get("namespace"):
        body["namespace"] = seen.query["namespace"]
    return (await seen.api.call("POST", f"{base}/query", json=body))["matches"]


async def _map(seen: Seen, base: str, colour: str) -> tuple[Any, list[tuple[str, int]]]:
    """The first vectors along their two main directions, coloured by a field of their metadata."""
    listed = await seen.api.get(f"{base}/list", count=ON_MAP)
    ids = [each["id"] for each in listed["vectors"]]
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), AT_ONCE):
        sent = await seen.api.send("POST", f"{base}/get_by_ids", json={"ids": ids[start : start + AT_ONCE]})
        found += orjson.loads(sent.content).get("result") or []
    if len(found) < 3:
        return None, []
    matrix = np.asarray([each["values"] for each in found], dtype=np.float32)
    matrix -= matrix.mean(axis=0)
    _, _, directions = np.linalg.svd(matrix, full_matrices=False)
    flat = matrix @ directions[:2].T
    low, high = flat.min(axis=0), flat.max(axis=0)
    flat = (flat - low) / np.where(high > low, high - low, 1)
    names = [str((each.get("metadata") or {}).get(colour, "")) for each in found]
    order = sorted(set(names))
    points = [
        (float(x), float(1 - y), f"{each['id']} {name}".strip(), order.index(name))
        for (x, y), each, name in zip(flat, found, names, strict=True)
    ]
    return scatter(points, len(order)), [(name or "all", place % 8) for place, name in enumerate(order)][:24]
