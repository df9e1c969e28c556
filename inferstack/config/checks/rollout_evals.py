"""Suites that a rollout waits for: there, right, and for that Worker."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.eval_suites import Suite, parse_suite, unfit
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.paths import leaves
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath
from inferstack.config.usual import caller_secret

CODE = "IS166"


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, worker in spec.workers.items():
        for place, name in enumerate(worker.rollout.evals if worker.rollout else ()):
            at: KeyPath = ("workers", key, "rollout", "evals", place)
            if leaves(root / name, root):
                report("IS017", at, f"the path `{name}` leaves the project", "name a file of the project")
            elif not (root / name).is_file():
                report("IS080", at, f"there is no file `{name}`", "create it, or correct the path")
            else:
                _check_file(spec, key, root / name, at, report)


def _check_file(spec: StackSpec, key: str, file: Path, at: KeyPath, report: Report) -> None:
    suite, wrong = parse_suite(file, report.findings)
    for each in wrong:
        fix = each.fix or "docs/guides/evals.md has the form"
        report.in_file(CODE, each.place, each.message, fix)
    if suite is None or wrong:
        return
    why = _why_not(spec, key, suite)
    if why is not None:
        report(CODE, at, *why)


def _why_not(spec: StackSpec, key: str, suite: Suite) -> tuple[str, str] | None:
    if suite.worker not in (None, key):
        return f"the suite is for Worker `{suite.worker}`", f"name one for `{key}`"
    secrets, name = spec.workers[key].secrets, caller_secret(spec, key, suite.secret)
    if name is not None and name not in secrets:
        return (
            f"`{name}` is no secret of this Worker{closest(name, secrets)}",
            "name one of its `secrets:` in the suite",
        )
    if name is not None and spec.source_of(secrets[name]) is None:
        fix = "declare the secret under `secrets_store:`"
        return f"the suite needs the value of `{name}`, and only the account's Secrets Store has it", fix
    return unfit(spec, key, suite)
