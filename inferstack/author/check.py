"""`inferstack check`: findings of all stacks in one run, with what only shows between them or against the budget."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inferstack import catalog
from inferstack.config import CODES, Checked, Place, check_stack, closest, find_entry, format_findings
from inferstack.config.checks.variables import COUNTED
from inferstack.config.findings.finding import Findings, TooMany
from inferstack.config.findings.report import Report
from inferstack.cost.budget import breach_of
from inferstack.errors import ConfigError

NAMED = (
    "workers",
    "databases",
    "indexes",
    "buckets",
    "namespaces",
    "queues",
    "searches",
    "search_namespaces",
    "dispatch_namespaces",
    "gateways",
)


@dataclass(frozen=True, slots=True)
class Result:
    """The findings of the stacks that were asked for."""

    root: Path
    stacks: dict[str, Findings]

    @property
    def wrong(self) -> bool:
        return any(findings.wrong for findings in self.stacks.values())

    def show(self, kind: str) -> str:
        together = [finding for findings in self.stacks.values() for finding in findings]
        if kind != "text":
            return format_findings(together, self.root, kind)
        parts = [f"{name}: ok" for name, findings in self.stacks.items() if not findings]
        return "\n".join([*parts, *([format_findings(together, self.root)] if together else [])])


def check(names: list[str], root: Path) -> Result:
    """Raises `StackNotFound`."""
    checked = {name: check_stack(name, root) for name in names}
    for name, found in checked.items():
        if found.spec is not None and found.tree is not None and found.spec.budget is not None:
            with suppress(TooMany):
                _check_budget(name, found, Report(found.findings, found.tree))
    seen: set[tuple[str, str | None, str | None]] = set()
    for found in checked.values():
        with suppress(TooMany):
            _check_code(found, root)
            _check_migrations(found, root, seen)
            _check_tools(found, root)
    with suppress(TooMany):
        _check_accounts(checked)
    return Result(root, {name: found.findings for name, found in checked.items()})


def _check_code(found: Checked, root: Path) -> None:
    """Code of one's own is bundled as for a deployment: what cannot be is told before anything is created."""
    if found.spec is None or found.tree is None:
        return
    report = Report(found.findings, found.tree)
    for key, worker in found.spec.workers.items():
        if worker.source is None or find_entry(root / worker.source) is None:
            continue  # said by the checks of the language
        from inferstack.render import render_worker  # Jinja2 costs 60 ms, which a stack of templates need not wait for

        try:
            render_worker(found.spec, key, root)
        except ConfigError as error:
            problem, _, fix = str(error).partition("\n  fix: ")
            report("IS108", ("workers", key, "source"), problem.replace("\n", "; "), fix or "correct the code there")


def _check_migrations(found: Checked, root: Path, seen: set[tuple[str, str | None, str | None]]) -> None:
    """Once for each folder: stacks of one project share it."""
    for database in found.spec.databases.values() if found.spec is not None else ():
        where = (database.migrations or "", database.reviewed, database.seed)
        if where in seen:
            continue
        seen.add(where)
        files = sorted((root / database.migrations).glob("*.sql")) if database.migrations else []
        seed = root / database.seed if database.seed and (root / database.seed).is_file() else None
        if files or seed:
            from inferstack.author.migration_lint import lint  # only a stack with migrations needs SQLite

            for problem in lint(files, database.reviewed, seed):
                place = Place(problem.file, problem.line, problem.column)
                found.findings.add(problem.code, place, problem.message, problem.fix)


def _check_tools(found: Checked, root: Path) -> None:
    if found.spec is None or found.tree is None:
        return
    if any(worker.options.get("tools") for worker in found.spec.workers.values()):
        from inferstack.author.tool_queries import check_queries  # only a stack with tools needs SQLite

        check_queries(found.spec, root, Report(found.findings, found.tree))


def _check_budget(name: str, found: Checked, report: Report) -> None:
    assert found.spec is not None
    breach = breach_of(name, found.spec)
    if breach is not None:
        report(breach.code, ("budget", "monthly_usd"), breach.problem, breach.fix, breach.severity)


def _check_accounts(checked: dict[str, Checked]) -> None:
    """Stacks of one account must not share a name, nor exceed together what it may have."""
    owners: dict[tuple[str, str, str], str] = {}
    counts: dict[tuple[str, str], int] = {}
    for name, found in checked.items():
        spec, tree = found.spec, found.tree
        if spec is None or tree is None or spec.target != "cloudflare" or spec.account is None:
            continue
        report = Report(found.findings, tree)
        for section in NAMED:
            for key in getattr(spec, section):
                physical = spec.name_of(section, key)
                owner = owners.setdefault((spec.account, section, physical), name)
                if owner != name:
                    problem = f"stack `{owner}` has `{physical}` among its {section} too, on the same account"
                    report(
                        "IS073", (section, key), problem, "give one of the stacks another `environment:` or `prefix:`"
                    )
        for section, (product, limit) in COUNTED.items():
            before = counts.get((spec.account, section), 0)
            number = before + len(getattr(spec, section))
            counts[(spec.account, section)] = number
            most = catalog.limit(product, limit, spec.expect.plan)
            if number > most >= len(getattr(spec, section)):
                problem = f"{number} {section} over all stacks of the account; it has at most {most}"
                report("IS074", (section,), problem, "use several accounts, or ask Cloudflare for more")


def explanation(code: str) -> dict[str, str | int]:
    """Raises `ConfigError` for an unknown code."""
    wanted = code.upper()
    if wanted not in CODES:
        raise ConfigError(f"there is no finding {code}{closest(wanted, CODES)}\n  fix: codes are IS001 to {max(CODES)}")
    found = CODES[wanted]
    return {"version": 1, "code": wanted, "severity": found.severity, "title": found.title, "why": found.why}


def explain(code: str) -> str:
    found = explanation(code)
    return f"{found['code']} ({found['severity']}): {found['title']}\n\n{found['why']}"
