"""The policy set: what an organisation asks of its environments beyond what works.

The same rules speak in `check`, in previews and in pull requests; each can be excepted for one resource until a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from inferstack.config.findings.report import Report
from inferstack.config.policy_models import Rule
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

CODES: dict[Rule, str] = {
    "public-worker": "IS093",
    "private-logs": "IS094",
    "shared-cache": "IS095",
    "pinned-model": "IS096",
    "jurisdiction": "IS097",
    "protect": "IS072",
    "budget": "IS077",
}
WISHED: dict[Rule, str] = {
    "private-logs": "private_data",
    "jurisdiction": "jurisdiction",
}  # said by a key of `policies`
DATED = re.compile(r"\d{4}-?\d{2}-?\d{2}|-\d{3,4}$|@\d")
DATA = ("databases", "indexes", "buckets", "namespaces")


class Breach(NamedTuple):
    """What a rule found: `resource` is how an exception names it."""

    rule: Rule
    resource: str
    path: KeyPath
    problem: str
    fix: str


def check(spec: StackSpec, report: Report) -> None:
    excepted = _exceptions(spec, report)
    for breach in _breaches(spec):
        severity = severity_of(spec, breach.rule)
        if severity != "off" and (breach.rule, breach.resource) not in excepted:
            report(CODES[breach.rule], breach.path, breach.problem, breach.fix, severity)


def severity_of(spec: StackSpec, rule: Rule) -> str:
    """As given; else an error in production, or where the rule is asked for by a key of its own."""
    given = spec.policies.severity.get(rule)
    wished = rule in WISHED and getattr(spec.policies, WISHED[rule])
    return given or ("error" if spec.production or wished or rule == "budget" else "off")


def _exceptions(spec: StackSpec, report: Report) -> set[tuple[str, str]]:
    today = datetime.now(UTC).date().isoformat()
    held: set[tuple[str, str]] = set()
    for place, exception in enumerate(spec.policies.exceptions):
        if exception.expires < today:
            problem = f"the exception of {exception.resource} from {exception.rule} ended on {exception.expires}"
            fix = f"mend it, or let {exception.owner} renew it"
            report("IS098", ("policies", "exceptions", place, "expires"), problem, fix)
        held.add((exception.rule, exception.resource))
    return held


def budget_severity(spec: StackSpec) -> str:
    """`error`, `warning` or `off`, with exceptions heeded."""
    return "off" if is_excepted(spec, "budget", "budget") else severity_of(spec, "budget")


def is_excepted(spec: StackSpec, rule: Rule, resource: str) -> bool:
    return any(e.rule == rule and e.resource == resource for e in spec.policies.exceptions)


def _breaches(spec: StackSpec) -> Iterator[Breach]:
    yield from _workers(spec)
    yield from _gateways(spec)
    yield from _models(spec)
    yield from _places(spec)
    held = [f"{section}.{key}" for section in DATA for key in getattr(spec, section)]
    if held and not spec.protected:
        problem = f"{', '.join(held)} can be deleted by one command"
        yield Breach("protect", "protect", ("protect",), problem, "remove `protect: false`, or set `protect: true`")


def _workers(spec: StackSpec) -> Iterator[Breach]:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key, "options")
        if worker.options.get("auth") == "none":
            problem, fix = f"Worker `{key}` answers everybody", "set `auth: key`, or `auth: jwt` with `jwt:`"
            yield Breach("public-worker", f"workers.{key}", (*at, "auth"), problem, fix)
        elif worker.public:
            problem = f"Worker `{key}` answers everybody's questions"
            yield Breach(
                "public-worker", f"workers.{key}", (*at, "public_questions"), problem, "set `public_questions: false`"
            )


def _gateways(spec: StackSpec) -> Iterator[Breach]:
    for key, gateway in spec.gateways.items():
        if spec.policies.private_data and gateway.collect_logs:
            problem, fix = f"gateway `{key}` keeps prompts and answers in its log", "set `collect_logs: false`"
            yield Breach("private-logs", f"gateways.{key}", ("gateways", key, "collect_logs"), problem, fix)
        tenants = [
            name
            for name, worker in spec.workers.items()
            if worker.has_tenants
            and any(spec.models[alias].gateway == key for alias in worker.models.values() if alias in spec.models)
        ]
        if gateway.cache_ttl and tenants:
            problem = f"gateway `{key}` keeps answers for all tenants of Worker `{tenants[0]}` together"
            fix = "set `cache_ttl: 0`: the gateway's key does not know tenants"
            yield Breach("shared-cache", f"gateways.{key}", ("gateways", key, "cache_ttl"), problem, fix)


def _models(spec: StackSpec) -> Iterator[Breach]:
    for key, model in spec.models.items():
        if model.external and not DATED.search(model.model):
            problem = f"`{model.model}` of {model.provider} is whatever version the provider serves that day"
            fix = "name a dated version, as the provider lists them"
            yield Breach("pinned-model", f"models.{key}", ("models", key, "model"), problem, fix)


def _places(spec: StackSpec) -> Iterator[Breach]:
    wanted = spec.policies.jurisdiction
    if wanted is None:
        return
    for section in ("databases", "buckets"):
        for key, held in getattr(spec, section).items():
            if held.jurisdiction != wanted:
                problem = f"{section}.{key} is not bound to the jurisdiction `{wanted}`"
                fix = f"set `jurisdiction: {wanted}`; an existing one must be made anew"
                yield Breach("jurisdiction", f"{section}.{key}", (section, key), problem, fix)
