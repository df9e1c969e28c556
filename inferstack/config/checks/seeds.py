"""Seeds of namespaces: there, small enough, and of keys that KV takes."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.findings.report import Report
from inferstack.config.seed_files import LARGEST_FILE, MOST_KEYS, entries, missing, wrong_keys
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

LOAD = "`inferstack seed STACK NAMESPACE FILE` loads a large file, once"


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, namespace in spec.namespaces.items():
        if namespace.seed is None:
            continue
        at: KeyPath = ("namespaces", key, "seed")
        why = missing(root, namespace.seed)
        if why == "outside":
            report("IS017", at, f"the path `{namespace.seed}` leaves the project", "name a file of the project")
        elif why is not None:
            report("IS080", at, f"there is no file `{namespace.seed}`", "create it, or correct the path")
        else:
            _check_file(root / namespace.seed, namespace.seed, at, report)


def _check_file(path: Path, name: str, at: KeyPath, report: Report) -> None:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        report("IS144", at, f"`{name}` has {size:,} bytes; a seed has at most {LARGEST_FILE:,}", LOAD)
        return
    found = entries(path, report.findings)
    if len(found) > MOST_KEYS:
        report("IS144", at, f"`{name}` has {len(found):,} keys; a seed has at most {MOST_KEYS:,}", LOAD)
    for node, problem in wrong_keys(found):
        report.in_file("IS145", node.place, problem, "give it another name")
