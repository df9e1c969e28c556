"""Which instances of a workflow would end with it: asked before a person says yes."""

from __future__ import annotations

from pathlib import Path

from inferstack.change.plan import Plan
from inferstack.config import StackSpec
from inferstack.engine.account import Account
from inferstack.errors import UserError

FINAL = {"complete", "errored", "terminated"}


def find_running(plan: Plan, spec: StackSpec, root: Path) -> None:
    """Fills `plan.running`; what the account does not tell is left out: the loss itself is shown anyway."""
    for change in plan.changes:
        if change.workflow is None:
            continue
        try:
            found = Account(spec, root).call("GET", f"/workflows/{change.workflow}/instances", query={"per_page": 100})
        except UserError:
            continue
        plan.running[change.name] = [str(each["id"]) for each in found if each.get("status") not in FINAL]
