"""Faults by form: what is planned, what it meets, and what it does."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from inferstack.local.console.api import ApiProblem
from inferstack.local.console.door import HEADERS, ROOT
from inferstack.local.console.views import Seen

MEETS = ("model", "product", "path")
PRODUCTS = ("ai", "d1", "vectorize", "kv_namespace", "r2_bucket", "queue")
TEXTS = ("message", "answer", "method")
NUMBERS = {
    "status": "Answer with this status",
    "code": "and this code",
    "delay_ms": "Wait before, ms",
    "token_ms": "Wait before each piece, ms",
    "lag_ms": "Of vectorize: until a change is visible, ms",
    "break_after": "Break the stream after, pieces",
    "share": "Only a share, 0 to 1",
    "times": "At most so often",
    "seconds": "For so long, s",
    "skip": "Leave the first alone",
}


async def page(seen: Seen) -> Response:
    problem = ""
    if seen.request.method == "POST":
        form = {key: str(value).strip() for key, value in (await seen.request.form()).items()}
        try:
            if form.get("do") == "clear":
                await seen.api.call("DELETE", "/__local/faults")
            else:
                await seen.api.call("POST", "/__local/faults", json=_fault(form))
            return RedirectResponse(f"{ROOT}/faults", 303, HEADERS)
        except ApiProblem as refused:
            problem = refused.message
    planned = (await seen.api.call("GET", "/__local/faults"))["faults"]
    shown = [{key: value for key, value in each.items() if value not in (None, "", False)} for each in planned]
    values = {"planned": shown, "meets": MEETS, "products": PRODUCTS, "numbers": NUMBERS}
    return seen.page("faults", 400 if problem else 200, **values, problem=problem)


def _fault(form: dict[str, str]) -> dict[str, Any]:
    """As the API takes it. Raises `ApiProblem` for a number that is none."""
    kind, target = form.get("meets", ""), form.get("target", "")
    if kind not in MEETS or not target:
        raise ApiProblem(400, "say what the fault meets: a model, a product of a binding, or a path of the API")
    fault: dict[str, Any] = {kind: target} | {name: form[name] for name in TEXTS if form.get(name)}
    for name in NUMBERS:
        if form.get(name):
            try:
                number = float(form[name])
            except ValueError:
                raise ApiProblem(400, f"{name}: {form[name][:40]!r} is no number") from None
            fault[name] = int(number) if number.is_integer() else number
    return fault
