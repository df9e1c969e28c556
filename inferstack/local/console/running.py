"""AI Gateway's logs, workflows and their steps, Durable Objects, and the names of secrets."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from inferstack.local.console.api import ApiProblem
from inferstack.local.console.views import Seen

LOGS = 50


async def gateways(seen: Seen) -> Response:
    rows = []
    for gateway in await seen.api.get("/ai-gateway/gateways", per_page=100):
        base = f"/ai-gateway/gateways/{gateway['id']}"
        logs = (await seen.api.send("GET", f"{base}/logs", params={"per_page": 1})).json()
        routes = await _routes(seen, base)
        rows.append((gateway["id"], gateway["id"], logs["result_info"]["total_count"], len(routes)))
    heads = ("Gateway", "Logs", "Routes")
    return seen.page("list", title="AI Gateway", kind="gateways", heads=heads, rows=rows, sizes=())


async def gateway(seen: Seen) -> Response:
    """Its logs, newest first; `log` is one of them with both bodies."""
    name, query = seen.path("name"), seen.query
    base = f"/ai-gateway/gateways/{name}"
    try:
        known = await seen.api.get(base)
    except ApiProblem:
        return seen.page("missing", 404, what=f"the gateway {name}", where="gateways")
    asked = {"per_page": LOGS, "page": query.get("page") or 1, "search": query.get("text") or None}
    params = {key: value for key, value in asked.items() if value is not None}
    listed = (await seen.api.send("GET", f"{base}/logs", params=params)).json()
    values: dict[str, Any] = {"gateway": known, "logs": listed.get("result") or [], "log": None, "bodies": {}}
    values |= {"info": listed.get("result_info") or {"total_count": 0}}
    values["routes"] = await _routes(seen, base)
    if query.get("log"):
        try:
            values["log"] = await seen.api.get(f"{base}/logs/{query['log']}")
        except ApiProblem:
            return seen.page("missing", 404, what=f"the log {query['log']}", where=f"gateways/{name}")
        for part in ("request", "response"):
            values["bodies"][part] = (await seen.api.send("GET", f"{base}/logs/{query['log']}/{part}")).text
    return seen.page("gateway", **values)


async def _routes(seen: Seen, base: str) -> list[dict[str, Any]]:
    """This one list has no envelope like the others."""
    found: list[dict[str, Any]] = (await seen.api.send("GET", f"{base}/routes")).json()["data"]["routes"]
    return found


async def workflows(seen: Seen) -> Response:
    rows = []
    for each in await seen.api.get("/workflows", per_page=100):
        counts = ", ".join(f"{count} {state}" for state, count in each.get("instances", {}).items() if count)
        rows.append((each["name"], each["name"], counts or "none", each.get("script_name", "")))
    heads = ("Workflow", "Instances", "Worker")
    return seen.page("list", title="Workflows", kind="workflows", heads=heads, rows=rows, sizes=())


async def workflow(seen: Seen) -> Response:
    """Its instances; `instance` is one of them as a line of steps."""
    name = seen.path("name")
    try:
        known = await seen.api.get(f"/workflows/{name}")
    except ApiProblem:
        return seen.page("missing", 404, what=f"the workflow {name}", where="workflows")
    listed = await seen.api.get(f"/workflows/{name}/instances", per_page=100)
    shown = None
    if seen.query.get("instance"):
        try:
            shown = await seen.api.get(f"/workflows/{name}/instances/{seen.query['instance']}")
        except ApiProblem:
            return seen.page("missing", 404, what=f"the instance {seen.query['instance']}", where=f"workflows/{name}")
    return seen.page("workflow", workflow=known, instances=listed, shown=shown)


async def objects(seen: Seen) -> Response:
    spaces = []
    for space in await seen.api.get("/workers/durable_objects/namespaces", per_page=100):
        found = await seen.api.get(f"/workers/durable_objects/namespaces/{space['id']}/objects", limit=100)
        spaces.append((space, found))
    return seen.page("objects", spaces=spaces)


async def secrets(seen: Seen) -> Response:
    """Names only: nothing here can tell a value."""
    of_workers = []
    for worker in await seen.api.get("/workers/workers", per_page=100):
        found = await seen.api.get(f"/workers/scripts/{worker['name']}/secrets")
        of_workers += [(worker["name"], each["name"]) for each in found]
    of_stores = []
    for store in await seen.api.get("/secrets_store/stores", per_page=100):
        found = await seen.api.get(f"/secrets_store/stores/{store['id']}/secrets", per_page=100)
        of_stores += [(store["name"], each["name"], ", ".join(each.get("scopes") or [])) for each in found]
    return seen.page("secrets", of_workers=of_workers, of_stores=of_stores)
