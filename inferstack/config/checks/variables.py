"""The environment as a whole: names and lengths, the account and its limits, protection, secrets at hand."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from inferstack import catalog
from inferstack.config.env_files import env_file, split_reference
from inferstack.config.findings.report import Report
from inferstack.config.paths import real_path
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

LARGEST_WHOLE = 2**53  # JavaScript's numbers hold every whole number up to here
# Cloudflare's longest names. A Worker's is a DNS label; the others as their APIs check.
LONGEST = {"workers": 63, "buckets": 63, "queues": 63, "dispatch_namespaces": 63, "indexes": 64, "gateways": 64}
# What an account may have a number of: section → product and key of the limit.
COUNTED = {
    "workers": ("workers", "workers_per_account"),
    "databases": ("d1", "databases"),
    "indexes": ("vectorize", "indexes_per_account"),
    "gateways": ("ai_gateway", "gateways_per_account"),
}


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for section, longest in LONGEST.items():
        for key in getattr(spec, section):
            name = spec.name_of(section, key)
            if len(name) > longest:
                problem = f"`{name}` has {len(name)} characters; the longest name of {section} has {longest}"
                report("IS062", (section, key), problem, "shorten it, the prefix or the environment's name")
    if spec.target == "cloudflare" and (spec.account is None or set(spec.account) == {"0"}):
        problem = "the stack goes to Cloudflare and does not say to which account"
        report("IS071", ("account",), problem, "set `account:` (or CLOUDFLARE_ACCOUNT_ID, which the samples read)")
    for section, (product, key) in COUNTED.items():
        number, most = len(getattr(spec, section)), catalog.limit(product, key, spec.expect.plan)
        if number > most:
            problem = f"{number} {section}; an account on the {spec.expect.plan} plan has at most {most}"
            report("IS074", (section,), problem, "use several accounts, or ask Cloudflare for more")
    for key, worker in spec.workers.items():
        for name, value in worker.vars.items():
            _check_numbers(value, ("workers", key, "vars", name), report)
    _check_secrets(spec, root, report)


def _check_numbers(value: Any, at: KeyPath, report: Report) -> None:
    """Numbers that are another one in JavaScript, at any depth of a variable."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in inside:
        _check_numbers(item, (*at, part), report)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    written = report.written(at) or json.dumps(value)
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        problem = f"`{written}` is a number beyond 2^53: in the Worker its last digits are others"
    elif isinstance(value, float) and "." in written and written.endswith("0") and not written.endswith(".0"):
        problem = f"`{written}` is a number, and the Worker gets {json.dumps(value)}"
    else:
        return
    report("IS121", at, problem, f'write "{written}" for the text')


def _check_file(spec: StackSpec, root: Path, at: KeyPath, where: str, report: Report) -> None:
    path, name = split_reference(where, root)
    shown = where if name is None else where.removesuffix(f"#{name}")
    real = real_path(path)
    made = spec.target == "local" and real.is_relative_to(real_path(root / ".inferstack"))
    if not made and not real.is_file():
        report("IS075", at, f"there is no file `{shown}` here", "write the secret to that file, mode 600")
    elif name is not None:
        with suppress(OSError, UnicodeDecodeError):
            if not env_file(path).get(name):
                report("IS075", at, f"the file `{shown}` has no value for `{name}`", f"add a line {name}=…")


def _check_secrets(spec: StackSpec, root: Path, report: Report) -> None:
    for at, reference in spec.secret_references():
        kind, _, where = reference.partition(":")
        if kind == "env" and not os.environ.get(where):
            problem = f"the environment variable `{where}` is not set here"
            report("IS075", at, problem, f"export {where} before `up`")
        elif kind == "file":
            _check_file(spec, root, at, where, report)
        elif kind == "store" and at[0] == "gateways" and spec.source_of(reference) is None:
            problem = f"the gateway needs the value of `{where}`, and only the account's Secrets Store has it"
            report("IS099", at, problem, f"declare `{where}` under `secrets_store:`, or name its source")
