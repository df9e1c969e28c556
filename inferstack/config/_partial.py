"""A stack whose values do not all fit, without those that do not: what else is wrong is said in the same run.

Only findings that a value tells by itself are kept. What something misses may stand in what was left out.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from inferstack.config.checks import references
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

ROUNDS = 20  # what is left out can leave something incomplete, which is left out in the next
STAND_INS = {"environment": "x", "target": "local"}
REFERENCES = {code: section for section, code in references.CODES.items()}
TOLD_BY_ITSELF = {
    *REFERENCES,
    *("IS017", "IS032", "IS041", "IS042", "IS043", "IS044", "IS045", "IS046", "IS047", "IS048", "IS049", "IS050"),
    *("IS052", "IS055", "IS059", "IS063", "IS066", "IS069", "IS070", "IS080", "IS084", "IS085", "IS086", "IS088"),
    *("IS089", "IS090", "IS100", "IS137", "IS138", "IS139", "IS140", "IS142", "IS144", "IS145"),
}


class PartialReport(Report):
    """Passes on what is true of the whole stack, too."""

    def __init__(self, report: Report, data: Any, holes: list[KeyPath]) -> None:
        super().__init__(report.findings, report.root)
        self._report, self._data, self._holes = report, data, holes

    def __call__(self, code: str, path: KeyPath, message: str, fix: str, severity: str | None = None) -> None:
        if code not in TOLD_BY_ITSELF or any(hole == path[: len(hole)] for hole in self._holes):
            return
        declared = self._data.get(REFERENCES.get(code))
        if code in REFERENCES and (not isinstance(declared, dict) or _at(self._data, path) in declared):
            return  # it is declared, and left out
        self._report(code, path, message, fix, severity)


def fitting_part(data: Any) -> tuple[StackSpec, list[KeyPath]] | None:
    """What remains, and where something was left out; None when nothing does."""
    left, holes = deepcopy(data), list[KeyPath]()
    for _ in range(ROUNDS):
        try:
            return StackSpec.model_validate(left), holes
        except ValidationError as error:
            found = {(details["loc"], details["type"]) for details in error.errors(include_url=False)}
            for path, kind in sorted(found, key=lambda each: [str(part).zfill(6) for part in each[0]], reverse=True):
                if not _leave_out(left, path[:-1] if path[-1:] == ("[key]",) else path, kind, holes):
                    return None
    return None


def _leave_out(data: Any, path: KeyPath, kind: str, holes: list[KeyPath]) -> bool:
    """False for the stack as a whole."""
    if kind == "missing":
        if len(path) == 1 and path[0] in STAND_INS:
            data[path[0]] = STAND_INS[str(path[0])]
            return True
        path = path[:-1]
    inside, container = list[Any](), data
    for part in path[:-1]:  # pydantic's paths name kinds of a union as well, which are no keys
        if not _has(container, part):
            break
        inside.append(part)
        container = container[part]
    part = next(iter(path[len(inside) :]), "")
    if not _has(container, part):
        return bool(inside) and _leave_out(data, tuple(inside), "", holes)
    holes.append((*inside, part) if isinstance(container, dict) else tuple(inside))
    del container[part]
    return True


def _has(container: Any, part: Any) -> bool:
    if isinstance(container, dict):
        return part in container
    return isinstance(container, list) and isinstance(part, int) and part < len(container)


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        if not _has(data, part):
            return None
        data = data[part]
    return data if isinstance(data, str) else None
