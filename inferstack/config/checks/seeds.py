"""Seeds of namespaces and databases: there, small enough, and of keys that KV takes."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.findings.report import Report
from inferstack.config.seed_files import LARGEST_FILE, MOST_KEYS, entries, missing, wrong_keys
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

LOAD = "`inferstack seed STACK NAMESPACE FILE` loads a large file, once"
EXECUTE = "`wrangler d1 execute NAME --remote --file FILE` loads a large file, once"


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, namespace in spec.namespaces.items():
        at: KeyPath = ("namespaces", key, "seed")
        if namespace.seed is not None and _is_there(namespace.seed, root, at, report, LOAD):
            _check_keys(root / namespace.seed, namespace.seed, at, report)
    for key, database in spec.databases.items():
        if database.seed is not None:
            _is_there(database.seed, root, ("databases", key, "seed"), report, EXECUTE)


def _is_there(name: str, root: Path, at: KeyPath, report: Report, otherwise: str) -> bool:
    why = missing(root, name)
    if why == "outside":
        report("IS017", at, f"the path `{name}` leaves the project", "name a file of the project")
    elif why is not None:
        report("IS080", at, f"there is no file `{name}`", "create it, or correct the path")
    elif (size := (root / name).stat().st_size) > LARGEST_FILE:
        report("IS144", at, f"`{name}` has {size:,} bytes; a seed has at most {LARGEST_FILE:,}", otherwise)
    else:
        return True
    return False


def _check_keys(path: Path, name: str, at: KeyPath, report: Report) -> None:
    found = entries(path, report.findings)
    if len(found) > MOST_KEYS:
        report("IS144", at, f"`{name}` has {len(found):,} keys; a seed has at most {MOST_KEYS:,}", LOAD)
    for node, problem in wrong_keys(found):
        report.in_file("IS145", node.place, problem, "give it another name")
